"""Stored frames inside chat messages, in the form of OpenAI's interface: JPEG bytes as data: URLs."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from emotrain.records import Frame


def inline_jpeg(jpeg: bytes) -> dict[str, Any]:
    """A picture as a part of a message."""
    return {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"}}


def with_pictures(messages: Sequence[dict[str, Any]], frames: Sequence[Frame]) -> list[dict[str, Any]]:
    """Messages whose `{"type": "image"}` parts are the pictures of `frames`, in their order."""
    waiting = iter(frames)

    def shown(part: dict[str, Any]) -> dict[str, Any]:
        return inline_jpeg(next(waiting).image) if part["type"] == "image" else part

    return [{**message, "content": [shown(part) for part in message["content"]]} for message in messages]
