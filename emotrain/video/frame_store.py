"""Extracted frames by clip id, wherever they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from emotrain.records import Frame, from_table
from emotrain.stages.clip_parts import ClipParts


class Frames(Protocol):
    """Where the frames of clips can be looked up; `FrameStore` is the one on disk."""

    def frames(self, clip_id: str) -> list[Frame]:
        """All frames of a clip in time order; KeyError says why a clip has none."""

    def keyframes(self, clip_id: str) -> list[Frame]:
        """The keyframes of a clip in time order."""


class FrameStore:
    """The frames in one `frames/` folder, with their JPEG bytes (see clip_parts.py for what a look-up costs)."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._parts = ClipParts(self.folder, "data_prep/extract_frames.py")

    def frames(self, clip_id: str) -> list[Frame]:
        """All stored frames of a clip in time order; KeyError says why a clip has none."""
        return from_table(self._parts.rows(clip_id), Frame)

    def keyframes(self, clip_id: str) -> list[Frame]:
        """The keyframes of a clip in time order."""
        return [frame for frame in self.frames(clip_id) if frame.role == "keyframe"]

    def between(self, clip_id: str) -> dict[int, list[Frame]]:
        """The in-between frames of a clip by gap: gap k precedes keyframe k, gap K follows the last."""
        gaps: dict[int, list[Frame]] = {}
        for frame in self.frames(clip_id):
            if frame.gap is not None:
                gaps.setdefault(frame.gap, []).append(frame)
        return gaps

    def clip_ids(self) -> Iterator[str]:
        """Ids of all clips that have frames, part by part."""
        return self._parts.clip_ids()

    def __contains__(self, clip_id: str) -> bool:
        return clip_id in self._parts
