"""When a face changes: onset, apex and offset of every visible event in the motion tracks of one clip.

What rises and falls again within a second is sought first, against a running median; what lasts comes after it, against
the face at rest, and takes the place of a burst only where it explains it: a burst on top of a hold stays. Each
candidate is told with the confidence that it is one of the face. Blinks are found in the eyes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emotrain.motion import confidence
from emotrain.motion.action_units import (
    closure,
    features,
    intensities,
    named,
    unexplained,
    unit_thresholds,
)
from emotrain.motion.candidates import Candidate, bursts, energy, holds, quick, slow
from emotrain.motion.courses import Times, running_median, smooth, step_s
from emotrain.motion.face_motion import FaceMotion
from emotrain.motion.face_regions import REGIONS, Floats
from emotrain.records import Event


@dataclass(frozen=True, slots=True)
class SpotSettings:
    """What counts as an event. Thresholds were tuned on drawn clips; benchmarks/motion_events.py reports on others.

    An event is told from `least_confidence` on, and when the three parts that move most do so by `least_motion`
    percent of the eye distance. `burst_threshold` and `hold_threshold` are how far a candidate must stand out, in noise
    units, that is over within `burst_s` or lasts longer; bursts are sought after a running median of `detrend_s` has
    been taken off, holds against a rest that may drift in `rest_s`. A hold lasts `hold_s`, unless the clip's
    end cuts it off. It takes the place of a burst inside it that
    moves less than its `riding_share`. A unit is named from an intensity of `unit_threshold`, of `unit_share` of the
    strongest unit and of `unit_errors` standard errors; a region from `region_share` of the strongest region's motion.
    What is over in less than `shortest_s` and three frames is noise. `edge_s` is the time at either end of a clip that
    is taken for rest, `blink_intensity` the closure that is a blink, `most` the most events in four seconds.
    """

    least_confidence: float = 0.5
    least_motion: float = 0.35
    hold_threshold: float = 5.0
    burst_threshold: float = 6.0
    burst_s: float = 1.0
    hold_s: float = 0.5
    detrend_s: float = 1.1
    rest_s: float = 8.0
    riding_share: float = 0.8
    unit_threshold: float = 0.15
    unit_share: float = 0.25
    unit_errors: float = 2.2
    region_share: float = 0.4
    shortest_s: float = 0.1
    edge_s: float = 0.1
    blink_intensity: float = 0.5
    most: int = 8


LEAST_FRAMES = 3
"""A burst that this many frames show is told even if it is shorter than `shortest_s`: at 50 frames/s a change of a
tenth of a second measures a little less."""

_MOVING = slice(0, 2 * len(REGIONS))


def spot(motion: FaceMotion, settings: SpotSettings = SpotSettings()) -> tuple[list[Event], list[Event]]:
    """The events of a clip and, apart from them, its blinks (action unit 45), each in order of onset."""
    tracks, times_s = smooth(features(motion)), motion.times_s
    fast = quick(motion, settings.detrend_s)
    change = tracks - rest_state(tracks, times_s, fast.noise, settings)
    lasting = slow(change[:, _MOVING], motion, fast.noise)
    most = settings.most * max(1, round((times_s[-1] - times_s[0]) / 4))
    shortest_s = min(settings.shortest_s, LEAST_FRAMES * step_s(times_s))
    brief = [
        (one, sure)
        for one in bursts(fast, times_s, settings.burst_threshold, most)
        if shortest_s <= one.length_s <= settings.burst_s and _told(one, sure := confidence.of_burst(one), settings)
    ]
    long = [
        (one, sure)
        for one in holds(lasting, times_s, settings.hold_threshold, most)
        if (one.length_s >= settings.hold_s or one.last == len(times_s) - 1 or one.first == 0)
        and _told(one, sure := confidence.of_hold(one), settings)
    ]
    brief, long = together(brief, long, settings)
    jumps = tracks - running_median(tracks, times_s, settings.detrend_s) if brief else change
    events = [_event(change, one, sure, settings) for one, sure in long]
    events += [_event(jumps, one, sure, settings) for one, sure in brief]
    return sorted(events, key=lambda event: event.onset_s), blinks(closure(change), times_s, settings)


Sure = tuple[Candidate, float]


def _told(one: Candidate, sure: float, settings: SpotSettings) -> bool:
    return one.motion >= settings.least_motion and sure >= settings.least_confidence


def together(brief: Sequence[Sure], long: Sequence[Sure], settings: SpotSettings) -> tuple[list[Sure], list[Sure]]:
    """Bursts and holds that are told side by side: of a burst and a hold that show the same change, one stays."""
    kept = list(brief)
    holding: list[Sure] = []
    for hold, sure in long:
        inside = [b for b, _ in kept if b.overlap_s(hold) > 0.3 * b.length_s]
        if inside and not _lasts(hold, inside):
            continue
        weak = {id(b) for b in inside if b.motion < settings.riding_share * hold.motion}
        kept = [(b, s) for b, s in kept if id(b) not in weak]
        holding.append((hold, sure))
    return kept, holding


def _lasts(hold: Candidate, inside: Sequence[Candidate]) -> bool:
    """Whether a hold is there for long without the bursts inside it."""
    strength = hold.strength[hold.first : hold.last + 1] > 0.5
    free = strength.copy()
    for burst in inside:
        free[max(burst.first - hold.first - 1, 0) : max(burst.last - hold.first + 2, 0)] = False
    return bool(free.sum() > 0.5 * strength.sum()) or hold.motion > 2 * max(b.motion for b in inside)


def rest_state(tracks: Floats, times_s: Times, noise: Floats, settings: SpotSettings) -> Floats:
    """The face at rest, (T, F): what an event departs from and returns to; `noise` (34,) is that of quick changes."""
    if times_s[-1] - times_s[0] > settings.rest_s:
        return running_median(tracks, times_s, settings.rest_s)
    edge = max(1, int(np.searchsorted(times_s, times_s[0] + settings.edge_s)))
    start, end = np.median(tracks[:edge], axis=0), np.median(tracks[-edge:], axis=0)
    step = end - start
    still = FaceMotion.still(2)
    if energy(slow(np.stack([step, step])[:, _MOVING], still, noise).scaled)[0] >= settings.hold_threshold:
        # The clip begins or ends inside an expression; the end that is at rest is the one the other departs from.
        rest = start if unexplained(step) <= unexplained(-step) else end
        return np.broadcast_to(rest, tracks.shape)
    share = ((times_s - times_s[0]) / max(times_s[-1] - times_s[0], 1e-9))[:, None]
    return (start + step * share).astype(np.float32)


def _event(change: Floats, one: Candidate, sure: float, settings: SpotSettings) -> Event:
    """Regions and units of a candidate, at its height."""
    peak = np.median(change[one.top], axis=0)
    found = intensities(peak)
    least = unit_thresholds(found, settings.unit_threshold, settings.unit_share, settings.unit_errors)
    regions, most = strongest_regions(peak, settings.region_share)
    return Event(one.onset_s, one.apex_s, one.offset_s, regions, named(found, least), most, round(sure, 3))


def strongest_regions(change: Floats, share: float) -> tuple[tuple[str, ...], float]:
    """Regions that move at least `share` as far as the one that moves farthest in `change` (F,), and how far that is,
    in percent of the inter-ocular distance; farthest first."""
    moved = np.hypot(change[: 2 * len(REGIONS) : 2], change[1 : 2 * len(REGIONS) : 2])
    strong = [REGIONS[r] for r in np.argsort(-moved, kind="stable") if moved[r] >= share * moved.max()]
    return tuple(strong), float(moved.max())


def blinks(closed: Floats, times_s: Times, settings: SpotSettings) -> list[Event]:
    """Closures of both eyes that are over within half a second."""
    level = closed - np.median(closed)
    shut = np.concatenate([[0], (level > settings.blink_intensity / 2).astype(int), [0]])
    above = np.flatnonzero(np.diff(shut))
    found = []
    for first, stop in zip(above[::2], above[1::2]):
        start_s, end_s, peak = float(times_s[first]), float(times_s[stop - 1]), float(level[first:stop].max())
        if peak >= settings.blink_intensity and end_s - start_s <= 0.5:
            apex_s = float(times_s[first + int(level[first:stop].argmax())])
            found.append(Event(start_s, apex_s, end_s, ("left upper lid", "right upper lid"), ("45",), peak))
    return found
