"""Do the probabilities mean what they say? ECE, Brier score and the bins of a reliability picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax

from emotrain.metrics.resampling import interval

BINS = 15


def calibration(
    gold: np.ndarray, logits: np.ndarray, bins: int = BINS, *, clusters: np.ndarray | None = None, resamples: int = 1000
) -> dict[str, Any]:
    """Calibration of (N, K) logits against (N,) true label indices; `clusters` (N,) are resampled as wholes.

    - `ece`: sum over equal-width confidence bins of n_b / N |accuracy - confidence| (Guo et al. 2017)
    - `brier`: mean over clips of the squared distance between probabilities and the one-hot truth (Brier 1950; 0 to 2)
    - `nll`: mean negative log-probability of the true label, in nats
    - `bins`: the non-empty bins, each with low, high, clips, confidence and accuracy
    - `intervals`: {"value", "low", "high"} of the three at 95 %. Noise alone makes an ECE above 0, and resampling adds
      its own: what resampled figures lie above the observed one on average is taken off them
    """
    probabilities = softmax(logits, axis=1)
    n = len(gold)
    confidence, right = probabilities.max(1), probabilities.argmax(1) == gold
    one_hot = np.zeros_like(probabilities)
    one_hot[np.arange(n), gold] = 1.0
    # A bin holds (low, high]; confidence 1 belongs to the last bin.
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    rows = []
    for b in np.unique(which):
        inside = which == b
        rows.append(
            {
                "low": float(b / bins),
                "high": float((b + 1) / bins),
                "clips": int(inside.sum()),
                "confidence": float(confidence[inside].mean()),
                "accuracy": float(right[inside].mean()),
            }
        )
    true_probability = np.maximum(probabilities[np.arange(n), gold], np.finfo(float).tiny)
    brier, nll = ((probabilities - one_hot) ** 2).sum(1), -np.log(true_probability)
    values = {
        "ece": float(sum(row["clips"] * abs(row["accuracy"] - row["confidence"]) for row in rows) / n),
        "brier": float(brier.mean()),
        "nll": float(nll.mean()),
    }
    weights = clip_weights(n, clusters, resamples)
    gaps = weights @ (np.eye(bins)[which] * (right - confidence)[:, None])
    drawn = {"ece": np.abs(gaps).sum(1), "brier": weights @ brier, "nll": weights @ nll}
    intervals = {
        name: interval(values[name], draws - draws.mean() + values[name], most=np.inf) for name, draws in drawn.items()
    }
    return {**values, "bins": rows, "intervals": intervals}


def clip_weights(n: int, clusters: np.ndarray | None, resamples: int) -> np.ndarray:
    """(R, N) exponential weights of clips or whole clusters that sum to one."""
    rng = np.random.default_rng(0)
    if clusters is None:
        weights = rng.standard_exponential((resamples, n))
    else:
        weights = rng.standard_exponential((resamples, int(clusters.max()) + 1))[:, clusters]
    shares: np.ndarray = weights / weights.sum(1, keepdims=True)
    return shares
