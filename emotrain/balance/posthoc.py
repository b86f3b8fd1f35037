"""Changing the label prior of a model after training, without touching its weights.

Logits (N, C) are log-likelihoods or any scores whose softmax is the model's posterior under a *source* prior; dividing
that prior out and multiplying another one in gives the posterior under the other. For a fine-tuned model the source is
the class distribution of its training stream. For a zero-shot model that is the wrong one: it has a prior of its own,
which is seen on content-free inputs (blank frames, empty summaries) or estimated from unlabelled clips.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp, softmax

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What EM found: the estimated prior (C,), the adapted logits (N, C), the steps it took, whether it settled."""

    prior: Vector
    logits: Matrix
    iterations: int
    converged: bool


def adjust(logits: Matrix, prior: Vector, tau: float = 1.0) -> Matrix:
    """Logit adjustment z - tau log pi (Menon et al. 2021, equation 9): tau = 1 gives the balanced posterior."""
    scores = _checked(logits)
    return scores - tau * np.log(_positive(prior, scores.shape[1]))


def shift_prior(logits: Matrix, source: Vector, target: Vector) -> Matrix:
    """Log-posterior (N, C) under the `target` prior of a model whose scores contain the `source` prior."""
    scores = _checked(logits)
    change = np.log(_positive(target, scores.shape[1])) - np.log(_positive(source, scores.shape[1]))
    return log_softmax(scores + change, axis=1)


def content_free_prior(logits: Matrix) -> Vector:
    """The model's own prior (C,): its mean posterior over content-free inputs (M, C) (Zhao et al. 2021).

    Several such inputs (black, grey and noise frames) average out what each of them resembles.
    """
    return softmax(_checked(logits), axis=1).mean(axis=0)


def em_prior(logits: Matrix, source: Vector, *, max_iterations: int = 1000, tolerance: float = 1e-8) -> Adaptation:
    """Estimate the class distribution of unlabelled clips by EM and adapt the logits to it (Saerens et al. 2002).

    `source` (C,) is the prior that the scores contain: that of the training stream, or `content_free_prior`. Each step
    takes the posterior under the current prior (E) and its mean as the next prior (M), equation 2.9; it stops when no
    share moves by more than `tolerance`. The likelihood is concave in the prior, so the start does not matter. The
    scores must be calibrated: an over-confident model is believed. A class that no clip speaks for ends near zero.
    """
    scores = _checked(logits)
    floor = np.finfo(np.float64).tiny
    likelihood = scores - np.log(_positive(source, scores.shape[1]))
    prior = np.full(scores.shape[1], 1.0 / scores.shape[1])
    iterations, settled = 0, False
    while not settled and iterations < max_iterations:
        iterations += 1
        joint = likelihood + np.log(np.maximum(prior, floor))
        before, prior = prior, np.exp(joint - logsumexp(joint, axis=1, keepdims=True)).mean(axis=0)
        settled = bool(np.abs(prior - before).max() <= tolerance)
    adapted = log_softmax(likelihood + np.log(np.maximum(prior, floor)), axis=1)
    return Adaptation(prior, adapted, iterations, settled)


def _checked(logits: Matrix) -> Matrix:
    scores = np.asarray(logits, dtype=np.float64)
    if scores.ndim != 2 or scores.shape[0] == 0:
        raise ValueError(f"logits of shape {scores.shape}: expected (N, C) with one row a clip and at least one row")
    bad = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if len(bad) > 0:
        raise ValueError(f"logits: row {bad[0]} is not finite ({len(bad)} such rows); score these clips again")
    return scores


def _positive(prior: Vector, classes: int) -> Vector:
    shares = np.asarray(prior, dtype=np.float64)
    if shares.shape != (classes,) or not (np.isfinite(shares) & (shares > 0)).all():
        raise ValueError(
            f"prior {shares.tolist()}: expected {classes} positive numbers, one a label; "
            "emotrain.balance.priors.class_prior makes one from counts and keeps empty classes above 0"
        )
    return shares / shares.sum()
