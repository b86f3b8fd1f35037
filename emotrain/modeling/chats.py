"""Chats in, one batch of tensors out: the one place that calls a processor on prompts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

from torch import Tensor

MOST_STEPS = 2_000_000
"""Lines of a template, as Python, that writing out one chat may take; an honest one takes some hundred."""


def encode_chats(
    processor: Any, messages: Sequence[Sequence[Mapping[str, Any]]], images: Sequence[Sequence[Any]] | None
) -> dict[str, Tensor]:
    """The model's inputs for chats of typed parts: a left-padded batch whose prompts end with the generation prompt.

    `images` holds each chat's pictures in the order of its image parts; None is for chats without any.
    """
    texts = [chat_text(processor, chat) for chat in messages]
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


def chat_text(processor: Any, chat: Sequence[Mapping[str, Any]], *, generation: bool = True) -> str:
    """One chat as its model reads it, by the chat template that came with the base.

    A template is anybody's program: transformers keeps it in a sandbox, and here it ends after MOST_STEPS lines. Raises
    ValueError that names the base for one that does not end, reaches out of its sandbox or trips.
    """
    before = sys.gettrace()
    sys.settrace(_counting(MOST_STEPS))
    try:
        return str(processor.apply_chat_template(list(chat), tokenize=False, add_generation_prompt=generation))
    except (OSError, ValueError):
        raise
    except Exception as error:
        sys.settrace(before)
        name = getattr(getattr(processor, "tokenizer", processor), "name_or_path", "") or type(processor).__name__
        raise ValueError(
            f"{name}: its chat template cannot be used ({type(error).__name__}: {error}); take the base from its "
            "publisher again, or name another with --base (in a recipe: model_name_or_path)"
        ) from error
    finally:
        sys.settrace(before)


class _Endless(Exception):
    pass


def _counting(most: int) -> Callable[[FrameType, str, Any], Any]:
    """A trace function that raises _Endless after so many lines of a template; a thread has one of its own."""
    left = most

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename != "<template>":
            return None
        left -= 1
        if left < 0:
            raise _Endless(f"it is not done after {most:,} steps")
        return trace

    return trace
