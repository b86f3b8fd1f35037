"""Intervals are those of the distributions that they claim, are paired, and are never of no width."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import beta, norm, t

from emotrain.metrics import scores
from emotrain.metrics.resampling import Sample, draw, interval, widening
from emotrain.metrics.trainings import deviations


def figures(matrix: np.ndarray) -> dict[str, np.ndarray]:
    recall, f1 = scores.recall(matrix), scores.f1(matrix)
    return {"war": scores.war(matrix), "uar": recall.mean(-1), "tail_f1": f1[..., -1], "recall": recall}


def answers(gold: np.ndarray, right: float, seed: int, k: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(gold)) < right, gold, (gold + rng.integers(1, k, len(gold))) % k)


GOLD = np.repeat([0, 1, 2], [120, 60, 29])


def spans(sample: Sample, *systems: np.ndarray, resamples: int = 4000) -> dict[str, dict[str, float]]:
    named = dict(zip("ab", ([one] for one in systems)))
    drawn = draw(sample, named, figures, resamples=resamples)
    last, first = drawn["ab"[len(systems) - 1]], drawn["a"] if len(systems) > 1 else None
    errors = deviations(last, first, stretch=widening(sample))
    values = last.values[0] - (0 if first is None else first.values[0])
    return {name: interval(values[f], values[f] + errors[:, f], least=-1.0) for f, name in enumerate(drawn["a"].names)}


def test_the_recall_of_a_class_has_jeffreys_interval_around_its_value() -> None:
    """Up to the small-sample widening and the shift to the observed value."""
    found = spans(Sample(GOLD, 3), np.where(np.arange(209) < 160, GOLD, 0))["recall/1"]
    hits = 40
    low, high = beta.ppf([0.025, 0.975], hits + 0.5, 60 - hits + 0.5)
    shift = hits / 60 - (hits + 0.5) / 61
    assert found["value"] == pytest.approx(hits / 60)
    assert (found["low"], found["high"]) == pytest.approx((low + shift, high + shift), abs=0.015)


@pytest.mark.parametrize("right", [True, False])
def test_a_system_that_is_all_right_or_all_wrong_is_not_certain(right: bool) -> None:
    found = spans(Sample(GOLD, 3), GOLD if right else (GOLD + 1) % 3)
    for name in ("war", "uar", "tail_f1", "recall/2"):
        assert found[name]["value"] == float(right)
        assert found[name]["high"] - found[name]["low"] > 0.003, name
    assert found["recall/2"]["high"] - found["recall/2"]["low"] > 0.03


def test_systems_that_are_alike_on_all_clips_may_still_differ_on_others() -> None:
    one = answers(GOLD, 0.6, 1)
    same = spans(Sample(GOLD, 3), one, one)["tail_f1"]
    assert same["value"] == 0.0
    assert same["low"] < 0 < same["high"]


def test_pairing_sees_what_two_intervals_hide() -> None:
    one = answers(GOLD, 0.6, 1)
    two = np.where(np.random.default_rng(2).random(209) < 0.2, GOLD, one)
    alone = [spans(Sample(GOLD, 3), system)["war"] for system in (one, two)]
    paired = spans(Sample(GOLD, 3), one, two)["war"]
    independent = np.hypot(*(span["high"] - span["low"] for span in alone))
    assert paired["high"] - paired["low"] < 0.8 * independent


def test_equal_clips_may_be_counted_instead_of_listed() -> None:
    one = answers(GOLD, 0.6, 1)
    rows, copies = np.unique(np.stack([GOLD, one], 1), axis=0, return_counts=True)
    listed = spans(Sample(GOLD, 3), one, resamples=8000)
    counted = spans(Sample(rows[:, 0], 3, copies=copies), rows[:, 1], resamples=8000)
    for name, span in listed.items():
        assert counted[name] == pytest.approx(span, abs=0.012), name


def test_subjects_of_one_clip_are_clips_and_subjects_of_ten_alike_are_one() -> None:
    gold, well = np.tile([0, 1], 60), np.repeat(np.random.default_rng(3).random(60) < 0.7, 2)
    one = np.where(well, gold, 1 - gold)
    by_clip = spans(Sample(gold, 2), one)["war"]
    alone = spans(Sample(gold, 2, clusters=np.arange(120)), one)["war"]
    assert alone["high"] - alone["low"] == pytest.approx(by_clip["high"] - by_clip["low"], rel=0.08)
    many = Sample(np.tile(gold, 10), 2, clusters=np.tile(np.arange(120) // 2, 10))
    hits = well[::2].mean()
    binomial = 2 * t.ppf(0.975, 59) * np.sqrt(hits * (1 - hits) / 59)
    wide = spans(many, np.tile(one, 10))["war"]
    assert wide["high"] - wide["low"] == pytest.approx(binomial, rel=0.06)


def test_few_clusters_are_widened_by_students_t_and_one_is_none() -> None:
    gold = np.tile([0, 1], 10)
    for groups in (4, 10):
        sample = Sample(gold, 2, clusters=np.arange(20) % groups // 2 * 2 + gold if groups == 4 else np.arange(20) // 2)
        effective = groups if groups == 10 else 2
        wanted = np.sqrt((effective + 1) / (effective - 1)) * t.ppf(0.975, effective - 1) / norm.ppf(0.975)
        assert widening(sample) == pytest.approx(wanted)
    with pytest.raises(ValueError, match="all clips are of one cluster"):
        widening(Sample(gold, 2, clusters=np.zeros(20, np.int64)))


def test_a_kind_is_never_missing_from_a_resample() -> None:
    """Three micro clips, all right: a resample without them used to count as accuracy 0."""
    kinds = {"micro": np.arange(209) < 3}
    found = spans(Sample(GOLD, 3, kinds=kinds), GOLD)["micro_accuracy"]
    assert found["value"] == 1.0
    assert 0.2 < found["low"] < 0.95


def test_three_seeds_that_differ_make_an_interval_wider_than_one_and_three_alike_do_not() -> None:
    gold = np.repeat([0, 1, 2], 100)
    one = answers(gold, 0.6, 1)
    sample = Sample(gold, 3)

    def width(*seeds: np.ndarray) -> float:
        drawn = draw(sample, {"a": list(seeds)}, figures, resamples=4000)["a"]
        found = interval(drawn.values[:, 1].mean(), drawn.values[:, 1].mean() + deviations(drawn)[:, 1])
        return found["high"] - found["low"]

    assert width(one, one, one) == pytest.approx(width(one), rel=0.05)
    spread = [answers(gold, right, seed) for seed, right in enumerate((0.5, 0.6, 0.7))]
    sd = np.std([(mine == gold).mean() for mine in spread], ddof=1)
    assert width(*spread) == pytest.approx(2 * t.ppf(0.975, 2) * sd / np.sqrt(3), rel=0.25)
    assert width(*spread) > 2 * width(one)


def test_coverage_is_near_nominal_for_a_class_of_29_clips() -> None:
    """The whole simulation is benchmarks/inference.py; resampled clips cover 60.9 % where recall is 3.4 %."""
    rng = np.random.default_rng(5)
    truth = {"tail_f1": {0.034: 0.0, 0.186: 0.0}}
    for recall in truth["tail_f1"]:
        row = np.array([[0.9, 0.095, 0.005], [0.1, 0.88, 0.02], [0.5, 0.5 - recall, recall]])
        clips = np.array([400, 300, 29])
        true = float(scores.f1(np.pad(row * clips[:, None], ((0, 0), (0, 2))))[2])
        inside = 0
        for trial in range(150):
            counts = np.stack([rng.multinomial(n, p) for n, p in zip(clips, row)])
            g, a = np.nonzero(counts)
            drawn = draw(Sample(g, 3, copies=counts[g, a]), {"a": [a]}, figures, resamples=400, seed=trial)["a"]
            f = drawn.names.index("tail_f1")
            found = interval(drawn.values[0, f], drawn.values[0, f] + deviations(drawn)[:, f])
            inside += found["low"] <= true <= found["high"]
        assert inside / 150 > 0.88, recall


def test_ten_thousand_resamples_of_ten_thousand_clips_take_under_five_seconds() -> None:
    rng = np.random.default_rng(0)
    gold, one = rng.integers(0, 11, 10_000), rng.integers(0, 13, 10_000)
    started = time.process_time()
    draw(Sample(gold, 11), {"a": [one]}, figures)
    assert time.process_time() - started < 5
