"""Where a clip's motion departs from its rest more than its noise explains: candidates for events.

Noise is measured in the clip: what each part of the face does most of the time. To it is added what the head does, of
which a share is always left in the tracks, and what the lids do, which drag their neighbours along. A pattern of the
six strongest components is followed through time, so a small motion of one part is not averaged away over all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emotrain.motion.courses import Times, extent, running_median, smooth, spread, step_s
from emotrain.motion.face_motion import FaceMotion
from emotrain.motion.face_regions import REGIONS, Floats
from emotrain.motion.head_motion import design

STRONGEST = 6
"""Components of motion (17 regions, right and down) that make the energy of a moment."""

FLOOR_SHARE, FLOOR = 0.5, 0.1
"""Least noise of a component: a share of the median of all, and percent of the inter-ocular distance (what flow can
tell at 64 x 64)."""

LID_SHARE, HEAD_SHARE = 0.15, 0.05
"""Which part of what the lids and the head do counts as noise of everything else."""

SLOW_NOISE, SLOW_FLOOR, SLOW_HEAD, SLOW_LID = 3.0, 0.3, 0.08, 0.1
"""The same for what lasts: noise in units of the quick one, its floor, and the shares of head and lids."""

SMOOTH_S = 0.027
"""Standard deviation of the kernel that quick changes are smoothed with before they are sought."""

LEVEL = 0.9
"""From which share of its apex on a course counts as being there."""

ECHO, ECHO_PART = 0.2, 0.25
"""What moves less than this share of a stronger change, and lies by such a part of its length in it, is its echo."""

SEAM_S, ALIKE = 0.1, 0.3
"""Lasting changes that overlap by more and whose motion is so much alike (cosine) are one."""

_LIDS = np.repeat(["lid" in region for region in REGIONS], 2)
_WIDE = ~_LIDS


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change from frame `first` to `last`, at its height in the frames `top`.

    `clarity` is its height in units of the noise of its own course (of the tracks', for one that lasts), `motion` what
    the three parts that move most do, in percent of the inter-ocular distance, `uneven` the standard deviation of the
    course while it is up, as a share of its height: what a head leaves behind wanders, a held expression stays.
    """

    first: int
    last: int
    top: NDArray[np.intp]
    onset_s: float
    apex_s: float
    offset_s: float
    clarity: float
    motion: float
    uneven: float
    strength: Floats

    @property
    def length_s(self) -> float:
        """Seconds from onset to offset."""
        return self.offset_s - self.onset_s

    def overlap_s(self, other: Candidate) -> float:
        """Seconds that both last."""
        return min(self.offset_s, other.offset_s) - max(self.onset_s, other.onset_s)


@dataclass(frozen=True, slots=True)
class Changes:
    """(T, 34) region motion less its rest, the same in units of noise, and the noise (34,) at a still head."""

    moved: Floats
    scaled: Floats
    noise: Floats


def quick(motion: FaceMotion, detrend_s: float) -> Changes:
    """What changes against a running median of `detrend_s`."""
    from scipy.ndimage import gaussian_filter1d

    def fast(tracks: Floats) -> Floats:
        return np.asarray(tracks - running_median(tracks, motion.times_s, detrend_s))

    width = SMOOTH_S / max(step_s(motion.times_s), 1e-6)
    change = fast(smooth(motion.motion.reshape(len(motion.times_s), -1)))
    calm = np.asarray(gaussian_filter1d(change, width, axis=0, mode="nearest"))
    noise = spread(calm)
    noise = np.hypot(np.maximum(noise, FLOOR_SHARE * np.median(noise)), FLOOR)
    return replace(_scaled(calm, noise, LID_SHARE, HEAD_SHARE, _head(motion, fast)), moved=change)


def slow(change: Floats, motion: FaceMotion, quick_noise: Floats) -> Changes:
    """What `change` (T, 34) from rest lasts, in units of noise that follows from that of quick changes."""
    noise = np.hypot(SLOW_NOISE * quick_noise, SLOW_FLOOR)
    return _scaled(change, noise, SLOW_LID, SLOW_HEAD, _head(motion, _from_median))


def _from_median(tracks: Floats) -> Floats:
    return np.asarray(tracks - np.median(tracks, axis=0), np.float32)


def _head(motion: FaceMotion, change: Callable[[Floats], Floats]) -> Floats:
    """(T,) how far the head takes the places of the face, in percent of the inter-ocular distance."""
    places = design(8, motion.layout)
    places = places[places[:, 3] > -0.55]
    moved = change(motion.head.reshape(len(motion.head), -1)).reshape(motion.head.shape) @ places.T
    return np.asarray(100 / motion.layout.inter_ocular * np.sqrt((moved**2).sum(1).mean(1)))


def _scaled(change: Floats, noise: Floats, lid_share: float, head_share: float, head: Floats) -> Changes:
    lids = 2 * (change[:, _LIDS] ** 2).mean(1)
    told = np.sqrt(noise**2 + lid_share**2 * lids[:, None] + (head_share * head[:, None]) ** 2)
    return Changes(change, np.where(_WIDE, change / told, 0).astype(np.float32), noise)


