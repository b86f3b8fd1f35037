"""Second stage: heads on frozen embeddings and priors taken off the scores, each as a recipe key of the evaluation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emotrain.balance.heads import HEADS, load_head
from emotrain.balance.manifest import read_manifest
from emotrain.balance.posthoc import em_prior
from emotrain.balance.priors import class_prior
from emotrain.evaluation.baselines.run import run_baseline
from emotrain.evaluation.evaluate import evaluate
from emotrain.evaluation.second_stage import HEAD
from emotrain.examples.manifests import ensure_manifest
from emotrain.metrics.predictions import read_predictions
from emotrain.recipe.recipe import Recipe, RecipeError

Rendered = Callable[..., Recipe]


def scores(out: Path) -> np.ndarray:
    return read_predictions(out / "predictions.parquet").logits


@pytest.fixture(scope="module")
def plain(rendered: Rendered, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scores of the base as it is, under a recipe that draws classes as they are."""
    out = tmp_path_factory.mktemp("plain")
    evaluate(rendered(sampling="natural"), out)
    return out


def test_a_head_learns_from_the_training_clips_what_label_scores_do_not_know(
    rendered: Rendered, plain: Path, tmp_path: Path
) -> None:
    metrics = evaluate(rendered(sampling="natural", head="crt"), tmp_path)
    raw = read_predictions(plain / "predictions.parquet")
    assert metrics["war"]["value"] > (raw.gold == raw.predicted).mean() + 0.2
    head = load_head(tmp_path / HEAD)
    assert head.labels == raw.labels
    assert head.weight.shape == (11, head.centre.shape[0])


def test_the_prior_of_training_is_that_of_its_draws(rendered: Rendered, plain: Path, tmp_path: Path) -> None:
    recipe = rendered(sampling="natural", posthoc="training_prior", posthoc_tau=0.5)
    evaluate(recipe, tmp_path)
    counts = read_manifest(ensure_manifest(recipe)).label_counts(read_predictions(plain / "predictions.parquet").labels)
    assert len(set(counts.values())) > 2, "the draws are imbalanced"
    np.testing.assert_allclose(scores(tmp_path), scores(plain) - 0.5 * np.log(class_prior(counts)), atol=1e-4)


def test_em_reads_no_label_and_is_that_of_the_formula(rendered: Rendered, plain: Path, tmp_path: Path) -> None:
    recipe = rendered(sampling="natural", posthoc="em")
    evaluate(recipe, tmp_path)
    counts = read_manifest(ensure_manifest(recipe)).label_counts(read_predictions(plain / "predictions.parquet").labels)
    np.testing.assert_allclose(scores(tmp_path), em_prior(scores(plain), class_prior(counts)).logits, atol=1e-3)


def test_the_prior_of_its_own_is_that_of_the_baseline(rendered: Rendered, tmp_path: Path) -> None:
    evaluate(rendered(posthoc="own_prior"), tmp_path / "key")
    run_baseline("prior_corrected", rendered(), tmp_path / "baseline")
    np.testing.assert_allclose(scores(tmp_path / "key"), scores(tmp_path / "baseline"), atol=1e-5)


def test_scores_of_another_second_stage_are_not_taken_for_these(rendered: Rendered, plain: Path) -> None:
    with pytest.raises(ValueError, match="another adapter, recipe or set of clips"):
        evaluate(rendered(sampling="natural", head="lws"), plain)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"head": "ctr"}, f"'ctr' is not one of none, {', '.join(HEADS)}; did you mean 'crt'"),
        ({"posthoc": "prior"}, "'prior' is not one of none, training_prior, own_prior, em"),
        ({"head": "crt", "posthoc": "em"}, "answers in place of label scores"),
        ({"posthoc": "em", "posthoc_tau": 0.5}, "would be ignored with posthoc: em"),
    ],
)
def test_what_cannot_be_meant_is_refused(rendered: Rendered, keys: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        rendered(**keys)
