"""The default summariser: motion facts from optical flow over all frames, no weights, about a millisecond a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from emotrain.context.facs_words import describe
from emotrain.context.gaps import events_by_gap
from emotrain.records import Clip, Gap, Summary
from emotrain.video.action_units import TEMPLATES
from emotrain.video.spotting import SpotSettings

VERSION = 1
"""Raised whenever the same clip would give another text, so that old and new summaries never mix."""


@dataclass(frozen=True, slots=True)
class MotionSummarizer:
    """Decodes the clip in grey, spots its events and tells each in the gap of its apex."""

    spotting: SpotSettings = field(default_factory=SpotSettings)
    blinks: bool = False
    name: str = "motion"

    def settings(self) -> Mapping[str, Any]:
        """Version, thresholds and the hash of the action-unit templates."""
        templates = blake2b(TEMPLATES.read_bytes(), digest_size=8).hexdigest()
        return {"version": VERSION, "templates": templates, "blinks": self.blinks, "spotting": asdict(self.spotting)}

    def summarize(self, clip: Clip, video: Path, gaps: Sequence[Gap]) -> list[Summary]:
        """One summary a gap; raises ClipError when the video cannot be decoded."""
        from emotrain.video.decode import open_clip
        from emotrain.video.motion import SIZE, face_motion
        from emotrain.video.spotting import spot

        with open_clip(video, fps=clip.fps) as reader:
            grey = reader.grey(SIZE)
            times_s = reader.times_s
        events, blinks = spot(face_motion(grey, times_s), self.spotting)
        told = events_by_gap([*events, *blinks] if self.blinks else events, gaps)
        return [
            Summary(
                clip.clip_id, gap.gap, gap.start_s, gap.end_s, describe(of_gap), bool(of_gap), self.name, tuple(of_gap)
            )
            for gap, of_gap in zip(gaps, told)
        ]
