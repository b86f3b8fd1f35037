"""Figures of ordinal answers: a rating is the expectation of the labels' values over their scores.

CCC is Lin's concordance correlation (1989, equation 2), 2 s_xy / (s_x^2 + s_y^2 + (m_x - m_y)^2): a correlation that
also asks for the right scale and level. MAE is in points of the scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from emotrain.emotions import LabelSet
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.resampling import LEVEL

Floats = npt.NDArray[np.float64]


def ratings(table: PredictionTable, values: Sequence[float]) -> Floats:
    """The rating (N,) of each clip: the expectation over its scores, or the value of its label where it has no scores;
    NaN for an answer that is no label."""
    worth = np.asarray(values, np.float64)
    if table.logits is not None:
        return np.asarray(softmax(table.logits, axis=1) @ worth, np.float64)
    return np.asarray(np.append(worth, [np.nan, np.nan])[table.predicted], np.float64)


def ccc(x: Floats, y: Floats, weights: Floats | None = None) -> Floats:
    """Concordance of (N,) ratings, under each row of `weights` (R, N) where given; 0 where nothing varies."""
    w = np.full((1, len(x)), 1 / len(x)) if weights is None else weights / weights.sum(1, keepdims=True)
    mx, my = w @ x, w @ y
    covariance, vx, vy = w @ (x * y) - mx * my, w @ (x * x) - mx**2, w @ (y * y) - my**2
    below = vx + vy + (mx - my) ** 2
    found = np.divide(2 * covariance, below, out=np.zeros_like(below), where=below > 1e-12)
    return np.asarray(found if weights is not None else found[0])


def ordinal(
    table: PredictionTable, labels: LabelSet, clusters: npt.NDArray[np.int64] | None = None
) -> dict[str, Any] | None:
    """The figures of a table whose label set is ordinal; None for any other set."""
    values = dict(zip(labels.labels, labels.values))
    return ordinal_figures(table, [values[name] for name in table.labels], clusters=clusters) if values else None


def ordinal_figures(
    table: PredictionTable,
    values: Sequence[float],
    *,
    clusters: npt.NDArray[np.int64] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """`ccc` and `mae`, each {"value", "low", "high"} with the interval of a Bayesian bootstrap of clips or clusters.

    `values` are those of the table's labels, in order; `clusters` the number of each clip's cluster (N,). Answers that
    name no label are left out and counted as `unrated`; the figures are None where there is nothing else.
    """
    gold, answered = np.asarray(values, np.float64)[table.gold], ratings(table, values)
    rated = np.isfinite(answered)
    worth: dict[str, Any] = {"values": dict(zip(table.labels, map(float, values), strict=True))}
    worth["unrated"] = int((~rated).sum())
    if not rated.any():
        return {**worth, "ccc": None, "mae": None}
    gold, answered = gold[rated], answered[rated]
    missed = np.abs(gold - answered)
    of = np.arange(len(gold)) if clusters is None else clusters[rated]
    weights = np.random.default_rng(seed).exponential(size=(min(resamples, 2000), int(of.max()) + 1))[:, of]
    drawn = {"ccc": ccc(gold, answered, weights), "mae": (weights @ missed) / weights.sum(1)}
    observed = {"ccc": float(ccc(gold, answered)), "mae": float(missed.mean())}
    tails = [50 * (1 - LEVEL), 50 * (1 + LEVEL)]
    for name, value in observed.items():
        low, high = np.percentile(drawn[name], tails)
        worth[name] = {"value": value, "low": float(low), "high": float(high)}
    return worth
