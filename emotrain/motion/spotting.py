"""When a face changes: onset, apex and offset of every visible event in the motion tracks of one clip.

Tracks are compared with the face at rest, in units of their noise. The strongest moment is an apex; the pattern seen
there, followed through time, says when the event began and ended, whether it lasted a quarter of a second or three
seconds. The event is taken out and the search goes on with what is left. Blinks are found in the eyes alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrain.motion.action_units import (
    FEATURES,
    closure,
    features,
    intensities,
    named,
    templates,
    unexplained,
    unit_thresholds,
)
from emotrain.motion.face_motion import FaceMotion
from emotrain.motion.face_regions import REGIONS, Floats
from emotrain.records import Event

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SpotSettings:
    """What counts as an event. Thresholds were tuned on rendered clips; benchmarks/motion_events.py reports on others.

    `hold_threshold` and `burst_threshold` are the energy of an apex, in noise units, for what lasts longer than
    `burst_s` and for what is over sooner; bursts are sought after a running median of `detrend_s` has been taken off.
    A unit is named from an intensity of `unit_threshold`, of `unit_share` of the strongest unit and of `unit_errors`
    standard errors; a region from `region_share` of the strongest region's motion. What is over in less than
    `shortest_s` and three frames is noise. `edge_s` is the time at either end of a clip that is taken for rest,
    `blink_intensity` the closure that is a blink.
    """

    hold_threshold: float = 3.8
    burst_threshold: float = 3.3
    burst_s: float = 0.8
    detrend_s: float = 1.1
    unit_threshold: float = 0.15
    unit_share: float = 0.25
    unit_errors: float = 2.2
    region_share: float = 0.4
    shortest_s: float = 0.1
    edge_s: float = 0.1
    blink_intensity: float = 0.5
    most: int = 8


_FOLDS = ("nasolabial", "dimple", "below corner", "chin boss")
_SEEN = np.array([f.endswith((" x", " y", *_FOLDS)) and "lid" not in f for f in FEATURES])
"""Tracks that make an event: all motion but the lids', which blinks move, and the folds around the mouth."""

STEP = 1.0
"""How far the two ends of a clip must differ, in hold thresholds, before only one of them is taken for rest."""

LEAST_FRAMES = 3
"""A burst that this many frames show is told even if it is shorter than `shortest_s`: at 50 frames/s a change of a
tenth of a second measures a little less."""

_JITTER = np.full(len(FEATURES), 0.3, np.float32)


def spot(motion: FaceMotion, settings: SpotSettings = SpotSettings()) -> tuple[list[Event], list[Event]]:
    """The events of a clip and, apart from them, its blinks (action unit 45), each in order of onset."""
    tracks, times_s = _smooth(features(motion)), motion.times_s
    change = tracks - rest_state(tracks, times_s, settings)
    slow = whitened(change, _noise(tracks))
    holds = _take(slow, change, times_s, settings.hold_threshold, settings.burst_s, [], settings)
    for event in holds:
        slow[_between(times_s, event.onset_s - 0.1, event.offset_s + 0.1)] = 0.0
    quick = change - _running_median(change, times_s, settings.detrend_s)
    fast = whitened(quick, _noise(tracks))
    for event in holds:
        fast[_between(times_s, event.onset_s - 0.3, event.offset_s + 0.3)] = 0.0
    shortest_s = min(settings.shortest_s, LEAST_FRAMES * _step(times_s))
    bursts = _take(fast, quick, times_s, settings.burst_threshold, shortest_s, holds, settings)
    events = sorted([*holds, *bursts], key=lambda event: event.onset_s)
    return events, blinks(closure(change), times_s, settings)


def whitened(change: Floats, noise: Floats) -> Floats:
    """(T, S) motion and folds in units of what a quiet face with a slightly moving head shows, uncorrelated."""
    from scipy.linalg import solve_triangular

    quiet = templates().quiet[np.ix_(_SEEN, _SEEN)] + np.diag(noise[_SEEN] ** 2)
    root = np.linalg.cholesky(quiet.astype(np.float64))
    return solve_triangular(root, change[:, _SEEN].T, lower=True).T.astype(np.float32)


def rest_state(tracks: Floats, times_s: Times, settings: SpotSettings) -> Floats:
    """The face at rest, (T, F): what an event departs from and returns to."""
    edge = max(1, int(np.searchsorted(times_s, times_s[0] + settings.edge_s)))
    start, end = np.median(tracks[:edge], axis=0), np.median(tracks[-edge:], axis=0)
    step = (end - start)[None]
    if _energy(whitened(step, _noise(tracks)))[0] >= STEP * settings.hold_threshold:
        # The clip begins or ends inside an expression; the end that is at rest is the one the other departs from.
        rest = start if unexplained(step[0]) <= unexplained(-step[0]) else end
        return np.broadcast_to(rest, tracks.shape)
    share = ((times_s - times_s[0]) / max(times_s[-1] - times_s[0], 1e-9))[:, None]
    return (start + (end - start) * share).astype(np.float32)


