"""A set's composition: published counts, a balanced test part, disjoint people, timing, ids that tell nothing."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.emotions import PUBLISHED_COUNTS
from emotrain.synthetic.action_units import INDEX
from emotrain.synthetic.clip_plan import ClipPlan, apportion, plan_clips
from emotrain.synthetic.performance import DISTURBANCE, FPS, envelope, perform, write_script

PLANS = plan_clips(seed=1)


def _of(split: str) -> list[ClipPlan]:
    return [plan for plan in PLANS if plan.split == split]


def test_a_plan_is_a_pure_function_of_its_arguments() -> None:
    assert plan_clips(train=60, validation=22, test=22, seed=5) == plan_clips(train=60, validation=22, test=22, seed=5)
    assert plan_clips(train=60, validation=22, test=22, seed=5) != plan_clips(train=60, validation=22, test=22, seed=6)


def test_train_and_validation_follow_the_published_counts_with_two_clips_a_class_at_least() -> None:
    published = PUBLISHED_COUNTS["mafw"]
    for split, n in (("train", 1500), ("validation", 110)):
        counts = Counter(plan.script.label for plan in _of(split))
        assert counts.total() == n
        for label, count in counts.items():
            assert abs(count - published[label] * n / sum(published.values())) <= 1 or count == 2


def test_the_test_part_is_balanced_in_class_and_kind() -> None:
    assert set(Counter(plan.script.label for plan in _of("test")).values()) == {40}
    kinds = Counter((plan.script.label, plan.script.kind) for plan in _of("test"))
    assert all(kinds[label, "micro"] == 16 and kinds[label, "macro"] == 24 for label, _ in kinds if label != "neutral")
    assert kinds["neutral", None] == 40


def test_no_person_is_in_two_splits() -> None:
    people = [{plan.subject for plan in _of(split)} for split in ("train", "validation", "test")]
    seeds = [{plan.person_seed for plan in _of(split)} for split in ("train", "validation", "test")]
    for sets in (people, seeds):
        assert len(set().union(*sets)) == sum(len(s) for s in sets)
    assert len(people[0]) > 100


def test_clip_ids_are_unique_and_their_order_tells_nothing_of_the_label() -> None:
    assert len({plan.clip_id for plan in PLANS}) == len(PLANS)
    labels = [plan.script.label for plan in sorted(PLANS, key=lambda plan: plan.clip_id)]
    repeats = sum(a == b for a, b in pairwise(labels)) / len(labels)
    expected = sum((n / len(labels)) ** 2 for n in Counter(labels).values())
    assert repeats == pytest.approx(expected, abs=0.04)


def test_micro_expressions_last_a_quarter_to_half_a_second_and_macro_expressions_hold() -> None:
    for plan in PLANS:
        script = plan.script
        if script.onset_s is None or script.apex_s is None or script.offset_s is None:
            assert script.label == "neutral"
            assert script.kind is None
            continue
        assert 0 < script.onset_s < script.apex_s < script.offset_s < script.duration_s
        if script.kind == "micro":
            assert 0.25 <= script.offset_s - script.onset_s <= 0.5
            assert script.duration_s == 4.0
            assert 0 < max(script.peak) <= 0.82
        else:
            assert 0.8 <= script.hold_s <= 3.0
            assert 2.5 <= script.duration_s <= 4.0


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 1000), min_size=2, max_size=11), st.integers(22, 500))
def test_apportioned_counts_add_up_and_keep_the_least(weights: list[int], n: int) -> None:
    counts = apportion({str(i): w for i, w in enumerate(weights)}, n)
    assert sum(counts.values()) == n
    assert min(counts.values()) >= 2


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from(["micro", "macro"]), st.sampled_from(list(DISTURBANCE)))
def test_a_performance_peaks_inside_its_event_and_rests_outside(seed: int, kind: str, level: str) -> None:
    rng = np.random.default_rng(seed)
    script = write_script("surprise", kind, rng)  # type: ignore[arg-type]
    performance = perform(script, level, rng)  # type: ignore[arg-type]
    assert performance.units.shape == (script.n_frames, 19)
    shape = envelope(script.moves[0], performance.time_s)
    outside = shape == 0
    brows = performance.units[:, INDEX["1"]]
    assert not brows[outside].any()
    assert shape.max() > 0.85
    assert abs(performance.time_s[shape.argmax()] - script.apex_s) <= script.hold_s / 2 + 1.5 / FPS  # type: ignore[operator]


def test_neutral_clips_blink_and_show_nothing_else() -> None:
    closed = 0.0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        units = perform(write_script("neutral", None, rng), "moderate", rng).units
        closed += float(units[:, INDEX["45"]].max())
        assert not np.delete(units, INDEX["45"], axis=1).any()
    assert closed > 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label_set_name": "megc2019"}, "no published class counts"),
        ({"micro_share": 1.5}, "between 0 and 1"),
        ({"test": 15}, "too few"),
    ],
)
def test_impossible_sets_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan_clips(**arguments)
