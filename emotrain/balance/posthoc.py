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
from scipy.optimize import minimize
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
    scores must be calibrated (`calibrate` first): an over-confident model is believed. A class that no clip speaks for
    ends near zero.
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


@dataclass(frozen=True, slots=True)
class Calibration:
    """Bias-corrected temperature scaling: calibrated logits are z / temperature + bias (C,)."""

    temperature: float
    bias: Vector

    def apply(self, logits: Matrix) -> Matrix:
        """Calibrated log-probabilities (N, C), under the class shares of the clips it was fitted on."""
        return log_softmax(_checked(logits) / self.temperature + self.bias, axis=1)


def calibrate(logits: Matrix, gold: NDArray[np.int64], *, biased: bool = True) -> Calibration:
    """Fit temperature and, if `biased`, a bias a class to held-out clips (N, C) with class positions `gold` (N,).

    BCTS of Alexandari et al. 2020, "Maximum Likelihood with Bias-Corrected Calibration is Hard-To-Beat at Label Shift
    Adaptation"; without bias it is the temperature of Guo et al. 2017. Minimises the mean negative log-likelihood, with
    a ridge of 1e-3 on the bias for classes that the clips separate; the temperature stays within 0.05 to 20.
    """
    scores = log_softmax(_checked(logits), axis=1)
    (n, classes), rows = scores.shape, np.arange(len(scores))

    def objective(flat: Vector) -> tuple[float, Vector]:
        bias = flat[1:] if biased else np.zeros(classes)
        scaled = scores * np.exp(-flat[0])
        log_p = log_softmax(scaled + bias, axis=1)
        error = np.exp(log_p)
        error[rows, gold] -= 1.0
        slope = -(error * scaled).sum() / n
        of_bias = error.mean(axis=0) + 1e-3 * bias
        loss = -log_p[rows, gold].mean() + 0.5e-3 * float(bias @ bias)
        return float(loss), np.concatenate([[slope], of_bias]) if biased else np.array([slope])

    bounds = [(-np.log(20.0), np.log(20.0))] + [(None, None)] * (classes if biased else 0)
    found = minimize(objective, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds).x
    return Calibration(float(np.exp(found[0])), found[1:] if biased else np.zeros(classes))


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
