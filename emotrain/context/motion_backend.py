"""The default summariser: motion facts from optical flow over all frames, no weights, under a millisecond a frame.

With `cues` the facts come from action-unit intensities that OpenFace, py-feat or LibreFace measured, instead of flow;
with `evidence: blendshapes` from what a network sees in each frame. `evidence: both` takes what is over within half a
second from flow, which sees it earlier and smaller, and what lasts from blendshapes, which no head motion imitates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from emotrain.context.facs_times import within
from emotrain.context.facs_words import check_language
from emotrain.context.retell import told
from emotrain.context.thresholds import read_thresholds
from emotrain.emotions import nearest
from emotrain.face_layout import ALIGNED_CROP
from emotrain.faces.framing import framing_of
from emotrain.faces.landmarker import Landmarker
from emotrain.faces.path import FacePath
from emotrain.motion.action_units import TEMPLATES
from emotrain.motion.blendshapes import CROP, blendshape_cues
from emotrain.motion.clip_events import ClipEvents
from emotrain.motion.cue_events import cue_events
from emotrain.motion.cues import cues_fingerprint, read_cues
from emotrain.motion.long_clips import events_of_frames
from emotrain.motion.spotting import SpotSettings
from emotrain.records import Clip, Gap, Summary, Unread
from emotrain.video.frame_settings import read_frames_header
from emotrain.video.framing import Crop, Fixed, Followed, Framing, Look
from emotrain.video.reader import ClipReader

EVIDENCE = ("flow", "blendshapes", "both")

FAST_S = 0.5
"""An event of at most this length is a fast one: the bound of micro-expressions (Yan et al. 2013)."""

VERSION = 4
"""Raised whenever the same clip would give another text, so that old and new summaries never mix."""


@dataclass(frozen=True, slots=True)
class MotionSummarizer:
    """Decodes the clip in grey, spots its events and tells each in the gap of its apex.

    `crop` and `framing` say what of the frame is read, as in the frames stage. `cues` is a CSV file, or a folder of
    them, to read intensities from; the video is then not decoded.
    """

    spotting: SpotSettings | Mapping[str, Any] = field(default_factory=SpotSettings)
    blinks: bool = False
    crop: Crop = "none"
    framing: Framing = field(default_factory=Fixed)
    cues: str | None = None
    evidence: str = "flow"
    language: str = "en"
    name: str = "motion"

    def __post_init__(self) -> None:
        check_language(self.language)
        if self.evidence not in EVIDENCE:
            raise ValueError(f"evidence: {self.evidence!r}; {nearest(str(self.evidence), EVIDENCE)}")
        if self.cues is not None and self.evidence != "flow":
            raise ValueError(f"evidence: {self.evidence}, but cues: {self.cues} is the evidence; remove one of the two")
        if not isinstance(self.spotting, SpotSettings):
            read = read_thresholds("spotting", self.spotting, SpotSettings(), "{hold_threshold: 5.0}")
            object.__setattr__(self, "spotting", read)

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
            "boxes_fingerprint": self.framing.fingerprint(),
            "cues_fingerprint": None if self.cues is None else cues_fingerprint(Path(self.cues)),
            "evidence": self.evidence,
            "landmarker": None if self.evidence == "flow" else Landmarker().digest(),
        }

    def cropped_as(self, data: Path) -> MotionSummarizer:
        """This summariser looking at the part of the frame that the frames in `data` were cut to.

        Raises ValueError when the face boxes, or the faces, are no longer those that the frames were made with.
        """
        found = read_frames_header(data)
        if found is None:
            return self
        crop = found["settings"].get("crop", "none")
        if self.cues is not None and crop != "face":
            return self
        framing = framing_of(data, crop)
        if framing.fingerprint() != found.get("boxes_fingerprint"):
            raise ValueError(
                f"{data}: the faces or face boxes have changed since {data / 'frames'} was made; run "
                "data_prep/extract_frames.py again first"
            )
        return replace(self, crop=crop, framing=framing)

    def looking(self, framing: Framing) -> MotionSummarizer:
        """This summariser looking at what `framing` says of each clip."""
        return replace(self, framing=framing)

    def summarize(self, clip: Clip, video: Path, gaps: Sequence[Gap]) -> list[Summary]:
        """One summary a gap; raises ClipError when the video, its face box or its cues cannot be read."""
        look = self.framing.of(clip)
        seen = self.seen(clip, video, look)
        events = [*seen.events, *seen.blinks] if self.blinks else seen.events
        if not isinstance(look, Followed):
            return told(events, seen.cuts_s, gaps, self.name, self.language, unread=seen.unread)
        summaries = told(events, look.cuts_s, gaps, self.name, self.language, unread=seen.unread)
        return [replace(summary, seen_share=seen_share(seen.unread, summary)) for summary in summaries]

    def seen(self, clip: Clip, video: Path, look: Look) -> ClipEvents:
        """What the chosen evidence tells of a clip of which `look` is read; raises ClipError as `summarize` does."""
        path = look.path if isinstance(look, Followed) else None
        if self.cues is not None:
            return cue_events(read_cues(Path(self.cues), clip, video), self._spot, path)

        from emotrain.video.decode import open_clip

        with open_clip(video, fps=clip.fps) as reader:
            reader.look = look
            if self.evidence == "flow":
                return self._flow(reader, path)
            layout = path.layout if path is not None else ALIGNED_CROP
            cues = blendshape_cues(reader.colour_frames(CROP), layout, Landmarker())
            slow = cue_events(cues, self._spot, path)
            return slow if self.evidence == "blendshapes" else both(self._flow(reader, path), slow)

    def _flow(self, reader: ClipReader, path: FacePath | None) -> ClipEvents:
        from emotrain.motion.face_motion import SIZE

        return events_of_frames(reader.grey_frames(SIZE), self._spot, path=path)


def both(flow: ClipEvents, blendshapes: ClipEvents) -> ClipEvents:
    """Fast events of the one and lasting ones of the other. A fast change inside a lasting one is told beside it."""
    fast = [event for event in flow.events if event.offset_s - event.onset_s <= FAST_S]
    slow = [event for event in blendshapes.events if event.offset_s - event.onset_s > FAST_S]
    return replace(flow, events=tuple(sorted([*fast, *slow], key=lambda event: event.onset_s)))


def seen_share(unread: Sequence[Unread], gap: Summary) -> float:
    """The share of a gap's time in which the face was seen; 1 for a gap without length in which it was."""
    length = gap.end_s - gap.start_s
    hidden = within([part for part in unread if part.why == "unseen"], gap.start_s, gap.end_s)
    return 1.0 - min(1.0, sum(part.end_s - part.start_s for part in hidden) / length) if length > 0 else 1.0
