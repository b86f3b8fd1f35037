"""Which frames of a clip become keyframes, and which of the frames between them are kept.

Every policy works on presentation times, so variable frame rate needs no special care. A clip with no more frames than
keyframes asked for gives all its frames, once each: nothing is duplicated to fill up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise

import numpy as np

from emotrain.clip_errors import ClipError
from emotrain.datasets.times import outside
from emotrain.emotions import nearest
from emotrain.records import Clip
from emotrain.video.reader import Indices, Pixels, Times

MOTION_FLOOR = 0.5
"""Share of the keyframes that `motion` spreads evenly whatever the score says: two keyframes are never further apart
than 1 / MOTION_FLOOR times the even spacing."""

FPS_MIN_FRAMES = 4
FPS_MULTIPLE = 2
"""`fps:N` follows the default video sampling of Qwen2-VL and its successors: at least 4 frames and an even number."""

MOST_FPS = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """What a policy gets to see: T frame times, how many keyframes, and where it asks for them score and annotation."""

    times_s: Times
    count: int
    duration_s: float
    seed: int = 0
    score: np.ndarray | None = None
    clip: Clip | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy: its name and, for `fps:N`, the rate."""

    name: str
    rate: float | None = None

    @property
    def text(self) -> str:
        """The policy as it is written in recipes and on the command line."""
        return self.name if self.rate is None else f"{self.name}:{self.rate:g}"


def parse_policy(text: str) -> Policy:
    """Read `segment_centres`, `fps:2`, ...; raises ValueError that names the nearest policy."""
    name, colon, rate = text.strip().partition(":")
    if name == "fps":
        try:
            value = float(rate)
        except ValueError:
            value = math.nan
        if not 0 < value <= MOST_FPS:
            raise ValueError(
                f"keyframe policy {text!r}: expected fps:N with a rate above 0, {MOST_FPS} at most, for example fps:2"
            )
        return Policy(name, value)
    if name not in POLICIES:
        raise ValueError(f"unknown keyframe policy {text!r}; {nearest(name, [*POLICIES, 'fps:2'])}")
    if colon:
        raise ValueError(f"keyframe policy {text!r}: {name} takes nothing after a colon; write {name!r}")
    return Policy(name)


def choose_keyframes(
    policy: str,
    times_s: Times,
    count: int,
    *,
    duration_s: float,
    seed: int = 0,
    score: np.ndarray | None = None,
    clip: Clip | None = None,
) -> Indices:
    """The keyframes of one clip: (N,) int64 frame indices, sorted, without duplicates.

    N is `count`, or the number of frames where the clip has fewer; `fps:N` decides by itself and leaves `count` unused.
    `score` (T,) is needed by `motion`, `clip` with its annotated times by `onset_apex_offset`; `stratified` draws from
    `seed` and, where given, the clip's id, so that clips of equal length differ. Raises ValueError for an unknown
    policy or a bad argument, `ClipError` for a clip without the annotation that the policy needs.
    """
    parsed = parse_policy(policy)
    times = np.asarray(times_s, np.float64)
    if times.ndim != 1 or times.size == 0:
        raise ValueError(f"choose_keyframes: times_s must be a non-empty vector, got shape {times.shape}")
    if parsed.rate is not None:
        count = frames_at(parsed.rate, duration_s)
    if count < 1:
        raise ValueError(f"choose_keyframes: {count} keyframes were asked for, at least 1 is needed")
    if len(times) <= count:
        return np.arange(len(times), dtype=np.int64)
    choose = _endpoints if parsed.rate is not None else POLICIES[parsed.name]
    return _distinct(choose(Request(times, count, duration_s, seed, score, clip)), len(times))


def frames_at(rate: float, duration_s: float) -> int:
    """How many frames `fps:rate` takes from a clip: rate x duration, at least 4, rounded down to an even number."""
    return max(FPS_MIN_FRAMES, math.floor(duration_s * rate / FPS_MULTIPLE + 1e-9) * FPS_MULTIPLE)


def between_keyframes(times_s: Times, keyframes: Indices, per_gap: int | None) -> list[Indices]:
    """In-between frames of each gap: K + 1 index vectors, gap k before keyframe k and gap K after the last.

    `per_gap` frames, evenly spaced in time strictly inside the gap; all of the gap's frames for None or where it has
    fewer. The first and last gap reach to the ends of the clip and hold those end frames too.
    """
    edges = [-1, *keyframes.tolist(), len(times_s)]
    return [_inside(np.asarray(times_s), first + 1, last, per_gap) for first, last in pairwise(edges)]


def motion_energy(grey: Iterable[Pixels]) -> np.ndarray:
    """(T,) float64: mean absolute change of (H, W) grey frames against the frame before; frame 0 takes frame 1's.

    Two frames are held at a time. The score for `motion`: relevance scores of image-text models cannot see movements
    this small.
    """
    energy = [0.0]
    before: Pixels | None = None
    for frame in grey:
        if before is not None:
            energy.append(float(np.abs(frame.astype(np.int16) - before).mean()))
        before = frame
    if before is None:
        return np.zeros(0)
    if len(energy) > 1:
        energy[0] = energy[1]
    return np.array(energy)


