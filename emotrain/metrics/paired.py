"""Comparing two systems on the same clips: paired bootstrap, exact McNemar, differences by fold, Holm's correction.

Two systems that see the same clips succeed and fail together, so the interval of their difference is narrower than the
two intervals suggest. Differences are always second minus first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.stats import binomtest, t

from emotrain.metrics.clusters import table_copies
from emotrain.metrics.intervals import LEVEL, percentile, resample_rows
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.scores import table_confusion

Figures = Callable[[np.ndarray], Mapping[str, np.ndarray]]


def joint_counts(first: PredictionTable, second: PredictionTable) -> np.ndarray:
    """(K, K + 2, K + 2) int64: clips by true label, first answer and second answer."""
    second = second.aligned(first)
    k, columns = len(first.labels), len(first.labels) + 2
    cells = (first.gold * columns + first.predicted) * columns + second.predicted
    return np.bincount(cells, minlength=k * columns * columns).reshape(k, columns, columns)


def paired_bootstrap(
    first: PredictionTable,
    second: PredictionTable,
    figures: Figures,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = LEVEL,
    clusters: Mapping[str, str | None] | None = None,
    complete: bool = True,
) -> dict[str, dict[str, float]]:
    """Difference (second - first) of each figure, with a percentile interval and a two-sided p-value.

    Clips are resampled inside each true class, or whole `clusters` (by clip id) where they are given (`complete`: only
    resamples with every class), and both systems keep their answers on a resampled clip. The p-value is twice the
    smaller share of resamples on one side of zero, with one added so that it is never 0.
    """
    joint = joint_counts(first, second)
    if clusters is None:
        copies_first, copies_second = _resample_both(joint, resamples, np.random.default_rng(seed))
    else:
        copies_first, copies_second = (
            table_copies(table, clusters, complete=complete, resamples=resamples, seed=seed)
            for table in (first, second.aligned(first))
        )
    observed_first, observed_second = figures(joint.sum(2)), figures(joint.sum(1))
    drawn_first, drawn_second = figures(copies_first), figures(copies_second)
    result = {}
    for name in observed_first:
        draws = drawn_second[name] - drawn_first[name]
        low, high = percentile(draws, level)
        one_side = min((draws <= 0).sum(), (draws >= 0).sum())
        result[name] = {
            "value": float(observed_second[name] - observed_first[name]),
            "low": low,
            "high": high,
            "p": min(1.0, 2 * (int(one_side) + 1) / (resamples + 1)),
        }
    return result


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> dict[str, float | int]:
    """Exact McNemar test on (N,) bool hits: are the clips that only one system gets right split evenly?"""
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    n = only_first + only_second
    p = float(binomtest(only_second, n, 0.5).pvalue) if n else 1.0
    return {"only_first": only_first, "only_second": only_second, "p": p}


def by_fold(
    first: PredictionTable, second: PredictionTable, figures: Figures, level: float = LEVEL
) -> dict[str, dict[str, object]]:
    """Difference of each figure fold by fold, their mean and its t interval (df = folds - 1).

    Folds differ far more than systems do (MAFW fold 1 lies about 10 UAR points under fold 3), hence the pairing. Folds
    share training clips, so the t interval is somewhat too narrow; it is None with fewer than two folds. Empty when a
    fold lacks a class, as under leave-one-subject-out: there only pooled figures mean anything.
    """
    second = second.aligned(first)
    if not folds_complete(first):
        return {}
    folds = folds_of(first)
    parts = [[row.clip_id for row in first.predictions if row.fold == fold] for fold in folds]
    pairs = [(figures(_matrix(first, ids)), figures(_matrix(second, ids))) for ids in parts]
    result: dict[str, dict[str, object]] = {}
    for name in pairs[0][0] if pairs else ():
        differences = np.array([float(b[name] - a[name]) for a, b in pairs])
        mean, low, high = float(differences.mean()), None, None
        if len(folds) > 1:
            half = float(t.ppf(0.5 + level / 2, len(folds) - 1) * differences.std(ddof=1) / np.sqrt(len(folds)))
            low, high = mean - half, mean + half
        per_fold = {str(fold): float(d) for fold, d in zip(folds, differences)}
        result[name] = {"value": mean, "low": low, "high": high, "folds": per_fold}
    return result


def folds_of(table: PredictionTable) -> list[int]:
    """The folds of a table in order; none where not every clip has one, for they would not hold the whole table."""
    found = {fold for fold in table.folds if fold is not None}
    return [] if None in table.folds else sorted(found)


def folds_complete(table: PredictionTable) -> bool:
    """Whether there are folds and every class occurs in each, so that a mean over folds is a figure."""
    folds = folds_of(table)
    found = {(row.fold, row.label) for row in table.predictions}
    return bool(folds) and len(found) == len(folds) * len(table.labels)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm-Bonferroni adjusted p-values (Holm 1979), in the order given."""
    adjusted = np.empty(len(p_values))
    running = 0.0
    for rank, i in enumerate(np.argsort(p_values, kind="stable")):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = running
    return [float(p) for p in adjusted]


def _resample_both(joint: np.ndarray, resamples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Bootstrap copies of both systems' confusion matrices, each (R, K, K + 2), from their (K, K + 2, K + 2) joint."""
    k, columns, _ = joint.shape
    first, second = (np.zeros((resamples, k, columns)) for _ in range(2))
    for c in range(k):
        # Only the pairs of answers that occur are drawn; a product with 0/1 columns adds them up for each system.
        a, b = np.nonzero(joint[c])
        copies = resample_rows(joint[c, a, b][None], resamples, rng)[:, 0].astype(float)
        first[:, c] = copies @ np.eye(columns)[a]
        second[:, c] = copies @ np.eye(columns)[b]
    return first, second


def _matrix(table: PredictionTable, clip_ids: Sequence[str]) -> np.ndarray:
    return table_confusion(table.subset(clip_ids))
