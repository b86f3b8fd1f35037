"""Figures that are functions of a confusion matrix: WAR, UAR, F1, per-class and per-group recall and precision.

A confusion matrix is (..., K, K + 2): rows are true labels, columns predicted labels, then ambiguous, then unparsed.
The last two count as errors of their row and as nobody's false positive. All functions take leading batch dimensions,
so a bootstrap evaluates ten thousand matrices in one call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from emotrain.emotions import Group
from emotrain.metrics.predictions import PredictionTable

GROUPS: tuple[Group, ...] = ("head", "medium", "tail")


def confusion(gold: np.ndarray, predicted: np.ndarray, n_labels: int) -> np.ndarray:
    """(K, K + 2) int64 counts from (N,) label indices; predicted index K is ambiguous, K + 1 unparsed."""
    cells = np.bincount(gold * (n_labels + 2) + predicted, minlength=n_labels * (n_labels + 2))
    return cells.reshape(n_labels, n_labels + 2)


def table_confusion(table: PredictionTable) -> np.ndarray:
    """The (K, K + 2) confusion matrix of a prediction table."""
    return confusion(table.gold, table.predicted, len(table.labels))


def support(matrix: np.ndarray) -> np.ndarray:
    """(..., K) clips a true class."""
    return matrix.sum(-1)


def hits(matrix: np.ndarray) -> np.ndarray:
    """(..., K) clips a class that were recognised."""
    return np.diagonal(matrix[..., : matrix.shape[-2]], axis1=-2, axis2=-1)


def recall(matrix: np.ndarray) -> np.ndarray:
    """(..., K) TP / (TP + FN); 0 for a class without clips."""
    return _ratio(hits(matrix), support(matrix))


def precision(matrix: np.ndarray) -> np.ndarray:
    """(..., K) TP / (TP + FP); 0 for a class that was never predicted."""
    return _ratio(hits(matrix), _predicted(matrix))


def f1(matrix: np.ndarray) -> np.ndarray:
    """(..., K) 2 TP / (2 TP + FP + FN); 0 for a class that neither occurs nor is predicted."""
    return _ratio(2 * hits(matrix), support(matrix) + _predicted(matrix))


def war(matrix: np.ndarray) -> np.ndarray:
    """(...) weighted average recall = accuracy; ambiguous and unparsed answers are errors."""
    return _ratio(hits(matrix).sum(-1), matrix.sum((-2, -1)))


def uar(matrix: np.ndarray) -> np.ndarray:
    """(...) unweighted average recall: the mean over all K classes of the label set, absent ones counting 0."""
    return recall(matrix).mean(-1)


def macro_f1(matrix: np.ndarray) -> np.ndarray:
    """(...) mean of the class F1 over all K classes. On counts pooled over subjects this is MEGC's UF1."""
    return f1(matrix).mean(-1)


def weighted_f1(matrix: np.ndarray) -> np.ndarray:
    """(...) mean of the class F1, weighted by the clips of each class."""
    return _ratio((f1(matrix) * support(matrix)).sum(-1), matrix.sum((-2, -1)))


def group_members(labels: Sequence[str], groups: Mapping[str, Group]) -> dict[Group, list[int]]:
    """Indices of the classes in each group; ValueError names a label that has no group."""
    lacking = [label for label in labels if label not in groups]
    if lacking:
        raise ValueError(
            f"no head/medium/tail group for {', '.join(lacking)}; groups are known for {', '.join(groups)}"
        )
    return {name: [i for i, label in enumerate(labels) if groups[label] == name] for name in GROUPS}


def statistics(
    matrix: np.ndarray,
    labels: Sequence[str],
    groups: Mapping[str, Group] | None,
    prior: Mapping[str, float] | None = None,
) -> dict[str, np.ndarray]:
    """Every overall figure of (..., K, K + 2) matrices by name, each (...); a group without members is left out.

    `war_at_prior` is the accuracy where classes occur as often as `prior` says (shares or counts by label): recalls
    weighted by it, over the classes that have clips.
    """
    class_recall, class_f1 = recall(matrix), f1(matrix)
    figures = {
        "war": war(matrix),
        "uar": class_recall.mean(-1),
        "macro_f1": class_f1.mean(-1),
        "weighted_f1": weighted_f1(matrix),
    }
    for name, members in group_members(labels, groups).items() if groups is not None else ():
        if members:
            figures[f"{name}_recall"] = class_recall[..., members].mean(-1)
            figures[f"{name}_f1"] = class_f1[..., members].mean(-1)
    if prior is not None:
        shares = np.array([prior[label] for label in labels], float) * (support(matrix) > 0)
        figures["war_at_prior"] = _ratio((shares * class_recall).sum(-1), shares.sum(-1))
    return figures


def top_k_hits(gold: np.ndarray, logits: np.ndarray, k: int) -> np.ndarray:
    """(N,) bool: whether the true label is among the k highest of (N, K) scores; a tie counts against the label."""
    own = np.take_along_axis(logits, gold[:, None], axis=1)
    return (logits >= own).sum(1) <= k


def megc(table: PredictionTable) -> dict[str, float | int]:
    """UF1 and UAR of the MEGC protocol: TP, FP and FN pooled over all leave-one-subject-out folds, then averaged.

    Averaging per-subject F1 instead would score a subject who lacks a class with a zero or drop the class.
    """
    matrix = table_confusion(table)
    return {
        "uf1": float(macro_f1(matrix)),
        "uar": float(uar(matrix)),
        "folds": len(set(table.folds)),
        "clips": len(table),
    }


def _predicted(matrix: np.ndarray) -> np.ndarray:
    return matrix[..., : matrix.shape[-2]].sum(-2)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole > 0)
