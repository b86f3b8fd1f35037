"""Probabilities are told from logits whatever their rounding, and odd rows are named instead of turning the file."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from emotrain.metrics.calibration import calibration
from emotrain.metrics.scales import as_logits, rounding_tolerance

RNG = np.random.default_rng(0)
GOLD = RNG.integers(0, 11, 1500)
LOGITS = RNG.normal(size=(1500, 11)) + 2 * np.eye(11)[GOLD]
SHARES = softmax(LOGITS, axis=1)


def rows(values: np.ndarray) -> list[tuple[float, ...]]:
    return [tuple(row) for row in values.tolist()]


@pytest.mark.parametrize("decimals", [1, 2, 3, 6])
@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("scale", ["unknown", "probabilities"])
def test_rounded_probabilities_stay_probabilities(decimals: int, single: bool, scale: str) -> None:
    given = SHARES.round(decimals)
    if single:
        given = given.astype(np.float32).astype(np.float64)
    logits = np.array(as_logits(rows(given), [scale] * len(given)))
    assert softmax(logits, axis=1) == pytest.approx(given / given.sum(1, keepdims=True), abs=1e-9)
    if decimals > 1:
        assert calibration(GOLD, logits)["ece"] == pytest.approx(calibration(GOLD, LOGITS)["ece"], abs=0.01)


def test_half_precision_probabilities_are_probabilities() -> None:
    given = SHARES.astype(np.float16).astype(np.float64)
    assert max(map(max, as_logits(rows(given), ["unknown"] * len(given)))) <= 0


@pytest.mark.parametrize("scores", [LOGITS, log_softmax(LOGITS, axis=1), 1 / (1 + np.exp(-LOGITS))])
@pytest.mark.parametrize("scale", ["unknown", "logits"])
def test_other_scores_stay_as_they_are(scores: np.ndarray, scale: str) -> None:
    assert as_logits(rows(scores), [scale] * len(scores)) == rows(scores)


def test_scores_named_logits_are_never_taken_for_probabilities() -> None:
    assert as_logits([(0.25, 0.75), (0.5, 0.5)], ["logits", "logits"]) == [(0.25, 0.75), (0.5, 0.5)]


@pytest.mark.parametrize(
    ("scale", "reason"), [("unknown", "the other 1498 rows are probabilities"), ("probabilities", "are named as")]
)
def test_a_few_odd_rows_are_named_with_their_numbers(scale: str, reason: str) -> None:
    given = SHARES.copy()
    given[6] = 0.3
    given[99, 0] = -0.2
    with pytest.raises(ValueError, match=rf"(?s)2 of 1500 rows.*{reason}.*row 7: 0\.3, .*sum 3\.3\).*row 100: -0\.2"):
        as_logits(rows(given), [scale] * len(given))


@pytest.mark.parametrize("row", [(60.0, 40.0), (-0.5, -1.2), (0.0, 0.0), (0.4, float("inf"))])
def test_columns_named_as_probabilities_hold_probabilities(row: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="1 of 1 rows hold no probabilities"):
        as_logits([row], ["probabilities"])


def test_zero_is_finite_and_rows_without_scores_stay_without() -> None:
    first, second = as_logits([(0.25, 0.75, 0.0), ()], ["unknown", "unknown"])
    assert np.exp(first) == pytest.approx([0.25, 0.75, 0.0], abs=1e-9)
    assert second == ()


def test_the_tolerance_is_half_a_unit_of_the_last_decimal_a_label() -> None:
    assert rounding_tolerance(SHARES.round(2)) == pytest.approx(11 * 0.005)
    assert rounding_tolerance(SHARES) == rounding_tolerance(SHARES.round(5)) == 0.01
    assert rounding_tolerance(np.full((3, 40), 0.1)) == 0.5


def test_percentages_are_neither_logits_nor_probabilities() -> None:
    rows = [(40.0, 10.0, 50.0), (0.0, 99.6, 0.4), (33.3, 33.3, 33.3)]
    with pytest.raises(ValueError, match="3 of 3 rows hold percentages, such as 40, 10, 50"):
        as_logits(rows, ["unknown"] * 3)
    assert as_logits(rows, ["logits"] * 3) == rows
