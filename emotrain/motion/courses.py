"""How a change unfolds in time: tracks less their rest, the course of a pattern, its onset and its offset."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrain.motion.face_regions import Floats
from emotrain.records import Event

Times = NDArray[np.float64]

VALLEY = 0.5
"""A course that falls below this share of its apex, and rises again by as much, is two events."""

PLENTY = 65
"""Frames of a running median; more of them are thinned out first, since a wide median is costly and moves slowly."""


def smooth(tracks: Floats) -> Floats:
    """Running median of three frames: flow, and trackers, lose a face for a frame."""
    padded = np.concatenate([tracks[:1], tracks, tracks[-1:]])
    return np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0).astype(np.float32)


def running_median(tracks: Floats, times_s: Times, window_s: float) -> Floats:
    """(T, C) medians over windows of `window_s` seconds, the ends repeated."""
    from scipy.ndimage import median_filter

    width = min(len(times_s), max(3, round(window_s / max(step_s(times_s), 1e-6)) | 1))
    thin = max(1, width // PLENTY)
    kept = np.arange(0, len(tracks), thin)
    medians = median_filter(tracks[kept], size=((width // thin) | 1, 1), mode="nearest")
    if thin == 1:
        return np.asarray(medians)
    every = np.arange(len(tracks))
    return np.stack([np.interp(every, kept, column) for column in medians.T], axis=1).astype(np.float32)


def step_s(times_s: Times) -> float:
    """Mean seconds from frame to frame."""
    return float((times_s[-1] - times_s[0]) / max(len(times_s) - 1, 1))


def spread(tracks: Floats) -> Floats:
    """Robust standard deviation of each column: the scaled median absolute deviation."""
    return np.asarray(1.4826 * np.median(np.abs(tracks - np.median(tracks, axis=0)), axis=0), np.float32)


def course(scaled: Floats, apex: int) -> Floats:
    """How much of the pattern at `apex` is there at each time: 1 at the apex, 0 at rest."""
    pattern = scaled[max(apex - 1, 0) : apex + 2].mean(0)
    return scaled @ pattern / max(float(pattern @ pattern), 1e-9)


def extent(strength: Floats, apex: int, times_s: Times) -> tuple[int, int, float, float]:
    """First and last frame above a fifth of the apex, and onset and offset extrapolated from the slopes.

    Rise and fall are taken as raised cosines: these pass 20 % at 0.295 and 50 % at half of their length. An event ends
    in a valley that another one follows.
    """
    level = float(strength[apex])
    onset_s, first = _edge(strength[apex::-1], times_s[apex::-1], level)
    offset_s, last = _edge(strength[apex:], times_s[apex:], level)
    return apex - first, apex + last, onset_s, offset_s


def _edge(strength: Floats, times_s: Times, level: float) -> tuple[float, int]:
    """Where a course that begins at its apex ends, and after how many frames."""
    end = _valley(strength, level)
    half = _first(strength[: end + 1] <= 0.5 * level)
    if half is None:
        return float(times_s[end]), end
    low = _first(strength[half : end + 1] <= 0.2 * level)
    if low is None:
        return float(times_s[end]), end
    at = half + low
    crossings = [
        float(np.interp(share * level, strength[[k, k - 1]], times_s[[k, k - 1]]))
        for share, k in ((0.5, half), (0.2, at))
    ]
    edge = crossings[1] + 0.295 / 0.205 * (crossings[1] - crossings[0])
    ends = sorted((float(times_s[0]), float(times_s[end])))
    return min(max(edge, ends[0]), ends[1]), at


def _first(there: NDArray[np.bool_]) -> int | None:
    return int(there.argmax()) if there.any() else None


def _valley(strength: Floats, level: float) -> int:
    """The frame at which the course turns up again for good, or its last."""
    lowest = np.minimum.accumulate(strength)
    again = np.flatnonzero(
        (lowest < VALLEY * level) & (lowest > 0.2 * level) & (strength - lowest > VALLEY * level / 2)
    )
    return int(strength[: again[0]].argmin()) if len(again) else len(strength) - 1


def inside_another(onset_s: float, offset_s: float, events: list[Event]) -> bool:
    """Whether more than half of the stretch lies in one of `events`."""
    return any(
        min(offset_s, event.offset_s) - max(onset_s, event.onset_s) > 0.5 * (offset_s - onset_s) for event in events
    )
