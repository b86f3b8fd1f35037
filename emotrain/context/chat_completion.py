"""Reading a chat completion of an OpenAI-compatible server: its words, and its tokens or an estimate of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emotrain.context.asking import is_refusal

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


def words_of(answer: Any) -> tuple[str, bool, str]:
    """The words of a chat completion, whether the model declined, and what is wrong with it ("" for nothing)."""
    try:
        message = answer.choices[0].message
        text = message.content if message.content is not None else ""
        return text, bool(getattr(message, "refusal", None)) or is_refusal(text), ""
    except (IndexError, TypeError, AttributeError) as error:
        return "", False, f"the reply is no chat completion ({type(error).__name__}: {error})"


def _count(usage: Any, name: str) -> int | None:
    value = getattr(usage, name, None)
    return value if isinstance(value, int) else None
