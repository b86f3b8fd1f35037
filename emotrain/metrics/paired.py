"""Comparing two systems on the same clips: exact McNemar, differences by fold, Holm's correction.

Differences are always second minus first; their intervals and tests are in resampling.py and randomisation.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.stats import binomtest, t

from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.resampling import LEVEL
from emotrain.metrics.scores import table_confusion

Figures = Callable[[np.ndarray], Mapping[str, np.ndarray]]


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
    """Difference of each figure fold by fold, their mean and its corrected resampled t interval (df = folds - 1).

    Folds differ far more than systems do (MAFW fold 1 lies about 10 UAR points under fold 3), hence the pairing. Folds
    share training clips, so the variance of the mean is s^2 (1 / F + 1 / (F - 1)), the latter being test over training
    clips (Nadeau and Bengio 2003); a plain t interval is two thirds as wide at five folds. None with fewer than two
    folds. Empty when a fold lacks a class, as under leave-one-subject-out: there only pooled figures mean anything.
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
            share = np.sqrt(1 / len(folds) + 1 / (len(folds) - 1))
            half = float(t.ppf(0.5 + level / 2, len(folds) - 1) * differences.std(ddof=1) * share)
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


def _matrix(table: PredictionTable, clip_ids: Sequence[str]) -> np.ndarray:
    return table_confusion(table.subset(clip_ids))
