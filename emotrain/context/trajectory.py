"""The clip in one line: which part of the face moved first, how fast the strongest change rose, its peak, its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emotrain.records import Summary


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The course of a clip's visible change, in seconds on the clip's time line.

    `order` names the parts that moved, in order of their onset, each once. `relaxed_s` is None when the strongest
    change still held at the end of the clip.
    """

    order: tuple[str, ...]
    rise_s: float
    peak_s: float
    relaxed_s: float | None
    changes: int


_AT_END_S = 0.05
"""An offset this close to the end of the clip was cut off by it, not reached."""


def trajectory(summaries: Sequence[Summary], parts: int = 3) -> Trajectory | None:
    """The course over all gaps of a clip, from the first `parts` parts on; None when no gap has events."""
    events = sorted((event for summary in summaries for event in summary.events), key=lambda event: event.onset_s)
    if not events:
        return None
    peak = max(events, key=lambda event: (event.strength, -event.onset_s))
    order = tuple(dict.fromkeys(part_of(event.regions[0]) for event in events if event.regions))[:parts]
    end_s = max(summary.end_s for summary in summaries)
    relaxed_s = None if peak.offset_s >= end_s - _AT_END_S else peak.offset_s
    return Trajectory(order, max(peak.apex_s - peak.onset_s, 0.0), peak.apex_s, relaxed_s, len(events))


def part_of(region: str) -> str:
    """The part of the face that a region's name speaks of: "left outer brow" is "brow"."""
    words = region.split()
    return "mouth" if words[-1] in ("corner", "lip") else "brow" if words[-1] == "glabella" else words[-1]
