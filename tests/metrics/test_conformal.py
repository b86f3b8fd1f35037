"""Sets of labels are as often right as promised, class by class, whatever the model; AURC asks who is surest."""

from __future__ import annotations

import numpy as np
import pytest

from emotrain.metrics.conformal import Calibration, calibrate, set_figures
from emotrain.metrics.selective import risk_coverage

LABELS = ("often", "less", "rarely")
SHARES = np.array([0.55, 0.35, 0.1])


def drawn(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """True classes and scores of a model that favours what it saw most, and is far too sure."""
    gold = rng.choice(3, n, p=SHARES)
    logits = rng.normal(0, 1, (n, 3)) + 1.5 * np.eye(3)[gold] + np.log(SHARES)
    return gold, 4 * logits


@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_every_class_is_covered_as_promised_though_the_model_is_miscalibrated(coverage: float) -> None:
    rng, held = np.random.default_rng(0), []
    for _ in range(150):
        gold, logits = drawn(300, rng)
        calibration = calibrate(gold, logits, LABELS)
        gold, logits = drawn(600, rng)
        (row,) = [row for row in set_figures(gold, logits, LABELS, calibration) if row["coverage"] == coverage]
        assert row["size"] < 3
        held.append([row["covered"]["value"], *(of["covered"] for of in row["classes"].values())])
    means = np.mean(held, axis=0)
    assert (means > coverage - 0.012).all(), means
    assert (means < coverage + 0.04).all(), "no wider than the promise asks, but for the grid of 30 rare clips"


def test_a_label_of_which_too_little_is_known_is_in_every_set() -> None:
    calibration = Calibration({"a": tuple([0.9] * 50), "b": (0.9, 0.95), "c": ()})
    inside = calibration.sets(np.array([[0.999, 0.0005, 0.0005], [0.2, 0.5, 0.3]]), ("a", "b", "c"), 0.9)
    assert inside.tolist() == [[True, True, True], [False, True, True]]
    assert calibration.always(0.9) == ["b", "c"]
    # Of two clips one can say something at .5: a third one is lowest of the three in one case of three.
    assert calibration.sets(np.array([[0.2, 0.5, 0.3]]), ("a", "b", "c"), 0.5).tolist() == [[False, False, True]]
    with pytest.raises(ValueError, match="calibrated for a, b, c, asked about a, b"):
        calibration.sets(np.ones((1, 2)), ("a", "b"), 0.9)
    with pytest.raises(ValueError, match="above 0 and below 1"):
        calibration.sets(np.ones((1, 3)), ("a", "b", "c"), 90)


def test_risk_is_the_errors_among_the_surest_and_ties_have_no_order() -> None:
    rng = np.random.default_rng(1)
    gold, logits = drawn(200, rng)
    found = risk_coverage(gold, logits)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    order = np.argsort(-shares.max(1))
    wrong = (shares.argmax(1) != gold)[order]
    by_hand = [wrong[:n].mean() for n in range(1, 201)]
    assert found["aurc"]["value"] == pytest.approx(np.mean(by_hand))
    assert found["aurc"]["low"] < found["aurc"]["value"] < found["aurc"]["high"]
    assert [row["risk"] for row in found["curve"]] == pytest.approx([by_hand[n - 1] for n in range(200, 0, -20)])
    best = np.mean([np.sort(wrong)[:n].mean() for n in range(1, 201)])
    assert found["excess"] == pytest.approx(np.mean(by_hand) - best)
    alike = np.tile([1.0, 0.0, 0.0], (200, 1))
    of_equals = risk_coverage(gold, alike)
    assert of_equals["aurc"]["value"] == pytest.approx((gold != 0).mean())
    assert {round(row["risk"], 9) for row in of_equals["curve"]} == {round((gold != 0).mean(), 9)}
