"""Views of a clip: one for all its keyframes, its words with it; a draw shows the same again, an evaluation none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from emotrain.context.facs_words import ONE_SIDE, PHRASES, describe
from emotrain.context.mirrored import mirrored, mirrored_text
from emotrain.context.views import STORED, TEST_VIEWS, View, augmentation
from emotrain.examples.examples import Collator, Examples
from emotrain.examples.redraw import redrawn
from emotrain.modeling.loading import load_model, load_processor
from emotrain.recipe.arguments import ContextArguments, DataArguments
from emotrain.records import Event, Frame, Summary

SIDED = [f"{side}{unit}" for unit in [*PHRASES, *ONE_SIDE] for side in "LR"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_words_of_a_mirrored_clip_are_those_of_its_mirrored_events(language: str) -> None:
    events = [Event(0.1, 0.2, 0.3, ("left inner brow", "chin", "right inner brow"), (unit,), 9.0) for unit in SIDED]
    events += [Event(0.1, 0.2, 0.3, ("left inner brow", "right inner brow"), (), 9.0)]
    for event in events:
        summary = Summary("a", 0, 0.0, 1.0, describe([event], language=language), True, "motion", (event,))
        (other,) = mirrored([summary])
        assert other.text == describe(other.events, language=language) != summary.text
        assert mirrored([other]) == [summary]
    assert mirrored_text("Left lid, RIGHT lid; leftmost") == "Right lid, LEFT lid; leftmost"


def test_a_view_changes_a_frame_as_it_says() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    image = Image.fromarray(pixels)
    assert np.array_equal(np.asarray(View(mirror=True).picture(image)), pixels[:, ::-1])
    assert View().picture(image) is image
    cut = View(box=(0.5, 0.5, 0.5)).picture(image)
    assert cut.size == image.size
    assert abs(np.asarray(cut).mean() - pixels[10:, 15:].mean()) < 4
    assert np.array_equal(np.asarray(View(gain=0.5).picture(image)), np.round(pixels * 0.5).astype(np.uint8))


def test_views_hang_on_seed_and_draw_and_stay_in_their_bounds() -> None:
    settings = augmentation({"mirror": 0.3, "crop": 0.2, "light": 0.1, "phase": True})
    assert settings is not None
    views = [settings.view(draw) for draw in range(400)]
    assert views == [settings.view(draw) for draw in range(400)]
    assert views != [replace(settings, seed=1).view(draw) for draw in range(400)]
    assert abs(np.mean([view.mirror for view in views]) - 0.3) < 0.07
    for view in views:
        left, top, side = view.box
        assert side >= 0.8
        assert min(left, top) >= 0
        assert max(left, top) + side <= 1 + 1e-9
        assert max(abs(view.gain - 1), abs(view.gamma - 1)) <= 0.1
        assert view.phase is not None
        assert 0 <= view.phase < 1
    assert augmentation({}) is None


def test_a_phase_moves_all_keyframes_alike_and_their_words_with_them() -> None:
    frames = [Frame("a", i, i / 25, "keyframe" if i in (25, 75) else "between", 0, b"") for i in range(100)]
    event = Event(1.5, 1.7, 1.9, ("chin",), ("17",), 9.0)
    summaries = [
        Summary("a", 0, 0.0, 1.0, describe([]), False, "motion"),
        Summary("a", 1, 1.0, 3.0, describe([event]), True, "motion", (event,)),
        Summary("a", 2, 3.0, 4.0, describe([]), False, "motion"),
    ]
    for phase, times in ((0.5, [1.0, 3.0]), (0.3, [0.6, 2.6]), (0.9, [1.8, 3.8])):
        keyframes, told = redrawn(frames, summaries, 2, phase=phase)
        assert [frame.time_s for frame in keyframes] == pytest.approx(times)
        (changed,) = [summary for summary in told if summary.changed]
        assert changed.start_s <= event.apex_s <= changed.end_s


@pytest.fixture
def collated(data: Path) -> Callable[..., Collator]:
    """Collators of six clips with two keyframes of noise, by their `augment`."""
    processor = load_processor("tiny", image_size=84)

    def collator(**augment: Any) -> Collator:
        arguments = DataArguments(data=str(data), label_set="dfew", keyframes=2, augment=augment)
        return Collator(Examples(arguments, ContextArguments(context="none"), ("anger", "fear")), processor)

    return collator


def test_training_draws_alone_show_other_views(collated: Any) -> None:
    plain = collated().inputs(["clip0"])["pixel_values"]
    augmented = collated(mirror=0.5, crop=0.2, light=0.2)
    row = {"clip_id": "clip0", "label": "anger", "weight": 1.0, "epoch": 0}

    def shown(draw: int) -> torch.Tensor:
        return augmented([{**row, "draw": draw}])["pixel_values"]

    assert torch.equal(augmented.inputs(["clip0"])["pixel_values"], plain)
    assert torch.equal(shown(3), shown(3))
    assert len({shown(draw).sum().item() for draw in range(5)} | {plain.sum().item()}) == 6
    assert torch.equal(collated()([{**row, "draw": 3}])["pixel_values"], plain)


def test_scores_over_views_are_the_mean_of_their_likelihoods(collated: Any) -> None:
    from emotrain.examples.scoring import score_clips
    from emotrain.modeling.label_tokens import processor_labels

    model, collator = load_model("tiny", "float32").eval(), collated()
    labels = processor_labels(collator.processor, ("anger", "fear"))

    def scores(*views: View) -> np.ndarray:
        return score_clips(model, ["clip0", "clip1"], collator, labels, batch_size=2, views=views)

    both = scores(STORED, View(mirror=True))
    assert np.exp(both) == pytest.approx((np.exp(scores(STORED)) + np.exp(scores(View(mirror=True)))) / 2, rel=1e-4)
    assert np.abs(both - scores(STORED)).max() > 1e-4
    assert all(views[0] == STORED for views in TEST_VIEWS.values())


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"augment": {"miror": 1}}, "did you mean 'mirror'"),
        ({"augment": {"crop": 0.9}}, "from 0 to 0.5"),
        ({"augment": {"phase": True}}, "between: -1"),
        ({"augment": {"mirror": 0.5}, "vision_embeddings": "stored"}, "remove one"),
        ({"augment": {"mirror": 0.5}, "view": "both", "crop": "face"}, "say view: face"),
    ],
)
def test_an_augmentation_that_cannot_be_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DataArguments(**keys)


def test_the_contract_does_not_know_of_views() -> None:
    told = DataArguments(augment={"mirror": 0.5, "crop": 0.1}).frame_settings()
    assert asdict(told) == asdict(DataArguments().frame_settings())