def _segment_centres(request: Request) -> Indices:
    segment = request.duration_s / request.count
    return _shown_at(request.times_s, (np.arange(request.count) + 0.5) * segment)


def _endpoints(request: Request) -> Indices:
    times = request.times_s
    return _nearest_frame(times, np.linspace(times[0], times[-1], request.count))


def _stratified(request: Request) -> Indices:
    clip_id = "" if request.clip is None else request.clip.clip_id
    own = int.from_bytes(blake2b(clip_id.encode(), digest_size=8).digest(), "big")
    draws = np.random.default_rng([request.seed, own]).random(request.count)
    return _shown_at(request.times_s, (np.arange(request.count) + draws) * request.duration_s / request.count)


def _motion(request: Request) -> Indices:
    """Inverse CDF of a density that is MOTION_FLOOR uniform in time and the rest in proportion to the score."""
    if request.score is None:
        raise ValueError(
            "keyframe policy 'motion' needs a score for each frame, for example motion_energy(clip.grey(64))"
        )
    score = np.asarray(request.score, np.float64)
    times = request.times_s
    if score.shape != times.shape or not np.isfinite(score).all() or score.min() < 0:
        raise ValueError(f"keyframe policy 'motion': expected {len(times)} finite scores >= 0, got shape {score.shape}")
    if np.ptp(score) == 0:
        return _segment_centres(request)
    lengths = np.diff(times, append=max(request.duration_s, times[-1]))
    mass = MOTION_FLOOR * lengths / lengths.sum() + (1 - MOTION_FLOOR) * score / score.sum()
    ends = np.cumsum(mass)
    quantiles = (np.arange(request.count) + 0.5) / request.count * ends[-1]
    return np.minimum(np.searchsorted(ends, quantiles), len(times) - 1)


def _onset_apex_offset(request: Request) -> Indices:
    """The annotated frames first; what is left of the count halves the longest stretches that remain."""
    clip, times = request.clip, request.times_s
    if clip is None or clip.onset_s is None or clip.offset_s is None:
        name = "this clip" if clip is None else f"clip {clip.clip_id}"
        raise ClipError(f"{name} has no annotated onset and offset; choose another keyframe policy")
    if (left := outside(clip, request.duration_s)) is not None:
        raise ClipError(f"clip {clip.clip_id}: {left}; correct the annotation and index again")
    apex_s = (clip.onset_s + clip.offset_s) / 2 if clip.apex_s is None else clip.apex_s
    marks = _nearest_frame(times, np.asarray([apex_s, clip.onset_s, clip.offset_s]))
    chosen = sorted(set(marks[: request.count].tolist()))
    while len(chosen) < request.count:
        # Frames -1 and T stand for the ends, so that the stretches before the first and after the last count too.
        edges = [-1, *chosen, len(times)]
        first = max(range(len(edges) - 1), key=lambda i: (edges[i + 1] - edges[i], -i))
        chosen = sorted([*chosen, (edges[first] + edges[first + 1]) // 2])
    return np.asarray(chosen, np.int64)


POLICIES: dict[str, Callable[[Request], Indices]] = {
    "segment_centres": _segment_centres,
    "endpoints": _endpoints,
    "stratified": _stratified,
    "motion": _motion,
    "onset_apex_offset": _onset_apex_offset,
}


def _shown_at(times: Times, moments: np.ndarray) -> Indices:
    """The frame on screen at each moment: the last one that starts no later. A hair of slack absorbs rounding."""
    return np.searchsorted(times, moments + 1e-9, side="right").astype(np.int64) - 1


def _nearest_frame(times: Times, moments: np.ndarray) -> Indices:
    right = np.clip(np.searchsorted(times, moments), 1, max(len(times) - 1, 1))
    left_is_nearer = moments - times[right - 1] <= times[np.minimum(right, len(times) - 1)] - moments
    return (right - left_is_nearer).astype(np.int64)


def _distinct(indices: Indices, frames: int) -> Indices:
    """Sorted indices moved apart just enough that none repeats; `len(indices) <= frames`."""
    out = np.sort(np.asarray(indices, np.int64))
    steps = np.arange(len(out))
    out = np.maximum.accumulate(out - steps) + steps
    return np.minimum(out, frames - len(out) + steps)


def _inside(times: Times, first: int, last: int, count: int | None) -> Indices:
    """`count` of the frames first..last-1, evenly spaced between the frames that bound them."""
    free = last - first
    if count is None or free <= count:
        return np.arange(first, last, dtype=np.int64)
    if count == 0:
        return np.empty(0, np.int64)
    start, end = times[max(first - 1, 0)], times[min(last, len(times) - 1)]
    moments = np.linspace(start, end, count + 2)[1:-1]
    inner = _nearest_frame(times, moments)
    return _distinct(np.clip(inner, first, last - 1) - first, free) + first
