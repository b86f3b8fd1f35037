"""Has the model collapsed onto the common classes? Four figures that accuracy hides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import entropy

from emotrain.emotions import Group
from emotrain.metrics.scores import group_members


def collapse(matrix: np.ndarray, labels: Sequence[str], groups: Mapping[str, Group] | None) -> dict[str, Any]:
    """Collapse diagnostics of a (K, K + 2) confusion matrix.

    - `share_ratio`: per class, predicted share / true share (1 = as often as it occurs; None for an absent class)
    - `kl`: KL(predicted marginal || true marginal) in nats; None when it is infinite (an absent class was predicted)
    - `normalised_entropy`: entropy of the predicted marginal / log K (0 = one class only, 1 = all equally often)
    - `head_absorption`: share of the errors on tail clips that landed in a head class; None without such errors

    The predicted marginal is over the answers that named a label; None where there is no such answer.
    """
    k = len(labels)
    answered, true = matrix[:, :k].sum(0), matrix.sum(1)
    result: dict[str, Any] = {"share_ratio": dict.fromkeys(labels), "kl": None, "normalised_entropy": None}
    if answered.sum() > 0:
        predicted_share, true_share = answered / answered.sum(), true / true.sum()
        result["share_ratio"] = {
            label: float(predicted_share[i] / true_share[i]) if true[i] else None for i, label in enumerate(labels)
        }
        divergence = float(entropy(predicted_share, true_share))
        result["kl"] = divergence if np.isfinite(divergence) else None
        result["normalised_entropy"] = float(entropy(predicted_share) / np.log(k))
    result["head_absorption"] = _head_absorption(matrix, labels, groups) if groups is not None else None
    return result


def _head_absorption(matrix: np.ndarray, labels: Sequence[str], groups: Mapping[str, Group]) -> float | None:
    members = group_members(labels, groups)
    tail, head = members["tail"], members["head"]
    errors = int(matrix[tail].sum() - matrix[tail, tail].sum())
    return float(matrix[np.ix_(tail, head)].sum() / errors) if errors else None
