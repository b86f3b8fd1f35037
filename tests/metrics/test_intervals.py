"""Intervals agree with statsmodels, with published counts, and with a bootstrap that gathers every clip."""

from __future__ import annotations

import time

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from emotrain.metrics import scores
from emotrain.metrics.intervals import bootstrap, proportion, resample_rows, wilson


def test_published_disgust_of_mae_dfer() -> None:
    """27 of 145 disgust clips of DFEW: 18.62 %, interval 13.1 to 25.7."""
    interval = proportion(27, 145)
    assert round(100 * interval["value"], 2) == 18.62
    assert round(100 * interval["low"], 1) == 13.1
    assert round(100 * interval["high"], 1) == 25.7


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (1, 1), (0, 29), (29, 29), (3, 29), (500, 2341)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_equals_statsmodels(successes: int, trials: int, level: float) -> None:
    expected = proportion_confint(successes, trials, alpha=1 - level, method="wilson")
    assert wilson(successes, trials, level) == pytest.approx(expected, abs=1e-12)


def test_wilson_of_nothing_is_everything_and_impossible_counts_are_errors() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="5 successes in 4 trials"):
        wilson(5, 4)


def test_drawing_rows_equals_gathering_clips() -> None:
    """The multinomial shortcut has the distribution of the plain stratified bootstrap."""
    rng = np.random.default_rng(0)
    gold = np.repeat([0, 1, 2], [60, 25, 12])
    predicted = np.where(rng.random(97) < 0.6, gold, rng.integers(0, 5, 97))
    matrix = scores.confusion(gold, predicted, 3)
    members = [np.flatnonzero(gold == c) for c in range(3)]
    gathered = []
    for _ in range(4000):
        drawn = np.concatenate([rng.choice(m, len(m)) for m in members])
        gathered.append(scores.confusion(gold[drawn], predicted[drawn], 3))
    plain, short = np.array(gathered), resample_rows(matrix, 4000, np.random.default_rng(1))
    assert (short.sum(-1) == matrix.sum(-1)).all()
    for figure in (scores.uar, scores.macro_f1, scores.war):
        a, b = figure(plain), figure(short)
        assert a.mean() == pytest.approx(b.mean(), abs=0.004)
        assert a.std() == pytest.approx(b.std(), rel=0.06)


def test_the_bootstrap_is_a_function_of_the_seed_and_holds_its_value() -> None:
    matrix = np.array([[8, 2, 0, 0], [3, 5, 1, 1]])
    figures = {"uar": scores.uar, "f1": scores.f1}

    def run(seed: int) -> dict[str, dict[str, float]]:
        return bootstrap(matrix, lambda m: {name: f(m) for name, f in figures.items()}, resamples=500, seed=seed)

    assert run(3) == run(3)
    assert run(3) != run(4)
    result = run(3)
    assert set(result) == {"uar", "f1/0", "f1/1"}
    assert all(row["low"] <= row["value"] <= row["high"] for row in result.values())
    assert result["uar"]["value"] == pytest.approx((0.8 + 0.5) / 2)


@pytest.mark.parametrize("right", [True, False])
def test_systems_that_are_all_right_or_all_wrong_have_a_bootstrap_interval_of_no_width(right: bool) -> None:
    """As docs/scoring.md says: resamples of alike clips are alike; the Wilson interval still has a width."""
    matrix = np.array([[20, 0, 0, 0], [0, 9, 0, 0]]) if right else np.array([[0, 20, 0, 0], [9, 0, 0, 0]])
    interval = bootstrap(matrix, lambda m: {"uar": scores.uar(m)}, resamples=50)["uar"]
    assert interval == {"value": float(right), "low": float(right), "high": float(right)}
    assert (1 - wilson(29, 29)[0] if right else wilson(0, 29)[1]) > 0.1


def test_coverage_is_near_nominal() -> None:
    """Of 300 samples from a known system, about 95 % of the UAR intervals hold the true UAR."""
    rng = np.random.default_rng(5)
    truth = np.array([[0.8, 0.15, 0.05, 0.0], [0.3, 0.6, 0.0, 0.1]])
    uar = (0.8 + 0.6) / 2
    inside = 0
    for trial in range(300):
        matrix = np.stack([rng.multinomial(n, row) for n, row in zip((120, 60), truth)])
        interval = bootstrap(matrix, lambda m: {"uar": scores.uar(m)}, resamples=400, seed=trial)["uar"]
        inside += interval["low"] <= uar <= interval["high"]
    assert 0.91 <= inside / 300 <= 0.98


def test_ten_thousand_resamples_of_ten_thousand_clips_take_under_five_seconds() -> None:
    rng = np.random.default_rng(0)
    matrix = scores.confusion(rng.integers(0, 11, 10_000), rng.integers(0, 13, 10_000), 11)
    started = time.process_time()
    bootstrap(matrix, lambda m: {"uar": scores.uar(m), "f1": scores.macro_f1(m), "war": scores.war(m)})
    assert time.process_time() - started < 5