def _take(
    left: Floats,
    change: Floats,
    times_s: Times,
    threshold: float,
    shortest_s: float,
    known: list[Event],
    settings: SpotSettings,
) -> list[Event]:
    """Strongest first, the events in `left` that last `shortest_s` or longer; `left` is emptied as they are taken."""
    left = left.copy()
    events: list[Event] = []
    for _ in range(settings.most):
        energy = _energy(left)
        apex = int(energy.argmax())
        if energy[apex] < threshold:
            break
        strength = course(left, apex)
        first, last, onset_s, offset_s = extent(strength, apex, times_s)
        inside = slice(first, last + 1)
        if offset_s - onset_s >= shortest_s and not inside_another(onset_s, offset_s, [*known, *events]):
            events.append(_event(change, strength, inside, times_s, onset_s, offset_s, settings))
        left[inside] = 0.0
    return events


def _between(times_s: Times, start_s: float, end_s: float) -> NDArray[np.bool_]:
    return (times_s >= start_s) & (times_s <= end_s)


def _running_median(tracks: Floats, times_s: Times, window_s: float) -> Floats:
    from scipy.ndimage import median_filter

    width = min(len(times_s), max(3, round(window_s / max(_step(times_s), 1e-6)) | 1))
    return np.asarray(median_filter(tracks, size=(width, 1), mode="nearest"))


def _step(times_s: Times) -> float:
    """Mean seconds from frame to frame."""
    return float((times_s[-1] - times_s[0]) / max(len(times_s) - 1, 1))


def _smooth(tracks: Floats) -> Floats:
    padded = np.concatenate([tracks[:1], tracks, tracks[-1:]])
    return np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)


def _noise(tracks: Floats) -> Floats:
    """Frame-to-frame jitter of each track, (F,)."""
    if len(tracks) < 2:
        return _JITTER
    jitter = 1.4826 * np.median(np.abs(np.diff(tracks, axis=0)), axis=0) / np.sqrt(2)
    return np.hypot(0.1, jitter).astype(np.float32)


def _energy(scaled: Floats) -> Floats:
    return np.sqrt((scaled**2).mean(1))


def course(scaled: Floats, apex: int) -> Floats:
    """How much of the pattern at `apex` is there at each time: 1 at the apex, 0 at rest."""
    pattern = scaled[max(apex - 1, 0) : apex + 2].mean(0)
    return scaled @ pattern / max(float(pattern @ pattern), 1e-9)


def extent(strength: Floats, apex: int, times_s: Times) -> tuple[int, int, float, float]:
    """First and last frame above a fifth of the apex, and onset and offset extrapolated from the slopes.

    Rise and fall are taken as raised cosines: these pass 20 % at 0.295 and 80 % at 0.705 of their length.
    """
    level = float(strength[apex])
    onset_s, first = _edge(strength, apex, -1, level, times_s)
    offset_s, last = _edge(strength, apex, 1, level, times_s)
    return first, last, onset_s, offset_s


def _edge(strength: Floats, apex: int, step: int, level: float, times_s: Times) -> tuple[float, int]:
    crossings = []
    for share in (0.8, 0.5, 0.2):
        at = apex
        while 0 <= at + step < len(strength) and strength[at] > share * level:
            at += step
        if strength[at] > share * level:
            return float(times_s[at]), at
        before = at - step
        part = (strength[before] - share * level) / max(float(strength[before] - strength[at]), 1e-9)
        crossings.append(float(times_s[before] + part * (times_s[at] - times_s[before])))
    slope = (crossings[2] - crossings[0]) / 0.41
    limit = float(times_s[0] if step < 0 else times_s[-1])
    edge = crossings[1] + 0.5 * slope
    return (max(edge, limit) if step < 0 else min(edge, limit)), at


def _event(
    change: Floats,
    strength: Floats,
    inside: slice,
    times_s: Times,
    onset_s: float,
    offset_s: float,
    settings: SpotSettings,
) -> Event:
    """Apex, regions and units of an event; the apex of a hold is the middle of what stays above nine tenths."""
    there = strength[inside]
    top = np.flatnonzero(there > 0.9 * there.max()) + inside.start
    apex_s = float(times_s[top].mean())
    peak = np.median(change[top], axis=0)
    found = intensities(peak)
    least = unit_thresholds(found, settings.unit_threshold, settings.unit_share, settings.unit_errors)
    regions, most = strongest_regions(peak, settings.region_share)
    return Event(onset_s, apex_s, offset_s, regions, named(found, least), most)


def strongest_regions(change: Floats, share: float) -> tuple[tuple[str, ...], float]:
    """Regions that move at least `share` as far as the one that moves farthest in `change` (F,), and how far that is,
    in percent of the inter-ocular distance; farthest first."""
    moved = np.hypot(change[: 2 * len(REGIONS) : 2], change[1 : 2 * len(REGIONS) : 2])
    strong = [REGIONS[r] for r in np.argsort(-moved, kind="stable") if moved[r] >= share * moved.max()]
    return tuple(strong), float(moved.max())


def inside_another(onset_s: float, offset_s: float, events: list[Event]) -> bool:
    """Whether more than half of the stretch lies in one of `events`."""
    return any(
        min(offset_s, event.offset_s) - max(onset_s, event.onset_s) > 0.5 * (offset_s - onset_s) for event in events
    )


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
