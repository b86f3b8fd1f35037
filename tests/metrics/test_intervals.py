"""Wilson's intervals agree with statsmodels and with published counts."""

from __future__ import annotations

import pytest
from statsmodels.stats.proportion import proportion_confint

from emotrain.metrics.intervals import proportion, wilson


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
