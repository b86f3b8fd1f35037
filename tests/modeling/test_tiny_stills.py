"""Stills are a pure function of the seed, whoever renders them, and show what their intensities say."""

from __future__ import annotations

import numpy as np
import pytest

from emotrain.modeling.tiny import VisionLanguageModel
from emotrain.modeling.tiny_eyesight import train_eyesight
from emotrain.modeling.tiny_schooling import school
from emotrain.modeling.tiny_stills import ACTS, FRAMES_EACH, SHOTS, Stills, joined, random_units, render_stills
from emotrain.synthetic.action_units import AUS, INDEX
from emotrain.synthetic.styles import HELD_BACK, HeldBack


def test_stills_do_not_depend_on_the_number_of_workers(tiny: VisionLanguageModel) -> None:
    alone = render_stills(3, 2, tiny.processor.image_processor, workers=1)
    together = render_stills(3, 2, tiny.processor.image_processor, workers=2)
    np.testing.assert_array_equal(alone.images, together.images)
    np.testing.assert_array_equal(alone.units, together.units)
    assert alone.images.shape == (2 * FRAMES_EACH, 84, 84, 3)
    second = render_stills(3, 1, tiny.processor.image_processor, first=1, workers=1)
    np.testing.assert_array_equal(alone.images[FRAMES_EACH:], second.images)


def test_shots_of_an_act_differ_in_strength_only(tiny: VisionLanguageModel) -> None:
    units = render_stills(3, 1, tiny.processor.image_processor, workers=1).units
    units = np.delete(units, INDEX["45"], axis=1)
    acts = units[: ACTS * SHOTS].reshape(ACTS, SHOTS, -1)
    np.testing.assert_array_equal(acts[:, 0] > 0, acts[:, 1] > 0)
    assert (acts[:, 1] <= acts[:, 0]).all()
    assert (units[ACTS * SHOTS :] == 0).all()


def test_units_are_drawn_independently() -> None:
    """No unit tells of another beyond the small negative correlation that a limited number of units brings."""
    rng = np.random.default_rng(0)
    drawn = np.stack([random_units(rng) > 0 for _ in range(4000)])[
        :, [i for i, a in enumerate(AUS) if a[0] not in "LR"]
    ]
    drawn = drawn[:, drawn.std(0) > 0]
    off_diagonal = np.corrcoef(drawn.T.astype(float))[~np.eye(drawn.shape[1], dtype=bool)]
    assert np.abs(off_diagonal).max() < 0.12


def test_schooling_takes_the_known_styles_and_refuses_the_one_held_back(tiny: VisionLanguageModel) -> None:
    classic = render_stills(3, 1, tiny.processor.image_processor, workers=1)
    drawn = render_stills(3, 1, tiny.processor.image_processor, workers=1, styles=("line",))
    both = joined(classic, drawn)
    assert len(both) == 2 * FRAMES_EACH
    assert both.styles == ("line",)
    assert np.abs(classic.images.astype(int) - drawn.images).mean() > 10
    kept = Stills(drawn.images, drawn.units, (HELD_BACK,))
    with pytest.raises(HeldBack, match="never see it"):
        train_eyesight(tiny.model.model.visual, joined(both, kept), tiny.processor.image_processor, 1, 0)
    with pytest.raises(HeldBack, match="never see it"):
        school(tiny.model, tiny.processor, kept, 1, 0)
