"""Averages over seeds: one seed agrees with the ordinary figures, several do not pretend to be more clips."""

from __future__ import annotations

import numpy as np
import pytest

from emotrain.metrics.over_seeds import over_seeds
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.summary import compare, summarise
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


def test_one_seed_gives_the_figures_and_intervals_of_the_ordinary_summary() -> None:
    first, second = table(0.5, 1), table(0.8, 2)
    got = over_seeds({"x": [first], "y": [second]}, "x", groups=GROUPS, kinds=KINDS)  # type: ignore[arg-type]
    wanted = summarise(second, groups=GROUPS, kinds=KINDS)  # type: ignore[arg-type]
    difference = compare(first, second, groups=GROUPS, kinds=KINDS)  # type: ignore[arg-type]
    for name in ("war", "uar", "macro_f1", "tail_f1", "tail_recall", "micro_accuracy"):
        assert got["y"].figures[name]["value"] == pytest.approx(wanted[name]["value"], abs=1e-6)
        assert got["y"].differences[name]["value"] == pytest.approx(difference[name]["value"], abs=1e-6)
        for end in ("low", "high"):
            assert got["y"].differences[name][end] == pytest.approx(difference[name][end], abs=0.04)
            if name != "micro_accuracy":  # there the summary has a Wilson interval
                assert got["y"].figures[name][end] == pytest.approx(wanted[name][end], abs=0.04)
    assert not got["x"].differences


def test_repeating_a_seed_narrows_nothing() -> None:
    one = over_seeds({"x": [table(0.5, 1)], "y": [table(0.7, 2)]}, "x")["y"]
    many = over_seeds({"x": [table(0.5, 1)] * 4, "y": [table(0.7, 2)] * 4}, "x")["y"]
    assert many.figures["uar"] == pytest.approx(one.figures["uar"], abs=1e-6)
    assert many.by_seed["uar"] == pytest.approx((one.figures["uar"]["value"],) * 4, abs=1e-6)


def test_holm_runs_over_the_figures_named() -> None:
    arms = {"x": [table(0.5, 1)], "y": [table(0.8, 2)], "z": [table(0.51, 3)]}
    got = over_seeds(arms, "x", holm_over=("uar",))
    cells = [got[name].differences["uar"] for name in ("y", "z")]
    assert cells[0]["p_holm"] == pytest.approx(2 * cells[0]["p"])
    assert cells[1]["p_holm"] >= cells[1]["p"]
    assert "p_holm" not in got["y"].differences["war"]


def test_tables_of_other_clips_are_refused() -> None:
    with pytest.raises(ValueError, match="clip"):
        over_seeds({"x": [table(0.5, 1)], "y": [table(0.5, 2, clips=299)]}, "x")
