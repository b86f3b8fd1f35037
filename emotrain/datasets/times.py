"""Annotated onset, apex and offset held against the clip they are of: seconds from its first frame, in this order.

Whoever knows a clip's length asks here: the index for image folders and probed videos, the frames stage for all.
"""

from __future__ import annotations

import math
from dataclasses import replace

from emotrain.datasets.reading import Reading
from emotrain.records import Clip

MARKS = ("onset_s", "apex_s", "offset_s")
SLACK_S = 0.1
"""By how much a mark may pass the end: annotators round, and the last frame lasts a while."""


def is_timed(clip: Clip) -> bool:
    """True for a clip with an annotated time and no known length to hold it against."""
    return clip.duration_s is None and any(getattr(clip, name) is not None for name in MARKS)


def outside(clip: Clip, duration_s: float, fps: float | None = None) -> str | None:
    """Which marks lie outside a clip of `duration_s`, in words, with the unit in which they would fit, or None."""
    marks = {name: value for name in MARKS if (value := getattr(clip, name)) is not None}
    if all(-SLACK_S <= value <= duration_s + SLACK_S for value in marks.values()):
        return None
    said = ", ".join(f"{name.removesuffix('_s')} {value:g} s" for name, value in marks.items())
    units = {"milliseconds": 1000.0, "frames": fps if fps is not None else clip.fps}
    largest, least = max(marks.values()), min(marks.values())
    fitting = [unit for unit, a_second in units.items() if a_second and largest / a_second <= duration_s + SLACK_S]
    hint = ""
    if fitting and least >= 0:
        unit = fitting[0] if largest > 100 * duration_s or len(fitting) == 1 else fitting[-1]
        column = "onset_ms" if unit == "milliseconds" else "onset_frame"
        hint = f"; they would fit in {unit}: call the columns {column}, ... if that is what they are"
    return f"{said} lie outside the clip, which lasts {duration_s:.2f} s{hint}"


def check_times(reading: Reading) -> None:
    """Drop marks that leave their clip or contradict each other, with a warning that names the row."""
    reading.clips = [_checked(clip, reading) for clip in reading.clips]


def _checked(clip: Clip, reading: Reading) -> Clip:
    where = f"{reading.rows[clip.clip_id]} ({clip.clip_id})" if clip.clip_id in reading.rows else clip.clip_id
    left = outside(clip, clip.duration_s if clip.duration_s is not None else math.inf)
    if left is not None:
        reading.warn("times outside the clip", f"{where}: {left}; the times of this row were dropped")
        return replace(clip, onset_s=None, apex_s=None, offset_s=None)
    onset, apex, offset = clip.onset_s, clip.apex_s, clip.offset_s
    if onset is not None and offset is not None and offset < onset:
        reading.warn("offset before onset", f"{where}: onset {onset:g} s, offset {offset:g} s: the offset was dropped")
        clip = replace(clip, offset_s=None)
        offset = None
    early = apex is not None and onset is not None and apex < onset
    late = apex is not None and offset is not None and apex > offset
    if early or late:
        reading.warn("apex outside onset and offset", f"{where}: apex {apex:g} s: the apex was dropped")
        clip = replace(clip, apex_s=None)
    return clip
