"""The stretches of time in which a face was seen. Nothing may be told across what lies between them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from emotrain.faces.records import ClipFaces, Sighting

MISSED_LOOKS = 1
"""So many looks in a row may miss a face that is seen before and after them, if they last no longer than `MISSED_S`."""

MISSED_S = 0.45

LONGEST_S = 1.5
"""Nothing is bridged that is longer, looked at or not: files may leave out the frames without a face."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From sighting `first` to sighting `last` (numbers in order of time), told as seen from `start_s` to `end_s`."""

    first: int
    last: int
    start_s: float
    end_s: float


def stretches(clip: ClipFaces, sightings: Sequence[Sighting]) -> list[Stretch]:
    """The stretches of one track, in order.

    Between a sighting and the edge of its shot nothing was looked at where the next look lies beyond that edge: the
    stretch reaches to the edge. Where the next look missed the face, the stretch ends with the last sighting.
    """
    looks = clip.looks_s
    number = {time: index for index, time in enumerate(looks)}
    edges = (0.0, *clip.cuts_s, float("inf"))
    found: list[Stretch] = []
    first = 0
    for i, sighting in enumerate(sightings):
        following = sightings[i + 1] if i + 1 < len(sightings) else None
        if following is not None and not _broken(sighting, following, number):
            continue
        start, end = sightings[first].time_s, sighting.time_s
        opens, closes = edges[sighting.shot], edges[sighting.shot + 1]
        at = number[start]
        if at == 0 or looks[at - 1] < opens:
            start = opens
        at = number[end]
        if at + 1 == len(looks) or looks[at + 1] >= closes:
            # The last frame before the cut is the last one that the face can be in.
            end = clip.end_s if closes > clip.end_s else max(end, closes - 1e-6)
        found.append(Stretch(first, i, start, end))
        first = i + 1
    return found


def _broken(before: Sighting, after: Sighting, number: dict[float, int]) -> bool:
    missed = number[after.time_s] - number[before.time_s] - 1
    return (
        after.shot != before.shot
        or after.time_s - before.time_s > LONGEST_S
        or missed > MISSED_LOOKS
        or (missed > 0 and after.time_s - before.time_s > MISSED_S)
    )


def shot_at(cuts_s: Sequence[float], time_s: float) -> int:
    """Number of the shot that is shown at `time_s`."""
    return bisect_left(cuts_s, time_s + 1e-9)
