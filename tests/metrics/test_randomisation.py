"""The paired randomisation test is exact, swaps what belongs together, and gives alike figures alike p."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from emotrain.metrics import scores
from emotrain.metrics.randomisation import p_values, swapped
from emotrain.metrics.resampling import Sample


def figures(matrix: np.ndarray) -> dict[str, np.ndarray]:
    recall, f1 = scores.recall(matrix), scores.f1(matrix)
    return {"war": scores.war(matrix), "uar": recall.mean(-1), "tail_recall": recall[..., 1], "f1": f1.mean(-1)}


def p_of(sample: Sample, first: np.ndarray, second: np.ndarray, swaps: int = 20_000) -> dict[str, float]:
    return dict(zip(figures(np.ones((2, 4))), p_values(*swapped(sample, [first], [second], figures, swaps=swaps))))


GOLD = np.repeat([0, 1], [60, 29])


@pytest.mark.parametrize(("won", "lost", "exact"), [(4, 0, 0.125), (5, 0, 0.0625), (6, 0, 0.03125), (7, 1, 0.0703)])
def test_clips_won_and_lost_give_the_exact_p(won: int, lost: int, exact: float) -> None:
    """29 clips of a class; a bootstrap called these .027, .009, .0026 and .031."""
    first, second = np.where(GOLD == 1, 0, GOLD), np.where(GOLD == 1, 0, GOLD)
    second[60 : 60 + won] = 1
    first[80 : 80 + lost] = 1
    assert binomtest(won, won + lost).pvalue == pytest.approx(exact, abs=1e-4)
    assert p_of(Sample(GOLD, 2), first, second)["tail_recall"] == pytest.approx(exact, rel=0.1)


def test_uar_and_war_of_balanced_clips_have_one_p() -> None:
    gold = np.repeat([0, 1], 41)
    rng = np.random.default_rng(0)
    first, second = (np.where(rng.random(82) < right, gold, 1 - gold) for right in (0.55, 0.7))
    found = p_of(Sample(gold, 2), first, second)
    assert found["war"] == found["uar"]


def test_the_figures_under_swaps_are_those_of_clips_swapped_by_hand() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 4, 89), rng.integers(0, 4, 89)
    sample = Sample(GOLD, 2, clusters=np.arange(89) % 2, kinds={"micro": np.arange(89) < 40})
    observed, under = swapped(sample, [first], [second], figures, swaps=200)
    by_hand = []
    for swap in ((0, 0), (0, 1), (1, 0), (1, 1)):
        take = np.array(swap)[np.arange(89) % 2].astype(bool)
        pair = np.where(take, second, first), np.where(take, first, second)
        one, two = (figures(scores.confusion(GOLD, a, 2)[None].astype(float)) for a in pair)
        hits = [(a == GOLD)[:40].mean() for a in pair]
        by_hand.append([*(float(two[name][0] - one[name][0]) for name in one), hits[1] - hits[0]])
    np.testing.assert_allclose(observed, by_hand[0], atol=1e-12)
    for row in under:
        assert min(np.abs(np.array(by_hand) - row).max(axis=1)) < 1e-9
    assert len(np.unique(under.round(9), axis=0)) == 4, "two subjects: four ways to swap"


def test_equal_clips_may_be_counted_instead_of_listed() -> None:
    rng = np.random.default_rng(2)
    first, second = np.where(rng.random(89) < 0.5, GOLD, 0), np.where(rng.random(89) < 0.7, GOLD, 0)
    rows, copies = np.unique(np.stack([GOLD, first, second], 1), axis=0, return_counts=True)
    listed = p_of(Sample(GOLD, 2), first, second)
    counted = p_of(Sample(rows[:, 0], 2, copies=copies), rows[:, 1], rows[:, 2])
    assert counted == pytest.approx(listed, abs=0.02)


def test_equal_systems_are_called_different_as_seldom_as_the_level_says() -> None:
    """The whole simulation is benchmarks/inference.py; the bootstrap did so in 7.9 % of pairs for tail F1."""
    rng = np.random.default_rng(3)
    called = 0
    for trial in range(400):
        first, second = (np.where(rng.random(89) < 0.2, GOLD, 1 - GOLD) for _ in range(2))
        p = p_values(*swapped(Sample(GOLD, 2), [first], [second], figures, swaps=300, seed=trial))
        called += p[2] <= 0.05
    assert called / 400 <= 0.07
