"""The classes can be told apart by their units, well but not perfectly, and unit names say the right side."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from emotrain.emotions import label_set
from emotrain.motion.face_regions import REGIONS as REGION_NAMES
from emotrain.synthetic.action_units import AUS, INDEX, PROTOTYPES, REGIONS, regions_of, sample_units, visible_units
from emotrain.synthetic.performance import MICRO_STRENGTH
from emotrain.synthetic.still import render_training_frames


def _people(n: int, seed: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(label_set("mafw").labels, n)
    units = np.stack([sample_units(label, float(rng.uniform(*MICRO_STRENGTH)), rng) for label in labels])
    return units + noise * rng.standard_normal(units.shape), labels


def test_an_observer_of_noisy_units_tells_the_classes_apart_but_not_perfectly() -> None:
    reader = LogisticRegression(C=30.0, max_iter=2000).fit(*_people(150, 1, 0.12))
    units, labels = _people(100, 2, 0.12)
    assert 0.85 < balanced_accuracy_score(labels, reader.predict(units)) < 0.99


def test_every_class_of_both_label_sets_can_be_drawn() -> None:
    for name in ("mafw", "dfew"):
        assert set(label_set(name).labels) <= set(PROTOTYPES)


def test_contempt_is_one_sided_and_happiness_is_not() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        units = sample_units("contempt", 1.0, rng)
        left, right = units[[INDEX["L12"], INDEX["L14"]]].sum(), units[[INDEX["R12"], INDEX["R14"]]].sum()
        assert max(left, right) > 1.5 * min(left, right)
    assert "12" in visible_units(sample_units("happiness", 1.0, np.random.default_rng(1)))


def test_neutral_has_no_units_and_an_unknown_class_is_refused() -> None:
    assert not sample_units("neutral", 1.0, np.random.default_rng(0)).any()
    with pytest.raises(ValueError, match="no action-unit prototype for 'boredom'"):
        sample_units("boredom", 1.0, np.random.default_rng(0))


def test_unit_names_merge_both_sides_and_regions_are_those_of_the_summariser() -> None:
    units = np.zeros(len(AUS))
    units[[INDEX["L12"], INDEX["R12"], INDEX["L14"], INDEX["6"]]] = 0.5
    assert visible_units(units) == ("6", "12", "L14")
    assert regions_of(["12"]) == ("left mouth corner", "left cheek", "right mouth corner", "right cheek")
    assert {region for regions in REGIONS.values() for region in regions} <= set(REGION_NAMES)


def test_training_frames_are_a_pure_function_of_the_seed_and_show_every_unit() -> None:
    once = list(render_training_frames(60, seed=4, size=64))
    again = list(render_training_frames(60, seed=4, size=64))
    assert all(np.array_equal(a, c) and np.array_equal(b, d) for (a, b), (c, d) in zip(once, again))
    assert once[0][0].shape == (64, 64, 3)
    assert (np.stack([units for _, units in once]).max(axis=0) > 0.2).all()
