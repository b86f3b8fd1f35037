"""The stretches of time between keyframes: K keyframes give K + 1 gaps that cover the whole time line.

Gap 0 is the lead-in before the first keyframe, gap K the lead-out after the last. An event belongs to the gap of its
apex and to no other, so that it is told once: gap k owns the times start_s <= t < end_s, the last gap also its end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from emotrain.records import Event, Gap


def gaps_of(clip_id: str, keyframe_times_s: Sequence[float], duration_s: float) -> list[Gap]:
    """The gaps of a clip of `duration_s` seconds with keyframes at `keyframe_times_s`, in time order.

    A gap may be empty (a keyframe at time 0). Raises ValueError when the keyframes are not in order, repeat, or lie
    outside the clip.
    """
    times = [float(time) for time in keyframe_times_s]
    edges = [0.0, *times, float(duration_s)]
    if any(later < earlier for earlier, later in pairwise(edges)) or len(set(times)) < len(times):
        raise ValueError(
            f"clip {clip_id!r}: keyframe times must increase within 0..{duration_s} s, found {times}; run the frames "
            "stage again if the video was replaced"
        )
    return [Gap(clip_id, k, start, end) for k, (start, end) in enumerate(pairwise(edges))]


def events_by_gap(events: Sequence[Event], gaps: Sequence[Gap]) -> list[list[Event]]:
    """The events of each gap, in order of their onset; apexes outside the clip fall to the nearest gap."""
    told: list[list[Event]] = [[] for _ in gaps]
    for event in sorted(events, key=lambda event: (event.onset_s, event.apex_s)):
        told[gap_at(event.apex_s, gaps)].append(event)
    return told


def times_by_gap(times_s: Sequence[float], gaps: Sequence[Gap]) -> list[list[float]]:
    """The moments of each gap (cuts), in order; one outside the clip falls to the nearest gap."""
    told: list[list[float]] = [[] for _ in gaps]
    for time_s in sorted(times_s):
        told[gap_at(time_s, gaps)].append(time_s)
    return told


def gap_at(time_s: float, gaps: Sequence[Gap]) -> int:
    """The place in `gaps` of the one that owns a moment; the nearest for a moment outside the clip."""
    return max(bisect_right(gaps, time_s, key=lambda gap: gap.start_s) - 1, 0)