def energy(scaled: Floats) -> Floats:
    """(T,) root of the summed squares of the six strongest components."""
    return np.asarray(np.sqrt(np.sort(scaled**2, axis=1)[:, -STRONGEST:].sum(1)))


def bursts(seen: Changes, times_s: Times, least: float, most: int) -> list[Candidate]:
    """What rises and falls again, strongest first, at most `most` that stand out by `least`."""
    left, level, free = seen.scaled.copy(), energy(seen.scaled), np.ones(len(times_s), bool)
    found: list[Candidate] = []
    for _ in range(2 * most):
        apex = int(level.argmax())
        if level[apex] < least or len(found) == most:
            break
        pattern = left[max(apex - 1, 0) : apex + 2].mean(0)
        pattern[np.argsort(np.abs(pattern))[:-STRONGEST]] = 0
        pattern /= max(float(np.linalg.norm(pattern)), 1e-9)
        here = left @ pattern
        clarity = float(here[apex]) / max(float(spread((seen.scaled @ pattern)[:, None])[0]), 0.5)
        course = _course(seen, pattern, free)
        if course[apex] <= 0:  # stands out of the noise of the moment alone, and moves nothing
            left[apex], level[apex] = 0, 0
            continue
        one = _candidate(seen, course, apex, times_s, clarity)
        if not _within(one, found):
            found.append(one)
        left[one.first : one.last + 1] = 0
        level[one.first : one.last + 1] = 0
        free[one.first : one.last + 1] = False
    return found


def holds(seen: Changes, times_s: Times, least: float, most: int) -> list[Candidate]:
    """What departs from rest and returns, strongest first, along the direction in which the face moves most then."""
    left, level, free = seen.scaled.copy(), energy(seen.scaled), np.ones(len(times_s), bool)
    found: list[Candidate] = []
    for _ in range(most):
        apex = int(level.argmax())
        if level[apex] < least:
            break
        pattern = left[max(apex - 2, 0) : apex + 3].mean(0)
        for _ in range(2):
            pattern /= max(float(np.linalg.norm(pattern)), 1e-9)
            here = left @ pattern
            pattern = left[here >= 0.6 * here[apex]].mean(0) if here[apex] > 0 else pattern
        pattern /= max(float(np.linalg.norm(pattern)), 1e-9)
        here = left @ pattern
        first, apex = apex, int(here.argmax())
        course = _course(seen, pattern, free)
        if course[apex] <= 0:
            left[[first, apex]], level[[first, apex]] = 0, 0
            continue
        one = _candidate(seen, course, apex, times_s, float(here[apex]))
        same = next(
            (k for k, other in enumerate(found) if one.overlap_s(other) > SEAM_S and _alike(other, one, seen.moved)),
            None,
        )
        if same is not None:
            found[same] = _joined(found[same], one)
        elif not _within(one, found):
            found.append(one)
        left[one.first : one.last + 1] = 0
        level[one.first : one.last + 1] = 0
        free[one.first : one.last + 1] = False
    return found


def _course(seen: Changes, pattern: Floats, free: NDArray[np.bool_]) -> Floats:
    """(T,) how much of `pattern` is there: in units that do not change with what the head does meanwhile."""
    return np.where(free, (seen.moved / seen.noise) @ pattern, 0)


def _candidate(seen: Changes, here: Floats, apex: int, times_s: Times, clarity: float) -> Candidate:
    strength = here / max(float(here[apex]), 1e-9)
    first, last, onset_s, offset_s = extent(strength, apex, times_s)
    inside = strength[first : last + 1]
    top = np.flatnonzero(inside >= LEVEL * inside.max()) + first
    moved = np.sort(np.hypot(*seen.moved[top].mean(0)[_WIDE].reshape(-1, 2).T))
    motion = float(np.sqrt(np.mean(moved[-3:] ** 2)))
    up = np.flatnonzero(inside > 0.8 * np.quantile(inside, 0.9))
    uneven = float(inside[up[0] : up[-1] + 1].std() / np.median(inside[up]))
    return Candidate(first, last, top, onset_s, float(times_s[top].mean()), offset_s, clarity, motion, uneven, strength)


def _alike(one: Candidate, other: Candidate, change: Floats) -> bool:
    a, b = (change[part.top].mean(0)[_WIDE] for part in (one, other))
    return float(a @ b) > ALIKE * float(np.linalg.norm(a) * np.linalg.norm(b))


def _joined(strong: Candidate, weak: Candidate) -> Candidate:
    """One event that a change of its pattern had cut in two."""
    return replace(
        strong,
        first=min(strong.first, weak.first),
        last=max(strong.last, weak.last),
        onset_s=min(strong.onset_s, weak.onset_s),
        offset_s=max(strong.offset_s, weak.offset_s),
        strength=np.maximum(strong.strength, weak.strength),
    )


def _within(one: Candidate, others: Sequence[Candidate]) -> bool:
    """Whether a candidate lies half in a stronger one, or is the echo of a much stronger one that it borders on."""
    return any(
        one.overlap_s(other) > (ECHO_PART if one.motion < ECHO * other.motion else 0.5) * one.length_s
        for other in others
    )
