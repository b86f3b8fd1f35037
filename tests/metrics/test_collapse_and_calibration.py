"""Collapse and calibration figures on cases whose answers are known by hand or from scikit-learn and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.metrics import log_loss

from emotrain.metrics.calibration import calibration
from emotrain.metrics.collapse import collapse

LABELS = ("happiness", "sadness", "disgust")
GROUPS = {"happiness": "head", "sadness": "medium", "disgust": "tail"}


def test_a_model_that_always_says_happiness_has_collapsed() -> None:
    result = collapse(np.array([[60, 0, 0, 0, 0], [30, 0, 0, 0, 0], [10, 0, 0, 0, 0]]), LABELS, GROUPS)
    assert result["normalised_entropy"] == 0.0
    assert result["head_absorption"] == 1.0
    assert result["share_ratio"] == pytest.approx({"happiness": 1 / 0.6, "sadness": 0.0, "disgust": 0.0})
    assert result["kl"] == pytest.approx(np.log(1 / 0.6))


def test_a_perfect_model_has_not() -> None:
    result = collapse(np.array([[60, 0, 0, 0, 0], [0, 30, 0, 0, 0], [0, 0, 10, 0, 0]]), LABELS, GROUPS)
    assert result["kl"] == pytest.approx(0.0)
    assert result["head_absorption"] is None
    assert all(ratio == pytest.approx(1.0) for ratio in result["share_ratio"].values())


def test_figures_equal_scipy_and_leave_unparsed_answers_out() -> None:
    matrix = np.array([[40, 15, 5, 3, 2], [9, 20, 1, 0, 4], [6, 1, 3, 1, 1]])
    result = collapse(matrix, LABELS, GROUPS)
    predicted, true = matrix[:, :3].sum(0), matrix.sum(1)
    assert result["kl"] == pytest.approx(entropy(predicted, true))
    assert result["normalised_entropy"] == pytest.approx(entropy(predicted) / np.log(3))
    # Nine errors on disgust, six of them happiness, the only head class.
    assert result["head_absorption"] == pytest.approx(6 / 9)


def test_nothing_answered_and_absent_classes_are_none_not_infinite() -> None:
    unparsed = collapse(np.array([[0, 0, 0, 0, 5], [0, 0, 0, 2, 0], [0, 0, 0, 0, 1]]), LABELS, GROUPS)
    assert unparsed["kl"] is None
    assert unparsed["normalised_entropy"] is None
    absent = collapse(np.array([[5, 0, 1, 0, 0], [0, 4, 0, 0, 0], [0, 0, 0, 0, 0]]), LABELS, None)
    assert absent["kl"] is None
    assert absent["share_ratio"]["disgust"] is None
    assert absent["head_absorption"] is None


def test_ece_of_a_case_done_by_hand() -> None:
    """Four clips at confidence 0.9, three right: |0.75 - 0.9|; two at 0.6, both right: |1 - 0.6|."""
    confident, unsure = np.log([0.9, 0.1]), np.log([0.6, 0.4])
    logits = np.stack([confident] * 4 + [unsure] * 2)
    result = calibration(np.array([0, 0, 0, 1, 0, 0]), logits)
    assert result["ece"] == pytest.approx(4 / 6 * 0.15 + 2 / 6 * 0.4)
    assert [row["clips"] for row in result["bins"]] == [2, 4]
    assert result["bins"][1]["accuracy"] == pytest.approx(0.75)


def test_brier_and_nll_equal_their_definitions() -> None:
    rng = np.random.default_rng(0)
    logits, gold = rng.normal(size=(200, 3)) * 3, rng.integers(0, 3, 200)
    result = calibration(gold, logits)
    probabilities = softmax(logits, axis=1)
    assert result["nll"] == pytest.approx(log_loss(gold, probabilities, labels=range(3)))
    assert result["brier"] == pytest.approx(((probabilities - np.eye(3)[gold]) ** 2).sum(1).mean())
    assert sum(row["clips"] for row in result["bins"]) == 200


def test_certainty_falls_into_the_last_bin() -> None:
    result = calibration(np.array([0, 1]), np.array([[900.0, -900.0], [900.0, -900.0]]))
    assert result["bins"] == [{"low": 14 / 15, "high": 1.0, "clips": 2, "confidence": 1.0, "accuracy": 0.5}]
    assert np.isfinite(result["nll"])
