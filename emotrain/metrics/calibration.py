"""Do the probabilities mean what they say? ECE, Brier score and the bins of a reliability picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax

BINS = 15


def calibration(gold: np.ndarray, logits: np.ndarray, bins: int = BINS) -> dict[str, Any]:
    """Calibration of (N, K) logits against (N,) true label indices.

    - `ece`: sum over equal-width confidence bins of n_b / N |accuracy - confidence| (Guo et al. 2017)
    - `brier`: mean over clips of the squared distance between probabilities and the one-hot truth (Brier 1950; 0 to 2)
    - `nll`: mean negative log-probability of the true label, in nats
    - `bins`: the non-empty bins, each with low, high, clips, confidence and accuracy
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
    return {
        "ece": float(sum(row["clips"] * abs(row["accuracy"] - row["confidence"]) for row in rows) / n),
        "brier": float(((probabilities - one_hot) ** 2).sum(1).mean()),
        "nll": float(-np.log(true_probability).mean()),
        "bins": rows,
    }
