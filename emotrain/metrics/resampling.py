"""What a figure would be on other clips like these: a Bayesian bootstrap whose draws are never all alike.

A resample gives every clip, or every cluster of clips (a subject), a weight drawn from an exponential distribution
(Rubin 1981): a class never vanishes from a resample, as it may where clips are drawn with replacement. Clips are
weighted inside each true class, whose share is held; clusters are weighted as wholes. Each class gets one clip more
that nobody saw, right for a share Beta(1/2, 1/2) of its weight and wrong for the rest, spread over the other labels: a
row of the confusion matrix is then Dirichlet(counts + Jeffreys' half on the hit, half over the errors), and a class
whose clips are all right, or all wrong, keeps a width. Systems share the weights of the clips and differ in that share,
so differences are paired and have a width as well.

Draws are shifted to the observed figure: the clip that nobody saw is there for the width, and would pull a mean over
many classes towards one half. Coverage by simulation: benchmarks/inference.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t

LEVEL = 0.95
ENOUGH_CLUSTERS = 30
"""Below this many clusters their number limits what can be known; intervals say so."""
_AT_ONCE = 400
_WEIGHED_ALONE = 4000
"""Clips above this number are weighed together where they are alike: the same distribution, at the price of a table."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Figures = Callable[[Floats], Mapping[str, Floats]]
"""From (..., K, K + 2) confusion matrices to named (...) figures."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The clips that several systems answered: true class (N,), cluster number (N,) or None, kinds (N,) bool by name.

    `copies` (N,) says how many equal clips a row stands for; None is one each.
    """

    gold: Ints
    n_labels: int
    clusters: Ints | None = None
    kinds: Mapping[str, npt.NDArray[np.bool_]] | None = None
    copies: Ints | None = None

    @property
    def n_clusters(self) -> int | None:
        """Number of clusters, None where clips are independent."""
        return None if self.clusters is None else int(self.clusters.max()) + 1


@dataclass(frozen=True, slots=True)
class Drawn:
    """Figures of one system: `values` (S, F) of each seed as observed, `draws` (S, R, F) under resampled clips.

    Draws are centred on the values. `names` are those of the F figures.
    """

    names: tuple[str, ...]
    values: Floats
    draws: Floats


def draw(
    sample: Sample,
    systems: Mapping[str, Sequence[Ints]],
    figures: Figures,
    *,
    resamples: int = 10_000,
    seed: int = 0,
) -> dict[str, Drawn]:
    """The figures of every system under the same resamples of the clips.

    `systems` has the answers (N,) of each seed of a system: positions of labels, K and K + 1 for no label. A figure
    with a trailing axis (one value a class) becomes several, "name/0", "name/1", ...; "KIND_accuracy" is added for
    every kind that has clips.
    """
    streams = _streams(systems, seed)
    sample, systems = _alike_together(sample, systems)
    rng = np.random.default_rng(seed)
    ones = np.ones((1, len(sample.gold))) if sample.copies is None else sample.copies[None].astype(np.float64)
    observed = {name: [_flat(sample, ones, of_seed, figures) for of_seed in mine] for name, mine in systems.items()}
    parts: dict[str, list[Floats]] = {name: [] for name in systems}
    for weights in _weights(sample, resamples, rng):
        unseen = rng.standard_exponential((len(weights), sample.n_labels + len(_kinds(sample))))
        for name, mine in systems.items():
            right = unseen * streams[name].beta(0.5, 0.5, unseen.shape)
            parts[name].append(
                np.stack([_flat(sample, weights, one, figures, (right, unseen - right))[1] for one in mine])
            )
    found = {}
    for name, of_seeds in observed.items():
        values = np.stack([row[0] for _, row in of_seeds])
        draws = np.concatenate(parts[name], axis=1)
        found[name] = Drawn(of_seeds[0][0], values, draws - draws.mean(axis=1, keepdims=True) + values[:, None])
    return found


def widening(sample: Sample) -> float:
    """By what deviations from a figure are stretched so that G clusters cover as much as they should.

    The weights of G clusters have (G - 1) / (G + 1) of the variance of a mean of G, which was itself estimated from
    them: Student's t with G - 1 degrees of freedom takes the place of the normal distribution. G is the effective
    number of clusters (Kish 1965) of the class that has the fewest: ten people, one of whom has half the clips, are
    fewer than ten.
    """
    if sample.clusters is None:
        return 1.0
    if int(sample.clusters.max()) < 1:
        raise ValueError("all clips are of one cluster; two or more are needed to resample them")
    effective = []
    for c in np.unique(sample.gold):
        of_class = sample.gold == c
        copies = None if sample.copies is None else sample.copies[of_class]
        sizes = np.bincount(sample.clusters[of_class], copies).astype(float)
        effective.append(sizes.sum() ** 2 / (sizes**2).sum())
    return _small_sample(max(min(effective), 2.0))


def _small_sample(n: float) -> float:
    """What the spread of exponential weights of n units is short of Student's t interval of their mean."""
    tail = 0.5 + LEVEL / 2
    return float(np.sqrt((n + 1) / (n - 1)) * t.ppf(tail, n - 1) / norm.ppf(tail))


