"""When a face that is followed can be read by its motion: seen, not turned far aside, and large enough."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emotrain.faces.path import FacePath
from emotrain.records import Event, Unread, Why

TURNED_DEG = 30.0
"""A head turned further aside hides half of the face, and what moves on it is the head."""

SMALL_PX = 24.0
"""With the eyes closer than this in the frame, a brow's motion is less than what flow can tell from noise."""


def unread(path: FacePath, end_s: float) -> list[Unread]:
    """The stretches of a clip of `end_s` seconds in which nothing is told of the face, in order."""
    edges = [0.0, *(edge for stretch in path.seen for edge in stretch), end_s]
    found = [Unread(a, b, "unseen") for a, b in zip(edges[::2], edges[1::2]) if b - a > 1e-3]
    for bad, why in ((np.abs(path.yaw_deg) > TURNED_DEG, "turned"), (path.eye_distance_px < SMALL_PX, "small")):
        found += _runs(path, bad, why)  # type: ignore[arg-type]
    return sorted(found, key=lambda part: (part.start_s, part.end_s))


def readable(events: Sequence[Event], unread: Sequence[Unread]) -> list[Event]:
    """The events that lie outside of what could not be read."""
    return [event for event in events if not any(_overlap(event, part) for part in unread)]


def _overlap(event: Event, part: Unread) -> bool:
    return event.onset_s < part.end_s and part.start_s < event.offset_s


def _runs(path: FacePath, bad: NDArray[np.bool_], why: Why) -> list[Unread]:
    """Runs of bad sightings within one stretch, each reaching half way to its neighbours."""
    found = []
    for start_s, end_s in path.seen:
        inside = np.flatnonzero((path.times_s >= start_s) & (path.times_s <= end_s))
        if not len(inside):
            continue
        times = path.times_s[inside]
        borders = [start_s, *((a + b) / 2 for a, b in pairwise(times.tolist())), end_s]
        flags = np.concatenate([[False], bad[inside], [False]]).astype(int)
        turns = np.flatnonzero(np.diff(flags))
        found += [Unread(borders[a], borders[b], why) for a, b in zip(turns[::2], turns[1::2])]
    return found
