"""How likely a keyframe policy is to miss a short event: the argument for in-between frames, in figures.

An event of d seconds begins uniformly on [0, T - d] in a clip of T seconds and is missed when no keyframe lies inside
it. With g = T / K: segment centres miss 1 - K d / (T - d) for d <= g / 2; end points 1 - (K - 2) d / (T - d) for
d <= T / (K - 1); one draw a segment 1 - x + x^3 / 6 with x = d / g <= 1, up to the clip's ends. The functions below
hold for every d and K, the ends included.

At its onset and offset nothing of an event is visible yet. Its apex, w seconds in its middle, is seen when a keyframe
lies in [onset + m, onset + m + w] with m = (d - w) / 2: an event of w seconds in a clip of T - 2 m seconds whose
keyframes lie m earlier.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from emotrain.video.keyframes import MOTION_FLOOR, frames_at, parse_policy

EVENT_S = (0.10, 0.25, 0.50)
"""Lengths of events to report, in seconds: a micro-expression lasts 0.25 to 0.5 s, its apex about 0.1 s."""
APEX_S = 0.1
"""Seconds around the middle of an event in which it is at its peak."""


def missed_share(keyframes_s: npt.ArrayLike, duration_s: float, event_s: float) -> float:
    """P(miss) of fixed keyframe times: the share of onsets in [0, T - d] that no window [t - d, t] covers."""
    room = duration_s - event_s
    moments = np.sort(np.asarray(keyframes_s, np.float64))
    if room <= 0:
        return 0.0 if moments.size else 1.0
    starts, ends = np.clip(moments - event_s, 0, room), np.clip(moments, 0, room)
    # Windows of equal length, sorted: each one adds what lies beyond the end of the one before.
    before = np.concatenate([[0.0], ends[:-1]])
    covered = np.maximum(ends - np.maximum(starts, before), 0).sum()
    return float(1 - covered / room)


def p_miss(policy: str, duration_s: float, event_s: float, keyframes: int = 8, *, apex_s: float | None = None) -> float:
    """P(miss) of `policy` on one clip; `uniform` is accepted too (independent uniform draws, the textbook sampler).

    An event counts as seen when a keyframe lies anywhere in it, with `apex_s` only in so many seconds in its middle.

    `motion` gives the worst case, an event that its score cannot see while the score draws all the keyframes it may to
    the first and the last frame: the evenly spread share MOTION_FLOOR leaves stretches of 1 / MOTION_FLOOR segments
    between them, and no spacing of keyframes that the policy allows misses more. `onset_apex_offset` is 0 for the
    annotated event.
    """
    if apex_s is None or apex_s >= event_s:
        if event_s >= duration_s:
            return 0.0
        seen_s, before_s = event_s, 0.0
    else:
        # An event that fills the clip has its apex in the middle of it: the limit of one that hardly moves.
        event_s = min(event_s, duration_s * (1 - 1e-6))
        seen_s, before_s = min(apex_s, event_s), (event_s - min(apex_s, event_s)) / 2
    if policy == "uniform":
        return (1 - seen_s / duration_s) ** keyframes

    def fixed(moments: npt.ArrayLike) -> float:
        return missed_share(np.asarray(moments) - before_s, duration_s - 2 * before_s, seen_s)

    parsed = parse_policy(policy)
    if parsed.rate is not None:
        return fixed(np.linspace(0, duration_s, frames_at(parsed.rate, duration_s)))
    if parsed.name == "endpoints":
        return fixed(np.linspace(0, duration_s, keyframes))
    if parsed.name == "stratified":
        return _stratified(duration_s, seen_s, keyframes, before_s)
    if parsed.name == "onset_apex_offset":
        return 0.0
    if parsed.name == "motion":
        stretch = duration_s / (MOTION_FLOOR * keyframes)
        return fixed(np.append(np.arange(0.0, duration_s, stretch), duration_s))
    segment = duration_s / keyframes
    return fixed((np.arange(keyframes) + 0.5) * segment)


def miss_table(
    durations_s: Iterable[float],
    policies: Sequence[str] = ("segment_centres", "endpoints", "fps:2", "stratified", "motion"),
    event_s: Sequence[float] = EVENT_S,
    keyframes: int = 8,
    *,
    apex_s: float | None = None,
) -> dict[str, dict[float, float]]:
    """Mean P(miss) over a data set's clips: {policy: {event length: probability}}; `apex_s` is as in `p_miss`.

    Durations count in whole milliseconds, at least one, and equal ones are computed once, so a million clips cost what
    their distinct lengths cost. Raises ValueError without durations and for one that is not above 0.
    """
    given = np.asarray(list(durations_s), np.float64)
    if given.size == 0 or not (given > 0).all():
        raise ValueError("miss_table: expected the clips' durations in seconds, all above 0")
    lengths, counts = np.unique(np.maximum(np.round(given, 3), 0.001), return_counts=True)
    return {
        policy: {
            event: float(
                np.average(
                    [p_miss(policy, length, event, keyframes, apex_s=apex_s) for length in lengths], weights=counts
                )
            )
            for event in event_s
        }
        for policy in policies
    }


def _stratified(duration_s: float, event_s: float, keyframes: int, before_s: float) -> float:
    """One uniform draw in each of K segments: the mean over onsets of the product of (1 - overlap / g).

    What is seen, `event_s`, begins `before_s` after the onset, and ends as much before the offset.

    Between the onsets at which either end of the event crosses a segment border that product is a polynomial of degree
    two at most (the segments wholly inside make it 0), so Simpson's rule on each piece is exact.
    """
    segment, room = duration_s / keyframes, duration_s - 2 * before_s - event_s
    borders = np.arange(keyframes + 1) * segment - before_s
    cuts = np.unique(np.clip(np.concatenate([borders, borders - event_s, [0.0, room]]), 0, room))
    middles = (cuts[:-1] + cuts[1:]) / 2

    def missed(onset: np.ndarray) -> np.ndarray:
        low, high = borders[None, :-1], borders[None, 1:]
        overlap = np.minimum(high, onset[:, None] + event_s) - np.maximum(low, onset[:, None])
        return np.prod(1 - np.clip(overlap, 0, segment) / segment, axis=1)

    pieces = (missed(cuts[:-1]) + 4 * missed(middles) + missed(cuts[1:])) / 6 * np.diff(cuts)
    return float(pieces.sum() / room)
