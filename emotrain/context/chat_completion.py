"""Reading a chat completion of an OpenAI-compatible server: its words, and its tokens or an estimate of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emotrain.context.asking import is_refusal, spoken
from emotrain.context.budget import SENTENCE_END

PICTURE_TOKENS = 256
"""Estimate for one stored frame: Qwen2.5-VL makes 64 tokens of 224 pixels, Gemma 3, InternVL and GPT-4o about 256."""

BYTES_A_TOKEN = 4
"""UTF-8 bytes of text a token: about right for English, and for Chinese with its three bytes a character."""


def estimated_tokens(content: str | Sequence[Mapping[str, Any]]) -> int:
    """Tokens of a text, or of the text and picture parts of a chat message, without asking a tokenizer."""
    if isinstance(content, str):
        return -(-len(content.encode()) // BYTES_A_TOKEN)
    return sum(estimated_tokens(part["text"]) if part["type"] == "text" else PICTURE_TOKENS for part in content)


def tokens_used(usage: Any, messages: Sequence[Mapping[str, Any]], reply: str) -> tuple[int, int, bool]:
    """Tokens of the prompt and of the reply, and whether one of them is an estimate.

    `usage` is that of a chat completion: None, or with `prompt_tokens`, `completion_tokens` and `total_tokens`, of
    which servers leave out some or all. What is missing follows from the others where it can.
    """
    tokens_in, tokens_out = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    total = _count(usage, "total_tokens")
    if total is not None and tokens_in is None and tokens_out is not None:
        tokens_in = max(total - tokens_out, 0)
    if total is not None and tokens_out is None and tokens_in is not None:
        tokens_out = max(total - tokens_in, 0)
    written = tokens_out if tokens_out is not None else estimated_tokens(reply)
    if tokens_in is not None:
        read = tokens_in
    elif total is not None:
        read = max(total - written, 0)
    else:
        read = sum(estimated_tokens(message["content"]) for message in messages)
    return read, written, tokens_in is None or tokens_out is None


@dataclass(frozen=True, slots=True)
class Words:
    """What a chat completion says: its `text`, and why there is none or no more of it.

    `refused`: the model declined; `fault`: this is no chat completion; `lost`: its words went into thinking or a limit,
    so that asking the same again would end the same.
    """

    text: str = ""
    refused: bool = False
    fault: str = ""
    lost: str = ""


def words_of(answer: Any, max_new_tokens: int) -> Words:
    """The words of a chat completion, text or a list of parts, thoughts left out.

    One that was cut off after `max_new_tokens` gives its whole sentences.
    """
    try:
        choice = answer.choices[0]
        message = choice.message
        text = _joined(message.content)
        ended = getattr(choice, "finish_reason", None)
    except (IndexError, TypeError, AttributeError, KeyError) as error:
        return Words(fault=f"the reply is no chat completion ({type(error).__name__}: {error})")
    if getattr(message, "refusal", None) or ended == "content_filter" or is_refusal(text):
        return Words(text, refused=True)
    said = spoken(text)
    thought = (
        any(getattr(message, name, None) for name in ("reasoning_content", "reasoning"))
        or said != text.strip()
        or (isinstance(message.content, list) and len(message.content) > 0 and not text)  # parts, all of them thoughts
    )
    if ended == "length" and not said:
        what = " while it was thinking" if thought else ""
        return Words(lost=f"cut off after max_new_tokens {max_new_tokens}{what}; raise it")
    if not said and thought:
        return Words(lost="the model thought and said nothing; turn its thinking off, or raise max_new_tokens")
    if ended == "length":
        whole = [found.end() for found in SENTENCE_END.finditer(said)]
        text = said[: whole[-1]] if whole else said
    return Words(text)


def _joined(content: Any) -> str:
    """The text of a message's content: a string, None, or parts of which those that are thoughts are left out."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    parts = [content] if isinstance(content, Mapping) else list(content)
    texts = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, Mapping):
            if part.get("type", "text") in ("text", "output_text"):
                texts.append(str(part["text"]))
        else:
            raise TypeError(f"a part of its content is a {type(part).__name__}")
    return " ".join(texts)


def _count(usage: Any, name: str) -> int | None:
    value = getattr(usage, name, None)
    return value if isinstance(value, int) else None