def interval(value: float, draws: Floats, *, least: float = 0.0, most: float = 1.0) -> dict[str, float]:
    """Value and percentile interval at LEVEL, inside [least, most]."""
    low, high = np.quantile(draws, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return {
        "value": float(value),
        "low": float(min(max(low, least), value)),
        "high": float(max(min(high, most), value)),
    }


def _weights(sample: Sample, resamples: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.float32]]:
    """(r, N) weights of the clips, a few hundred resamples at a time."""
    copies = np.ones(len(sample.gold)) if sample.copies is None else sample.copies.astype(np.float64)
    # Few clips vary more than they show: their weights are drawn from a gamma distribution as much wider as
    # `_small_sample` says. Exponential weights are gamma weights of shape 1, and those of n equal clips add up.
    sizes = np.bincount(sample.gold, copies, minlength=sample.n_labels)
    shapes = np.array([_small_sample(max(n, 3.0)) ** -2 for n in sizes])[sample.gold] * copies
    for start in range(0, resamples, _AT_ONCE):
        rows = min(_AT_ONCE, resamples - start)
        if sample.clusters is not None:
            weights = rng.standard_exponential((rows, int(sample.clusters.max()) + 1), np.float32)[:, sample.clusters]
            yield weights if sample.copies is None else weights * copies.astype(np.float32)
        else:
            yield rng.standard_gamma(np.broadcast_to(shapes, (rows, len(shapes)))).astype(np.float32)


def _flat(
    sample: Sample,
    weights: npt.NDArray[np.floating],
    answers: Ints,
    figures: Figures,
    unseen: tuple[Floats, Floats] | None = None,
) -> tuple[tuple[str, ...], Floats]:
    """Names and values (r, F) of the figures under (r, N) weights; `unseen` adds a right and a wrong share a class."""
    k, rows = sample.n_labels, len(weights)
    matrix = np.zeros((rows, k, k + 2))
    to_answer = np.eye(k + 2, dtype=weights.dtype)[answers]
    for c in range(k):
        of_class = sample.gold == c
        if of_class.any():
            matrix[:, c] = weights[:, of_class] @ to_answer[of_class]
    totals = matrix.sum(-1)
    if unseen is not None:
        right, wrong = unseen
        there, place = totals[0] > 0, np.arange(k)
        matrix[:, :, :k] += np.where(there, wrong[:, :k], 0.0)[:, :, None] / (k - 1)
        matrix[:, place, place] += np.where(there, right[:, :k] - wrong[:, :k] / (k - 1), 0.0)
        if sample.clusters is None:
            held = np.bincount(sample.gold, sample.copies, minlength=k)
            matrix *= (held / np.maximum(matrix.sum(-1), 1e-12))[:, :, None]
    found: list[tuple[str, Floats]] = []
    for name, value in figures(matrix).items():
        found += [(name, value)] if value.ndim == 1 else [(f"{name}/{i}", value[:, i]) for i in range(value.shape[1])]
    hit = (answers == sample.gold).astype(weights.dtype)
    for i, (kind, mask) in enumerate(_kinds(sample).items()):
        hits, total = weights[:, mask] @ hit[mask], weights[:, mask].sum(1)
        if unseen is not None:
            hits, total = hits + unseen[0][:, k + i], total + unseen[0][:, k + i] + unseen[1][:, k + i]
        found.append((f"{kind}_accuracy", hits / total))
    return tuple(name for name, _ in found), np.stack([value for _, value in found], axis=1).astype(np.float64)


def _kinds(sample: Sample) -> dict[str, npt.NDArray[np.bool_]]:
    return {} if sample.kinds is None else {kind: mask for kind, mask in sample.kinds.items() if mask.any()}


def _streams(systems: Mapping[str, Sequence[Ints]], seed: int) -> dict[str, np.random.Generator]:
    """A generator a system, by its answers, so that its figures do not hang on what stands beside it; twins differ."""
    keys = [(crc32(np.asarray(mine[0], np.int64).tobytes()), name) for name, mine in systems.items()]
    earlier: dict[int, int] = {}
    streams = {}
    for key, name in keys:
        streams[name] = np.random.default_rng((seed, key, earlier.get(key, 0)))
        earlier[key] = earlier.get(key, 0) + 1
    return streams


def _alike_together(
    sample: Sample, systems: Mapping[str, Sequence[Ints]]
) -> tuple[Sample, Mapping[str, Sequence[Ints]]]:
    """Clips that nothing here tells apart as one row with its number of copies, where there are very many."""
    if len(sample.gold) <= _WEIGHED_ALONE or sample.copies is not None:
        return sample, systems
    kinds = _kinds(sample)
    columns = [sample.gold, *([] if sample.clusters is None else [sample.clusters]), *kinds.values()]
    columns += [answers for mine in systems.values() for answers in mine]
    rows, first, copies = np.unique(np.stack(columns, axis=1), axis=0, return_index=True, return_counts=True)
    if len(rows) > len(sample.gold) // 2:
        return sample, systems
    fewer = replace(
        sample,
        gold=sample.gold[first],
        clusters=None if sample.clusters is None else sample.clusters[first],
        kinds={kind: mask[first] for kind, mask in kinds.items()},
        copies=copies.astype(np.int64),
    )
    return fewer, {name: [answers[first] for answers in mine] for name, mine in systems.items()}
