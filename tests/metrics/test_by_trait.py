"""The gap between groups is found where there is one, is nothing where there is none, and small groups say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from emotrain.metrics.by_trait import by_trait, worst_people
from emotrain.metrics.predictions import PredictionTable
from emotrain.records import Prediction

LABELS = ("a", "b", "c")


def people(
    rng: np.random.Generator, recalls: dict[str, float], each: int = 20, clips: int = 12, spread: float = 0.0
) -> tuple[PredictionTable, dict[str, dict[str, str]], dict[str, str]]:
    """A table of `each` people a group, whose recall is the group's give or take their own."""
    rows, traits, subjects = [], {}, {}
    for group, recall in recalls.items():
        for person in range(each):
            own = np.clip(recall + rng.normal(0, spread), 0, 1)
            for clip in range(clips):
                name, gold = f"{group}{person}-{clip}", int(rng.integers(3))
                answer = gold if rng.random() < own else (gold + 1) % 3
                rows.append(Prediction(name, None, LABELS[gold], LABELS[answer]))
                traits[name] = {"sex": group, "age": str(20 + person)}
                subjects[name] = f"{group}{person}"
    return PredictionTable(LABELS, tuple(rows)), traits, subjects


def test_a_gap_between_groups_is_found_and_named() -> None:
    table, traits, subjects = people(np.random.default_rng(0), {"f": 0.9, "m": 0.6})
    found = by_trait(table, traits, subjects)["sex"]
    assert (found["worst"], found["best"]) == ("m", "f")
    assert found["gap"]["low"] < 0.3 < found["gap"]["high"]
    assert found["gap"]["low"] > 0.1
    assert found["p"] < 0.01
    assert found["groups"]["m"]["clusters"] == 20
    assert set(found["labels"]) == set(LABELS)


def test_twenty_people_each_of_their_own_make_no_gap_of_their_groups() -> None:
    """People differ, groups do not: clips taken for independent would call it a gap in far more than 5 % of cases."""
    ps, of_clips = [], []
    for seed in range(60):
        table, traits, subjects = people(np.random.default_rng(seed), {"f": 0.7, "m": 0.7}, 10, 15, spread=0.25)
        only = {name: {"sex": of_clip["sex"]} for name, of_clip in traits.items()}
        ps.append(by_trait(table, only, subjects, resamples=50)["sex"]["p"])
        of_clips += [by_trait(table, only, resamples=50)["sex"]["p"]] if seed < 30 else []
    assert np.mean(np.array(ps) <= 0.05) <= 0.12
    assert np.mean(np.array(of_clips) <= 0.05) > 0.2


def test_many_numbers_are_thirds_and_small_groups_are_left_out_by_name() -> None:
    table, traits, subjects = people(np.random.default_rng(1), {"f": 0.8, "m": 0.8, "x": 0.1})
    few = {name: of_clip for name, of_clip in traits.items() if not name.startswith("x") or name.startswith("x0-")}
    found = by_trait(table, few, subjects)
    assert found["sex"]["left_out"] == {"x": 12}
    assert set(found["sex"]["groups"]) == {"f", "m"}
    assert len(found["age"]["groups"]) == 3
    assert sum(group["clips"] for group in found["age"]["groups"].values()) == sum(len(s) > 0 for s in few)
    assert by_trait(table, {"f0-0": {"sex": "f"}}, subjects) == {}


def test_labels_that_a_group_lacks_are_compared_in_none() -> None:
    rows = [Prediction(f"f{i}", None, "a", "a") for i in range(12)]
    rows += [Prediction(f"m{i}", None, "ab"[i % 2], "a") for i in range(24)]
    traits = {row.clip_id: {"sex": row.clip_id[0]} for row in rows}
    found = by_trait(PredictionTable(LABELS, tuple(rows)), traits)["sex"]
    assert found["labels"] == ["a"]
    assert found["gap"]["value"] == 0, "m is never right about b, which f never shows"


def test_the_worst_tenth_of_the_people_is_set_beside_what_chance_makes() -> None:
    rng = np.random.default_rng(2)
    table, _, subjects = people(rng, {"all": 0.8}, 40, 20)
    alike = worst_people(table, subjects)
    table, _, subjects = people(rng, {"all": 0.8}, 40, 20, spread=0.3)
    unlike = worst_people(table, subjects)
    assert alike is not None
    assert unlike is not None
    assert alike["worst_tenth"] == pytest.approx(alike["by_chance"], abs=0.08)
    assert unlike["worst_tenth"] < unlike["by_chance"] - 0.1
    assert worst_people(table, {name: name for name in subjects} | {"all0-0": "all0-1"}) is None
