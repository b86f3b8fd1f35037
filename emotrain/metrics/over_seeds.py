"""Arms trained with several seeds: figures averaged over seeds and their differences, on the same resampled clips.

Predictions of one clip by several seeds are not independent, so treating them as more clips would make intervals too
narrow. Here a resample is a multiset of clips, drawn inside each true class; every arm and every seed is scored on the
same multiset, and a figure is the mean over seeds. Differences are therefore paired, whatever the number of seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emotrain.emotions import Group
from emotrain.metrics import scores
from emotrain.metrics.intervals import LEVEL, Interval, percentile
from emotrain.metrics.paired import holm
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.summary import KINDS, of_kind
from emotrain.records import Kind

_AT_ONCE = 500
"""Resamples that are evaluated together: bounds the memory of (resamples, clips) weights."""

Figures = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Averaged:
    """An arm's figures over its seeds.

    `figures` are {"value", "low", "high"} by name, `by_seed` the value of each seed, `differences` {"value", "low",
    "high", "p", "p_holm"} against the reference (empty for the reference itself).
    """

    figures: Mapping[str, Interval]
    by_seed: Mapping[str, tuple[float, ...]]
    differences: Mapping[str, Interval]


def over_seeds(
    arms: Mapping[str, Sequence[PredictionTable]],
    reference: str,
    *,
    groups: Mapping[str, Group] | None = None,
    kinds: Mapping[str, Kind | None] | None = None,
    holm_over: Sequence[str] = (),
    resamples: int = 10_000,
    seed: int = 0,
) -> dict[str, Averaged]:
    """Figures of every arm and differences against `reference`; the names are those of `metrics.summary.summarise`.

    `arms` has one table a seed for each arm, all of the same clips and labels. `p_holm` is corrected over all arms and
    the figures named in `holm_over` (all figures when empty). Raises ValueError when tables are of other clips.
    """
    first = arms[reference][0]
    tables = {name: [table.aligned(first) for table in of_arm] for name, of_arm in arms.items()}
    micro = {kind: np.isin(first.clip_ids, of_kind(first, kinds, kind)) for kind in KINDS}
    observed = {
        name: _each(of_arm, np.ones((1, len(first)), np.float32), groups, micro) for name, of_arm in tables.items()
    }
    drawn: dict[str, list[Figures]] = {name: [] for name in tables}
    for weights in _resampled(first.gold, len(first.labels), resamples, np.random.default_rng(seed)):
        for name, of_arm in tables.items():
            drawn[name].append(_mean(_each(of_arm, weights, groups, micro)))
    copies = {
        name: {figure: np.concatenate([part[figure] for part in parts]) for figure in parts[0]}
        for name, parts in drawn.items()
    }
    values = {name: _mean(of_arm) for name, of_arm in observed.items()}
    differences = {
        name: {
            figure: _difference(
                values[name][figure][0] - values[reference][figure][0], draws - copies[reference][figure]
            )
            for figure, draws in copies[name].items()
        }
        for name in tables
        if name != reference
    }
    _correct(differences, holm_over)
    return {
        name: Averaged(
            {figure: _interval(float(values[name][figure][0]), draws) for figure, draws in copies[name].items()},
            {figure: tuple(float(one[figure][0]) for one in observed[name]) for figure in values[name]},
            differences.get(name, {}),
        )
        for name in tables
    }


def _resampled(gold: np.ndarray, n_labels: int, resamples: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each clip is drawn, (R, N) float32, a few hundred resamples at a time."""
    members = [np.flatnonzero(gold == c) for c in range(n_labels)]
    for start in range(0, resamples, _AT_ONCE):
        rows = min(_AT_ONCE, resamples - start)
        weights = np.zeros((rows, len(gold)), np.float32)
        for of_class in members:
            if len(of_class):
                share = np.full(len(of_class), 1 / len(of_class))
                weights[:, of_class] = rng.multinomial(len(of_class), share, size=rows)
        yield weights


def _each(
    tables: Sequence[PredictionTable],
    weights: np.ndarray,
    groups: Mapping[str, Group] | None,
    kinds: Mapping[Kind, np.ndarray],
) -> list[Figures]:
    """Figures of each seed's table under (R, N) weights, each figure (R,)."""
    return [_weighted(table, weights, groups, kinds) for table in tables]


def _weighted(
    table: PredictionTable,
    weights: np.ndarray,
    groups: Mapping[str, Group] | None,
    kinds: Mapping[Kind, np.ndarray],
) -> Figures:
    k = len(table.labels)
    matrix = np.zeros((len(weights), k, k + 2))
    answers = np.eye(k + 2, dtype=np.float32)[table.predicted]
    for c in range(k):
        of_class = table.gold == c
        matrix[:, c] = weights[:, of_class] @ answers[of_class]
    figures = scores.statistics(matrix, table.labels, groups)
    right = (table.gold == table.predicted).astype(np.float32)
    for kind, mask in kinds.items():
        if mask.any():
            total = weights[:, mask].sum(1)
            figures[f"{kind}_accuracy"] = (weights[:, mask] @ right[mask]) / np.maximum(total, 1)
    return figures


def _mean(of_seeds: Sequence[Figures]) -> Figures:
    return {name: np.mean([one[name] for one in of_seeds], axis=0) for name in of_seeds[0]}


def _interval(value: float, draws: np.ndarray) -> Interval:
    low, high = percentile(draws, LEVEL)
    return {"value": value, "low": low, "high": high}


def _difference(value: float, draws: np.ndarray) -> Interval:
    one_side = int(min((draws <= 0).sum(), (draws >= 0).sum()))
    return {**_interval(float(value), draws), "p": min(1.0, 2 * (one_side + 1) / (len(draws) + 1))}


def _correct(differences: Mapping[str, Mapping[str, Interval]], figures: Sequence[str]) -> None:
    cells = [cell for row in differences.values() for name, cell in row.items() if not figures or name in figures]
    for cell, adjusted in zip(cells, holm([cell["p"] for cell in cells])):
        cell["p_holm"] = adjusted
