"""Chats in, one batch of tensors out: the one place that calls a processor on prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor


def encode_chats(
    processor: Any, messages: Sequence[Sequence[Mapping[str, Any]]], images: Sequence[Sequence[Any]] | None
) -> dict[str, Tensor]:
    """The model's inputs for chats of typed parts: a left-padded batch whose prompts end with the generation prompt.

    `images` holds each chat's pictures in the order of its image parts; None is for chats without any.
    """
    texts = [processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in messages]
    # Gemma's template writes the first token of a sequence, and its tokenizer would write it again.
    begun = processor.tokenizer.bos_token is not None and texts[0].startswith(processor.tokenizer.bos_token)
    batch = processor(
        text=texts,
        images=None if images is None else [list(pictures) for pictures in images],
        padding=True,
        padding_side="left",
        add_special_tokens=not begun,
        return_tensors="pt",
    )
    return dict(batch)
