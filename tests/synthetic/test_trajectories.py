"""Classes of trajectories share their units and differ in their course."""

from __future__ import annotations

import numpy as np
import pytest

from emotrain.emotions import label_set
from emotrain.modeling.tiny_tokenizer import label_words
from emotrain.synthetic.action_units import visible_units
from emotrain.synthetic.clip_plan import plan_clips
from emotrain.synthetic.grades import film
from emotrain.synthetic.performance import perform
from emotrain.synthetic.trajectories import COURSES, LABELS, write_trajectory

PAIRS = (("up down", "down up"), ("brows corners", "corners brows"), ("sudden", "slow"), ("once", "thrice"))


def test_the_two_classes_of_a_pair_show_the_same_units_and_another_course() -> None:
    assert sorted(label for pair in PAIRS for label in pair) == sorted(LABELS) == sorted(COURSES)
    rng = np.random.default_rng(0)
    for pair in PAIRS:
        first, second = ([write_trajectory(label, rng) for _ in range(20)] for label in pair)
        shown = [
            {u for script in some for move in script.moves for u in visible_units(np.array(move.peak))}
            for some in (first, second)
        ]
        assert shown[0] == shown[1]
        lengths = [np.mean([s.moves[-1].offset_s - s.moves[0].onset_s for s in some]) for some in (first, second)]
        assert lengths[0] == pytest.approx(lengths[1], rel=0.35), "the length of what happens must not tell the class"
    order = [visible_units(np.array(move.peak)) for move in write_trajectory("up down", rng).moves]
    assert order[0] == visible_units(np.array(write_trajectory("down up", rng).moves[1].peak))
    rises = {
        label: [s.apex_s - s.onset_s for s in (write_trajectory(label, rng) for _ in range(20))]
        for label in ("sudden", "slow")
    }
    assert max(rises["sudden"]) < min(rises["slow"])
    assert len(write_trajectory("thrice", rng).moves) == 3
    with pytest.raises(ValueError, match="no course for 'sideways'"):
        write_trajectory("sideways", rng)


@pytest.mark.parametrize("label", LABELS)
def test_every_movement_lies_inside_the_clip_and_is_an_event(label: str) -> None:
    plans = plan_clips(label_set_name="trajectories", train=0, validation=0, test=16, seed=1)
    for plan in (plan for plan in plans if plan.script.label == label):
        assert len(plan.events) == len(COURSES[label])
        assert plan.events[0].onset_s > 0.1
        assert plan.events[-1].offset_s < plan.script.duration_s - 0.1
        onsets = [event.onset_s for event in plan.events]
        assert onsets == sorted(onsets)
        for played in (
            perform(plan.script, "none", np.random.default_rng(0)).units,
            film(plan.script, "still", np.random.default_rng(0)).units,
        ):
            for move in plan.script.moves:
                at = round(move.apex_s * 30)
                unit = int(np.argmax(np.array(move.peak)))
                assert played[at - 2 : at + 3, unit].max() > 0.8 * move.peak[unit]


def test_the_classes_are_no_words_of_the_tiny_base() -> None:
    assert label_set("trajectories").labels == LABELS
    assert not set(LABELS) & set(label_words())
