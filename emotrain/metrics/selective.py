"""What errors are left when a model answers only where it is surest: risk against coverage (El-Yaniv, Wiener 2010)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from emotrain.metrics.calibration import clip_weights
from emotrain.metrics.resampling import interval

SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


def risk_coverage(
    gold: npt.NDArray[np.int64],
    logits: npt.NDArray[np.float64],
    *,
    clusters: npt.NDArray[np.int64] | None = None,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Errors of (N, K) logits among the clips of highest confidence, against (N,) true label indices.

    - `aurc`: {"value", "low", "high"}, the error rate among the n surest clips, mean over n = 1 ... N (Geifman and
      El-Yaniv 2017); 0 is perfect, the error rate itself is a confidence that says nothing
    - `excess`: what of it a perfect order of the same answers would spare (Geifman, Uziel and El-Yaniv 2019)
    - `curve`: `coverage`, `risk` and the `confidence` from which a clip is answered, for each of SHARES

    Clips of equal confidence come in no order: each counts as their mean error.
    """
    shares = softmax(logits, axis=1)
    confidence, wrong = shares.max(1), (shares.argmax(1) != gold).astype(np.float64)
    order = np.argsort(-confidence, kind="stable")
    _, tied = np.unique(-confidence[order], return_inverse=True)
    means = np.bincount(tied, wrong[order]) / np.bincount(tied)
    errors, n = means[tied], len(gold)
    risks = np.cumsum(errors) / np.arange(1, n + 1)
    best = np.cumsum(np.sort(wrong)) / np.arange(1, n + 1)
    weights = clip_weights(n, clusters, resamples)[:, order]
    running = np.cumsum(weights, axis=1)
    drawn = (weights * np.cumsum(weights * errors, axis=1) / running).sum(1)
    value = float(risks.mean())
    at = [max(int(np.ceil(share * n - 1e-9)), 1) - 1 for share in SHARES]
    return {
        "aurc": interval(value, drawn - drawn.mean() + value),
        "excess": float(value - best.mean()),
        "curve": [
            {"coverage": share, "risk": float(risks[i]), "confidence": float(confidence[order[i]])}
            for share, i in zip(SHARES, at)
        ],
    }
