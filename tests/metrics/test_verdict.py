"""One rule for what may be called a difference, and what the clips can show at all."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from emotrain.metrics.detectable import detectable, fewest_wins, in_words
from emotrain.metrics.over_seeds import over_seeds
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.summary import compare, summarise
from emotrain.metrics.verdict import Contrast, Verdict, decide, equivalence_p
from emotrain.records import Kind, Prediction

LABELS = ("a", "b", "c")
GROUPS = {"a": "head", "b": "medium", "c": "tail"}
KINDS: dict[str, Kind | None] = {f"clip{n}": "micro" if n % 3 else "macro" for n in range(300)}


def table(right: float, seed: int, clips: int = 300) -> PredictionTable:
    """Answers of a system that is right on a share of the clips; the gold labels are the same for every seed."""
    random = np.random.default_rng(seed)
    gold = np.random.default_rng(99).choice(3, clips, p=[0.6, 0.3, 0.1])
    answers = np.where(random.random(clips) < right, gold, random.integers(0, 3, clips))
    rows = (Prediction(f"clip{n}", None, LABELS[g], LABELS[a]) for n, (g, a) in enumerate(zip(gold, answers)))
    return PredictionTable(LABELS, tuple(rows))


@pytest.mark.parametrize("subjects", [None, {f"clip{n}": str(n // 5) for n in range(300)}])
def test_a_study_says_of_one_training_what_a_report_says(subjects: dict[str, str] | None) -> None:
    """One interval and one p, to the last digit: the micro column had Wilson in one and a bootstrap in the other."""
    first, second = table(0.5, 1), table(0.8, 2)
    options = {"groups": GROUPS, "kinds": KINDS, "clusters": subjects, "resamples": 600}
    got = over_seeds(
        {"x": [first], "y": [second]},
        "x",
        contrasts=[Contrast("x", "y", "tail_f1")],
        **options,  # type: ignore[arg-type]
    )
    difference = compare(first, second, **options)  # type: ignore[arg-type]
    for name in ("war", "uar", "macro_f1", "tail_f1", "tail_recall", "micro_accuracy"):
        cell = {key: value for key, value in difference[name].items() if key != "p"}
        assert got.arms["y"].differences[name] == pytest.approx(cell, abs=1e-9)
    assert got.verdicts[0].p == difference["tail_f1"]["p"]
    alone = summarise(first, **options)  # type: ignore[arg-type]
    for name in ("war", "uar", "micro_accuracy"):
        assert got.arms["x"].figures[name] == pytest.approx(alone[name], abs=1e-9)
    assert got.clusters == (None if subjects is None else 60)


def test_holm_runs_over_the_declared_contrasts_and_nothing_else() -> None:
    arms = {"x": [table(0.5, 1)], "y": [table(0.6, 2)], "z": [table(0.51, 3)]}
    contrasts = [Contrast("x", "y"), Contrast("z", "y", "war")]
    got = over_seeds(arms, "x", contrasts=contrasts, resamples=400)
    assert [one.contrast for one in got.verdicts] == contrasts
    small, large = sorted(one.p for one in got.verdicts)
    assert sorted(one.p_holm for one in got.verdicts) == pytest.approx(sorted([2 * small, max(2 * small, large)]))
    assert "p" not in got.arms["y"].differences["uar"]


def test_a_contrast_whose_arm_is_missing_is_left_out() -> None:
    got = over_seeds({"x": [table(0.5, 1)], "y": [table(0.6, 2)]}, "x", contrasts=[Contrast("x", "gone")], resamples=50)
    assert got.verdicts == ()


def test_that_nothing_was_found_does_not_make_two_arms_equal() -> None:
    few = Verdict(Contrast("x", "y"), 0.02, -0.05, 0.09, 0.4)
    assert decide([few])[0].in_words() == "not told apart"
    noise = np.random.default_rng(0).normal(0, 0.01, 20_000)
    assert equivalence_p(0.005, noise, 0.03) == pytest.approx(0.006, abs=0.003)  # 2.5 standard errors from the margin
    assert equivalence_p(0.005, 4 * noise, 0.03) > 0.2
    assert equivalence_p(0.035, noise, 0.03) > 0.5
    wide, narrow = (
        decide([Verdict(Contrast("x", "y", margin=0.03), 0.0, -e, e, p)])[0].in_words()
        for e, p in ((0.05, 0.3), (0.01, 0.001))
    )
    assert (wide, narrow) == ("not shown to be equal within 3 points", "equal within 3 points")


def test_repeating_a_seed_narrows_nothing() -> None:
    one = over_seeds({"x": [table(0.5, 1)], "y": [table(0.7, 2)]}, "x", resamples=500)
    many = over_seeds({"x": [table(0.5, 1)] * 4, "y": [table(0.7, 2)] * 4}, "x", resamples=500)
    assert many.arms["y"].figures["uar"] == pytest.approx(one.arms["y"].figures["uar"], abs=1e-6)
    assert many.arms["y"].seed_sd["uar"] == pytest.approx(0.0)
    assert one.arms["y"].seed_sd["uar"] is None


def test_trainings_that_differ_as_much_as_arms_do_are_no_difference() -> None:
    """By the clips alone seed 0 of one recipe differs from seed 1 of the same; three seeds each say it is noise."""
    low, high = table(0.5, 1), table(0.75, 2)
    clips_alone = over_seeds({"x": [low], "y": [high]}, "x", contrasts=[Contrast("x", "y", "war")], resamples=400)
    assert clips_alone.verdicts[0].sure
    seeds = {"x": [table(0.5, 1), table(0.75, 2), table(0.6, 3)], "y": [table(0.7, 4), table(0.5, 5), table(0.72, 6)]}
    got = over_seeds(seeds, "x", contrasts=[Contrast("x", "y", "war")], resamples=400)
    assert not got.verdicts[0].sure


def test_tables_of_other_clips_are_refused() -> None:
    with pytest.raises(ValueError, match="clip"):
        over_seeds({"x": [table(0.5, 1)], "y": [table(0.5, 2, clips=299)]}, "x", resamples=50)


def test_what_the_clips_can_show_is_known_before_a_run() -> None:
    assert fewest_wins() == 6
    assert binomtest(6, 6).pvalue <= 0.05 < binomtest(5, 5).pvalue
    assert detectable([100]) == pytest.approx(2.8016 * np.sqrt(0.2 / 100), rel=1e-3)
    assert detectable([100, 100]) == pytest.approx(detectable([200]))
    text = " ".join(in_words({"neutral": 534, "disgust": 29}, ["disgust"]))
    assert "29 clips of disgust" in text
    assert "6 won and none lost (21 points)" in text
