"""Whose prior is in the scores: after training, exactly `carried_prior` has to come off for a uniform one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from emotrain.balance.draw_settings import DrawSettings
from emotrain.balance.losses import LossSettings, build_loss
from emotrain.balance.manifest import build_manifest
from emotrain.balance.score_prior import carried_prior, class_weights, leaves_a_prior, prior_to_remove
from emotrain.emotions import PUBLISHED_COUNTS
from emotrain.records import Clip

COUNTS = {"a": 2000, "b": 500, "c": 60}


@pytest.mark.parametrize(
    "settings",
    [
        LossSettings(),
        LossSettings("balanced_softmax"),
        LossSettings("logit_adjusted", tau=0.5),
        LossSettings(class_weights="inverse_frequency"),
        LossSettings(class_weights="effective_number", beta=0.999),
        LossSettings("logit_adjusted", tau=0.5, class_weights="effective_number", beta=0.99),
    ],
    ids=lambda s: f"{s.name}-{s.class_weights}",
)
def test_scores_at_the_optimum_of_a_loss_carry_the_prior_that_the_rule_says(settings: LossSettings) -> None:
    """Where nothing can be seen of a clip, the best score is the carried prior itself."""
    z = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    loss, y = build_loss(replace(settings, mass_weight=0.0), COUNTS), torch.arange(3)
    share = torch.tensor(list(COUNTS.values()), dtype=torch.float64)
    optimiser = torch.optim.LBFGS([z], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        terms = loss(z.expand(3, 3), y, 0.5)
        total = (terms.per_sample * terms.weight * share).sum() / (terms.weight * share).sum()
        total.backward()
        return total

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    found = torch.softmax(z.detach(), 0).numpy()
    np.testing.assert_allclose(found, carried_prior(settings, COUNTS), atol=1e-4)


def test_nothing_is_left_where_draws_or_loss_were_balanced() -> None:
    even = dict.fromkeys(COUNTS, 300)
    assert prior_to_remove(LossSettings(), even) is None
    assert prior_to_remove(LossSettings("balanced_softmax"), COUNTS) is None
    assert prior_to_remove(LossSettings(class_weights="inverse_frequency"), COUNTS) is None
    left = prior_to_remove(LossSettings(), COUNTS)
    assert left is not None
    assert left["c"] == pytest.approx(60 / 2560)


@pytest.mark.parametrize(
    ("loss", "draws", "left"),
    [
        (LossSettings(), DrawSettings("natural"), True),
        (LossSettings(), DrawSettings("square_root"), True),
        (LossSettings(), DrawSettings("class_balanced"), False),
        (LossSettings(), DrawSettings("progressive"), False),
        (LossSettings("balanced_softmax"), DrawSettings("natural"), False),
        (LossSettings("ldam", class_weights="inverse_frequency", drw_start=0.8), DrawSettings("natural"), False),
        (LossSettings("logit_adjusted", tau=0.5), DrawSettings("natural"), True),
    ],
)
def test_a_recipe_tells_what_its_scores_will_carry_before_there_are_clips(
    loss: LossSettings, draws: DrawSettings, left: bool
) -> None:
    assert leaves_a_prior(loss, draws) is left


@pytest.mark.parametrize("epochs", [1, 3, 10])
def test_drawing_a_clip_again_makes_no_second_sample_of_it(epochs: int) -> None:
    clips = {label: count * 4 // 5 for label, count in PUBLISHED_COUNTS["dfew"].items()}  # four of five folds
    draws = {label: epochs * count for label, count in clips.items()}
    weights = dict(zip(clips, class_weights(LossSettings(class_weights="effective_number"), draws, clips)))
    assert weights["disgust"] / weights["neutral"] == pytest.approx(16.7, abs=0.05)
    built = build_loss(LossSettings("ldam", class_weights="effective_number"), draws, clips)
    np.testing.assert_allclose(built.class_weights[0].numpy(), list(weights.values()))


def test_a_prior_that_changes_over_the_epochs_is_that_of_the_epoch_in_the_loss() -> None:
    clips = [Clip(f"{label}{n}", "p", label) for label, count in (("a", 80), ("b", 20)) for n in range(count)]
    manifest = build_manifest(clips, DrawSettings("progressive", epochs=3))
    stream = manifest.stream_counts(("a", "b"))
    assert [counts["b"] for counts in stream] == [20, 35, 50]
    loss = build_loss(LossSettings("balanced_softmax", mass_weight=0.0), stream)
    z, y = torch.tensor([[0.3, -0.2]]), torch.tensor([1])
    for step, counts in ((0, stream[0]), (7, stream[0]), (8, stream[1]), (16, stream[2]), (24, stream[2])):
        alone = build_loss(LossSettings("balanced_softmax", mass_weight=0.0), counts)(z, y, 0.0)
        torch.testing.assert_close(loss(z, y, step / 24), alone)
    steady = build_manifest(clips, DrawSettings("natural", epochs=3))
    assert steady.stream_counts(("a", "b")) == ({"a": 240, "b": 60},)
