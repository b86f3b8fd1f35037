"""A model that knows the rare class and favours the common one is told from one that does not know it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from emotrain.evaluation.beyond_threshold import annotator_ceiling, beyond_threshold
from emotrain.metrics.calibration import calibration

LABELS = ("a", "b", "c")
COUNTS = {"a": 800, "b": 150, "c": 50}
GROUPS = {"a": "head", "b": "tail", "c": "tail"}
GOLD = np.repeat([0, 1, 2], 60)


def logits(known: float, prior: float) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal((180, 3))
    return noise + known * np.eye(3)[GOLD] + prior * np.log([0.8, 0.15, 0.05])


def test_what_is_lost_by_the_threshold_comes_back_along_tau_and_what_is_unknown_does_not() -> None:
    biased = beyond_threshold(GOLD, logits(3.0, 1.0), LABELS, COUNTS, GROUPS)  # type: ignore[arg-type]
    by_tau = {row["tau"]: row["uar"] for row in biased["tau_curve"]}
    fair = beyond_threshold(GOLD, logits(3.0, 0.0), LABELS, COUNTS, GROUPS)  # type: ignore[arg-type]
    assert by_tau[1.0] == fair["tau_curve"][0]["uar"] > by_tau[0.0] + 0.05
    assert biased["auroc"] > 0.9
    ignorant = beyond_threshold(GOLD, logits(0.0, 1.0), LABELS, COUNTS, GROUPS)  # type: ignore[arg-type]
    assert ignorant["auroc"] < 0.6
    assert max(row["uar"] for row in ignorant["tau_curve"]) < 0.45
    assert biased["war_at_training_prior"] > by_tau[0.0], "where classes occur as in training, the bias pays"


def test_annotators_bound_what_can_be_reached() -> None:
    votes = {"x": {"a": 0.5, "b": 0.5}, "y": {"a": 1.0, "elsewhere": 3.0}, "z": None, "w": {"elsewhere": 1.0}}
    z = np.log(np.array([[0.5, 0.5, 1e-9], [0.98, 0.01, 0.01], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]))
    found = annotator_ceiling(votes, ["x", "y", "z", "w"], np.array([1, 0, 1, 2]), z, LABELS)
    assert found is not None
    assert (found["clips"], found["agreement"], found["of_model"]) == (2, 0.75, 0.75)
    assert found["entropy"] == pytest.approx(np.log(2) / 2)
    assert found["soft_nll"] == pytest.approx((np.log(2) - np.log(0.98)) / 2, rel=1e-6)
    assert annotator_ceiling({}, ["x"], np.array([0]), z[:1], LABELS) is None


def test_calibration_has_intervals_that_hold_its_value_and_widen_with_people() -> None:
    rng = np.random.default_rng(1)
    z = log_softmax(rng.normal(0, 2, (600, 3)), axis=1)
    gold = (softmax(z, axis=1).cumsum(1) < rng.random((600, 1))).sum(1).clip(0, 2)
    found = calibration(gold, z)
    for name, span in found["intervals"].items():
        assert span["low"] <= found[name] == span["value"] <= span["high"]
    brier = found["intervals"]["brier"]
    errors = ((softmax(z, axis=1) - np.eye(3)[gold]) ** 2).sum(1)
    assert brier["high"] - brier["low"] == pytest.approx(2 * 1.96 * errors.std() / np.sqrt(600), rel=0.1)
    people = calibration(np.repeat(gold[:60], 10), np.repeat(z[:60], 10, axis=0), clusters=np.arange(600) // 10)
    wide = people["intervals"]["brier"]
    assert wide["high"] - wide["low"] > 2 * (brier["high"] - brier["low"])
