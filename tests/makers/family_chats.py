"""Chats of keyframes and summaries, and their batches, as tests put them to models of every family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from emotrain.context.prompt import PromptSettings, build_messages
from emotrain.emotions import LABEL_SETS
from emotrain.modeling.chats import encode_chats
from emotrain.records import Frame, Summary

LABELS = LABEL_SETS["dfew"].labels
WORDS = ("inner brows rise", "no visible change", "brief, peak 0.53 s")
Chat = tuple[list[dict[str, Any]], list[Image.Image]]


def picture(seed: int, width: int = 64) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (64, width, 3), dtype=np.uint8))


def chats(counts: Sequence[int] = (2, 1, 3), first: int = 0) -> list[Chat]:
    """One chat a number of keyframes, each with as many summaries and pictures of its own."""
    made = []
    for row, count in enumerate(counts):
        frames = [Frame(f"clip{row}", k, 0.25 + k / 2, "keyframe", None, b"") for k in range(count)]
        told = [Summary(f"clip{row}", k, k / 2, k / 2 + 0.5, WORDS[k], True, "test") for k in range(count)]
        messages = build_messages(frames, told, LABELS, PromptSettings())
        made.append((messages, [picture(first + 10 * row + k) for k in range(count)]))
    return made


def encoded(processor: Any, some: Sequence[Chat]) -> dict[str, Tensor]:
    images = [pictures for _, pictures in some] if some[0][1] else None
    return encode_chats(processor, [messages for messages, _ in some], images)
