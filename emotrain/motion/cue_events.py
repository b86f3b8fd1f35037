"""Events from action-unit intensities that another tool measured: the same records, and so the same words, as from
flow. Regions and strength follow from the templates of `video.action_units`: what such intensities would move."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emotrain.faces.path import FacePath
from emotrain.motion.action_units import shown
from emotrain.motion.clip_events import TUNED, ClipEvents
from emotrain.motion.courses import course, extent, inside_another, smooth
from emotrain.motion.cues import Cues
from emotrain.motion.face_regions import Floats
from emotrain.motion.readable import readable, unread
from emotrain.motion.spotting import SpotSettings, blinks, strongest_regions
from emotrain.records import Event, Unread

BIAS = 0.3
"""The most that is taken off a unit as this person's bias; what lies above it all clip long is a held expression."""

QUIET_SHARE = 0.1
"""The share of the frames that a unit is taken to rest in, when its bias is measured."""


HOLE_S, HOLE_STEPS = 0.2, 3
"""Rows further apart than this, and than so many usual steps, have unseen time between them."""


def cue_events(cues: Cues, settings: SpotSettings = TUNED, path: FacePath | None = None) -> ClipEvents:
    """Events and blinks of a clip; cues know of no cuts, a `path` knows when the face can be read.

    An event begins where a unit passes the tool's `present` level above its own bias, and holds every unit that is
    there with `unit_share` of the strongest. Unit 45 makes blinks and no events. Time is walked, not rows: nothing is
    told across time in which the tool saw no face.
    """
    if len(cues.times_s) == 0:
        return ClipEvents((), (), ())
    bias = np.minimum(np.quantile(cues.intensity, QUIET_SHARE, axis=0), BIAS)
    runs = _runs(cues.times_s, path)
    events: list[Event] = []
    blinked: list[Event] = []
    for run in runs:
        part = replace(cues, times_s=cues.times_s[run], intensity=cues.intensity[run])
        found, shut = _of_run(part, bias, settings)
        events += found
        blinked += shut
    if path is not None:
        hidden = unread(path, float(cues.times_s[-1]))
    else:
        ends = [(float(cues.times_s[a[-1]]), float(cues.times_s[b[0]])) for a, b in pairwise(runs)]
        hidden = [Unread(start_s, end_s, "unseen") for start_s, end_s in ends]
    told, closed = (readable(sorted(kind, key=lambda e: e.onset_s), hidden) for kind in (events, blinked))
    return ClipEvents(tuple(told), tuple(closed), (), tuple(hidden))


def _runs(times_s: NDArray[np.float64], path: FacePath | None) -> list[NDArray[np.intp]]:
    """Rows that follow each other without a hole, and within one stretch of the path."""
    steps = np.diff(times_s)
    hole = max(HOLE_S, HOLE_STEPS * float(np.median(steps))) if len(steps) else HOLE_S
    runs = np.split(np.arange(len(times_s)), np.flatnonzero(steps > hole) + 1)
    if path is None:
        return runs
    parts = [run[(times_s[run] >= start) & (times_s[run] <= end)] for run in runs for start, end in path.seen]
    return [part for part in parts if len(part)]


def _of_run(cues: Cues, bias: Floats, settings: SpotSettings) -> tuple[list[Event], list[Event]]:
    change = smooth(np.maximum(cues.intensity - bias, 0).astype(np.float32))
    told = [column for column, unit in enumerate(cues.units) if unit != "45"]
    left = change[:, told] / np.float32(cues.present)
    events: list[Event] = []
    for _ in range(settings.most if told else 0):
        apex = int(left.max(1).argmax())
        if left[apex].max() < 1:
            break
        strength = course(left, apex)
        first, last, onset_s, offset_s = extent(strength, apex, cues.times_s)
        inside = slice(first, last + 1)
        if offset_s - onset_s >= settings.shortest_s and not inside_another(onset_s, offset_s, events):
            events.append(_event(cues, change, strength, inside, onset_s, offset_s, settings))
        left[inside] = 0.0
    return events, blinks(change[:, cues.units.index("45")], cues.times_s, settings) if "45" in cues.units else []


def _event(
    cues: Cues,
    change: Floats,
    strength: Floats,
    inside: slice,
    onset_s: float,
    offset_s: float,
    settings: SpotSettings,
) -> Event:
    there = strength[inside]
    top = np.flatnonzero(there > 0.9 * there.max()) + inside.start
    peak = dict(zip(cues.units, np.median(change[top], axis=0).tolist()))
    strongest = max(value for unit, value in peak.items() if unit != "45")
    least = max(settings.unit_threshold, settings.unit_share * strongest)
    units = sorted((unit for unit in peak if unit != "45" and peak[unit] >= least), key=_number)
    regions, most = strongest_regions(shown({unit: peak[unit] for unit in units}), settings.region_share)
    return Event(onset_s, float(cues.times_s[top].mean()), offset_s, regions, tuple(units), most)


def _number(unit: str) -> int:
    return int(unit.lstrip("LR"))
