"""What servers of OpenAI's chat interface can do beyond it, one entry a kind: a new one costs an entry and a function.

| kind | servers | label scores |
|-|-|-|
| openai | OpenAI's own endpoint, Gemini's, most others | logprobs of the reply where they are given |
| vllm | vLLM | logprobs, also bound to the labels; likelihood of each label by `prompt_logprobs` |
| sglang | SGLang | logprobs, also bound to the labels |
| llamacpp | llama.cpp's `llama-server`, llama-cpp-python | logprobs, also bound to the labels |
| transformers | `transformers serve` | none: it leaves `logprobs` out without a word |
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Choices = Callable[[Sequence[str]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """`choices` makes the parameters that bind a reply to some words, `likelihood` has those under which a label that
    is put into the assistant's mouth comes back with its log-probabilities; None where a kind knows no such thing."""

    logprobs: bool = True
    choices: Choices | None = None
    likelihood: Mapping[str, Any] | None = None


def _schema(words: Sequence[str]) -> dict[str, Any]:
    """Structured output: an object with one key, read as an answer in JSON."""
    schema = {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": list(words)}},
        "required": ["label"],
        "additionalProperties": False,
    }
    return {
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    }


def _choice(words: Sequence[str]) -> dict[str, Any]:
    return {"structured_outputs": {"choice": list(words)}}


def _pattern(words: Sequence[str]) -> dict[str, Any]:
    return {"regex": f"({'|'.join(re.escape(word) for word in words)})"}


def _grammar(words: Sequence[str]) -> dict[str, Any]:
    return {"grammar": "root ::= " + " | ".join(json.dumps(word, ensure_ascii=False) for word in words)}


DIALECTS: Mapping[str, Dialect] = {
    "openai": Dialect(choices=_schema),
    "vllm": Dialect(
        choices=_choice,
        likelihood={
            "prompt_logprobs": 0,
            "continue_final_message": True,
            "add_generation_prompt": False,
            "max_completion_tokens": 1,
        },
    ),
    "sglang": Dialect(choices=_pattern),
    "llamacpp": Dialect(choices=_grammar),
    "transformers": Dialect(logprobs=False),
}
"""Each kind of server and what it takes."""
