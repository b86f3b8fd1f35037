"""A summariser for any scene: what moves by itself in a grid of regions, told without a name for it.

It reads the video as `motion` does, and knows nothing of faces: for actions, events and whatever else a recipe asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from emotrain.context.facs_words import check_language
from emotrain.context.retell import told
from emotrain.context.thresholds import read_thresholds
from emotrain.motion.grid_motion import SIZE, GridSettings, grid_events
from emotrain.records import Clip, Gap, Summary
from emotrain.video.frame_settings import read_frames_header
from emotrain.video.framing import Crop, Fixed, Framing

VERSION = 1
"""Raised whenever the same clip would give another text."""


@dataclass(frozen=True, slots=True)
class GridSummarizer:
    """`thresholds` are those of `motion.grid_motion.GridSettings`, by name; the others keep their defaults."""

    thresholds: GridSettings | Mapping[str, Any] = field(default_factory=GridSettings)
    crop: Crop = "none"
    framing: Framing = field(default_factory=Fixed)
    language: str = "en"
    name: str = "grid"

    def __post_init__(self) -> None:
        check_language(self.language)
        if not isinstance(self.thresholds, GridSettings):
            read = read_thresholds("thresholds", self.thresholds, GridSettings(), "{least_px: 0.5}")
            object.__setattr__(self, "thresholds", read)

    def settings(self) -> Mapping[str, Any]:
        """Version, thresholds, language, crop: everything that determines the text."""
        assert isinstance(self.thresholds, GridSettings)
        thresholds = asdict(self.thresholds)
        return {"version": VERSION, "thresholds": thresholds, "language": self.language, "crop": self.crop}

    def cropped_as(self, data: Path) -> GridSummarizer:
        """This summariser, for frames that show the whole picture; raises ValueError for any other crop."""
        found = read_frames_header(data)
        crop = "none" if found is None else found["settings"].get("crop", "none")
        if crop != "none":
            raise ValueError(f"summarizer: grid reads the whole picture, and {data} has crop: {crop}; say crop: none")
        return self

    def looking(self, framing: Framing) -> GridSummarizer:
        """This summariser looking at what `framing` says of each clip."""
        return replace(self, framing=framing)

    def summarize(self, clip: Clip, video: Path, gaps: Sequence[Gap]) -> list[Summary]:
        """One summary a gap; raises ClipError when the video cannot be read."""
        from emotrain.video.decode import open_clip

        assert isinstance(self.thresholds, GridSettings)
        with open_clip(video, fps=clip.fps) as reader:
            reader.look = self.framing.of(clip)
            events = grid_events(reader.grey_frames(SIZE), self.thresholds)
        return told(events, (), gaps, self.name, self.language)
