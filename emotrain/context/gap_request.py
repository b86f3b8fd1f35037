"""What a back end that looks at pictures is shown of a gap: the keyframe before it and the frames inside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emotrain.clip_errors import ClipError
from emotrain.context.gaps import gaps_of
from emotrain.records import Clip, Frame, Gap
from emotrain.video.frame_store import Frames


@dataclass(frozen=True, slots=True)
class GapRequest:
    """A gap with its pictures in time order. `before` is the keyframe that changes are told relative to; the lead-in
    has none, and its first frame takes that part."""

    gap: Gap
    before: Frame | None
    frames: tuple[Frame, ...]

    @property
    def key(self) -> tuple[str, int]:
        """Clip id and number of the gap."""
        return self.gap.clip_id, self.gap.gap

    @property
    def pictures(self) -> tuple[Frame, ...]:
        """Every frame that is shown, in time order."""
        return self.frames if self.before is None else (self.before, *self.frames)


def clip_gaps(clip: Clip, frames: Sequence[Frame]) -> list[Gap]:
    """The gaps of a clip between its stored keyframes; raises ClipError when it has none.

    The end of the clip is its length in the index, or its last stored frame when that is later or the index has none.
    """
    keys = [frame.time_s for frame in frames if frame.role == "keyframe"]
    if not keys:
        raise ClipError("no keyframe is stored for this clip; run data_prep/extract_frames.py")
    end_s = max(clip.duration_s or 0.0, frames[-1].time_s)
    return gaps_of(clip.clip_id, keys, end_s)


def gap_requests(clip: Clip, store: Frames) -> list[GapRequest]:
    """One request for each gap of the clip that holds in-between frames; the others have nothing to be asked about.

    Raises ClipError when the clip has no frames, and ValueError when the frames stage stored no in-between frame.
    """
    frames = _stored(clip, store)
    gaps = clip_gaps(clip, frames)
    keys = [frame for frame in frames if frame.role == "keyframe"]
    inside: dict[int, list[Frame]] = {}
    for frame in frames:
        if frame.gap is not None:
            inside.setdefault(frame.gap, []).append(frame)
    if not inside and any(gap.end_s > gap.start_s for gap in gaps[1:-1]):
        raise ValueError(
            f"clip {clip.clip_id!r} has stored keyframes only and this back end looks at what lies between them; "
            "extract frames with --between 4 (recipe key `between: 4`) into another data folder"
        )
    return [
        GapRequest(gap, keys[gap.gap - 1] if gap.gap > 0 else None, tuple(inside[gap.gap]))
        for gap in gaps
        if gap.gap in inside
    ]


def _stored(clip: Clip, store: Frames) -> list[Frame]:
    try:
        return store.frames(clip.clip_id)
    except KeyError as error:
        raise ClipError(f"no frames to summarise: {error.args[0]}") from error
