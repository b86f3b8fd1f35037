"""Is the difference of two systems more than a coin would make of it? The paired randomisation test.

If two systems are alike, it is chance which of them gave which of their two answers to a clip. Answers are swapped clip
by clip, or for all clips of a cluster (a subject) together, and p is the share of swaps, the observed one counted, that
differ by as much as was observed (Fisher 1935; Noreen 1989). Nothing is assumed of how figures are distributed, so four
clips won and none lost give .125, which a bootstrap would call .027. With several trainings the noise of the seeds is
added to every swap (see trainings.py); p is then approximate, and about trainings and not about these adapters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emotrain.metrics.resampling import Figures, Floats, Ints, Sample

_AT_ONCE = 1000
_TIE = 1e-9
"""Two differences count as equal within this: UAR and WAR of balanced clips round differently and are the same."""


def swapped(
    sample: Sample,
    first: Sequence[Ints],
    second: Sequence[Ints],
    figures: Figures,
    *,
    swaps: int = 10_000,
    seed: int = 0,
) -> tuple[Floats, Floats]:
    """The observed difference second - first (F,) of each figure, mean over seeds, and those under swaps (swaps, F).

    `first` and `second` have the answers (N,) of each of their seeds; a clip's answers of all seeds swap together.
    """
    seeds = max(len(first), len(second))
    pairs = [(first[i % len(first)], second[i % len(second)]) for i in range(seeds)]
    differ = np.flatnonzero(np.any([a != b for a, b in pairs], axis=0))
    rng = np.random.default_rng(seed)
    kinds = {} if sample.kinds is None else {kind: mask for kind, mask in sample.kinds.items() if mask.any()}
    whole = [_difference(sample, pair, figures, np.zeros((1, len(differ))), differ, kinds)[0] for pair in pairs]
    observed = np.mean(whole, axis=0)
    drawn = []
    for start in range(0, swaps, _AT_ONCE):
        rows = min(_AT_ONCE, swaps - start)
        share = _swap_shares(sample, differ, rows, rng)
        drawn.append(np.mean([_difference(sample, pair, figures, share, differ, kinds) for pair in pairs], axis=0))
    return observed, np.concatenate(drawn)


def p_values(observed: Floats, drawn: Floats, noise: Floats | float = 0.0, shrink: Floats | float = 1.0) -> Floats:
    """Two-sided p (F,) of observed differences against swaps (R, F), with the noise of the seeds where it is given."""
    reached = np.abs(drawn * shrink + noise) >= np.abs(observed) - _TIE
    return (1 + reached.sum(axis=0)) / (1 + len(drawn))


def _swap_shares(sample: Sample, differ: Ints, rows: int, rng: np.random.Generator) -> Floats:
    """(rows, D) share of each row of clips that is swapped: 0 or 1, or a binomial share of its copies."""
    if sample.clusters is not None:
        swap = rng.integers(0, 2, (rows, int(sample.clusters.max()) + 1), np.int8)
        return swap[:, sample.clusters[differ]].astype(np.float64)
    if sample.copies is not None:
        copies = sample.copies[differ]
        return _heads(copies, rows, rng) / copies
    return rng.integers(0, 2, (rows, len(differ)), np.int8).astype(np.float64)


def _heads(coins: Ints, rows: int, rng: np.random.Generator) -> Floats:
    """(rows, D) binomial draws at one half: how many of each number of `coins` (D,) fall on heads, as bits of words."""
    words = -(-coins // 64)
    ends = np.cumsum(words)
    masks = np.full(int(ends[-1]) if len(ends) else 0, 2**64 - 1, np.uint64)
    masks[ends - 1] >>= (64 * words - coins).astype(np.uint64)
    bits = rng.integers(0, 2**64, (rows, len(masks)), np.uint64, endpoint=False)
    heads = np.add.reduceat(np.bitwise_count(bits & masks), ends - words, axis=1, dtype=np.int64)
    return heads.astype(np.float64)


def _difference(
    sample: Sample,
    pair: tuple[Ints, Ints],
    figures: Figures,
    share: Floats,
    differ: Ints,
    kinds: dict[str, np.ndarray],
) -> Floats:
    """(rows, F) differences of the figures when `share` (rows, D) of the clips `differ` have their answers swapped."""
    k = sample.n_labels
    copies = np.ones(len(sample.gold)) if sample.copies is None else sample.copies.astype(np.float64)
    cells = [sample.gold * (k + 2) + answers for answers in pair]
    plain = [np.bincount(cell, copies, minlength=k * (k + 2)).astype(np.float64) for cell in cells]
    # A swap takes a clip's weight from one cell of a system's matrix to the cell of the other system's answer.
    moved_cells, places = np.unique(np.concatenate([cell[differ] for cell in cells]), return_inverse=True)
    move = np.zeros((len(differ), len(moved_cells)))
    at = np.arange(len(differ))
    np.add.at(move, (at, places[len(differ) :]), copies[differ])
    np.add.at(move, (at, places[: len(differ)]), -copies[differ])
    shift = share @ move
    matrices: list[Floats] = [np.repeat(counts[None], len(share), axis=0) for counts in plain]
    matrices[0][:, moved_cells] += shift
    matrices[1][:, moved_cells] -= shift
    found = [figures(matrix.reshape(-1, k, k + 2)) for matrix in matrices]
    columns = [found[1][name] - found[0][name] for name in found[0]]
    hits = [(answers == sample.gold) * copies for answers in pair]
    gain = hits[1] - hits[0]
    for mask in kinds.values():
        own = gain * mask
        columns.append((own.sum() - 2 * (share @ own[differ])) / (copies * mask).sum())
    return np.stack([np.atleast_1d(column) for column in columns], axis=1)
