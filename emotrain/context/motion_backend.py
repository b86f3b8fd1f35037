"""The default summariser: motion facts from optical flow over all frames, no weights, under a millisecond a frame.

With `cues` the facts come from action-unit intensities that OpenFace, py-feat or LibreFace measured, instead of flow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from emotrain.context.facs_words import check_language
from emotrain.context.retell import told
from emotrain.emotions import nearest
from emotrain.motion.action_units import TEMPLATES
from emotrain.motion.clip_events import ClipEvents
from emotrain.motion.cue_events import cue_events
from emotrain.motion.cues import cues_fingerprint, read_cues
from emotrain.motion.long_clips import events_of_frames
from emotrain.motion.spotting import SpotSettings
from emotrain.records import Clip, Gap, Summary
from emotrain.video.face_boxes import FaceBoxes
from emotrain.video.frame_settings import Crop, read_frames_header

VERSION = 3
"""Raised whenever the same clip would give another text, so that old and new summaries never mix."""


@dataclass(frozen=True, slots=True)
class MotionSummarizer:
    """Decodes the clip in grey, spots its events and tells each in the gap of its apex.

    `crop` is the part of the frame that holds the face, as in the frames stage; box-from-annotation takes it from
    `boxes`. `spotting` are thresholds; a recipe gives a mapping of those that differ. `cues` is a CSV file, or a folder
    of them, to read intensities from; the video is then not decoded.
    """

    spotting: SpotSettings | Mapping[str, Any] = field(default_factory=SpotSettings)
    blinks: bool = False
    crop: Crop = "none"
    boxes: FaceBoxes | None = None
    cues: str | None = None
    language: str = "en"
    name: str = "motion"

    def __post_init__(self) -> None:
        check_language(self.language)
        if not isinstance(self.spotting, SpotSettings):
            object.__setattr__(self, "spotting", _thresholds(self.spotting))

    @property
    def _spot(self) -> SpotSettings:
        assert isinstance(self.spotting, SpotSettings)
        return self.spotting

    def settings(self) -> Mapping[str, Any]:
        """Version, thresholds, and the hashes of the action-unit templates, the face boxes and the cue files.

        Raises FileNotFoundError when `cues` does not exist.
        """
        return {
            "version": VERSION,
            "templates": blake2b(TEMPLATES.read_bytes(), digest_size=8).hexdigest(),
            "blinks": self.blinks,
            "language": self.language,
            "spotting": asdict(self._spot),
            "crop": self.crop,
            "boxes_fingerprint": None if self.boxes is None else self.boxes.fingerprint(),
            "cues_fingerprint": None if self.cues is None else cues_fingerprint(Path(self.cues)),
        }

    def cropped_as(self, data: Path) -> MotionSummarizer:
        """This summariser looking at the part of the frame that the frames in `data` were cut to.

        Raises ValueError when the face boxes are no longer those that the frames were made with.
        """
        found = None if self.cues is not None else read_frames_header(data)
        if found is None:
            return self
        crop = found["settings"].get("crop", "none")
        if crop != "box-from-annotation":
            return replace(self, crop=crop)
        boxes = FaceBoxes(data / "boxes.parquet")
        if boxes.fingerprint() != found.get("boxes_fingerprint"):
            raise ValueError(
                f"{boxes.path}: the face boxes have changed since {data / 'frames'} was made; run "
                "data_prep/extract_frames.py again first"
            )
        return replace(self, crop=crop, boxes=boxes)

    def summarize(self, clip: Clip, video: Path, gaps: Sequence[Gap]) -> list[Summary]:
        """One summary a gap; raises ClipError when the video, its face box or its cues cannot be read."""
        seen = self._seen(clip, video)
        events = [*seen.events, *seen.blinks] if self.blinks else seen.events
        return told(events, seen.cuts_s, gaps, self.name, self.language)

    def _seen(self, clip: Clip, video: Path) -> ClipEvents:
        if self.cues is not None:
            return cue_events(read_cues(Path(self.cues), clip, video), self._spot)

        from emotrain.motion.face_motion import SIZE
        from emotrain.video.decode import open_clip

        with open_clip(video, fps=clip.fps) as reader:
            if self.crop == "centre":
                reader.box = "centre"
            elif self.boxes is not None:
                reader.box = self.boxes.of(clip.clip_id)
            return events_of_frames(reader.grey_frames(SIZE), self._spot)


def _thresholds(given: object) -> SpotSettings:
    """Spotting thresholds of a recipe, those left out as tuned; ValueError for an unknown name or no number above 0."""
    if not isinstance(given, Mapping):
        raise ValueError(f"spotting: {given!r}: expected thresholds by name, as in {{hold_threshold: 5.0}}")
    tuned = asdict(SpotSettings())
    for name, value in given.items():
        if name not in tuned:
            raise ValueError(f"spotting: unknown threshold {name!r}; {nearest(str(name), tuned)}")
        whole = isinstance(tuned[name], int)
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not value > 0:
            raise ValueError(f"spotting: {name}: {value!r}; expected a {'whole ' if whole else ''}number above 0")
    return SpotSettings(**{**tuned, **given})
