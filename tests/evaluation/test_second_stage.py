"""Second stage: heads on frozen embeddings and priors taken off the scores, each as a recipe key of the evaluation."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emotrain.balance.heads import HEADS, load_head
from emotrain.balance.manifest import read_manifest
from emotrain.balance.posthoc import calibrate, em_prior
from emotrain.balance.priors import class_prior
from emotrain.evaluation.baselines.run import run_baseline
from emotrain.evaluation.evaluate import evaluate
from emotrain.evaluation.second_stage import CHOSEN, HEAD
from emotrain.examples.input_contract import input_contract
from emotrain.examples.manifests import ensure_manifest, prior_of_training
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


@pytest.fixture(scope="module")
def adapter(rendered: Rendered, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that changes nothing, with the contract of a training on natural draws."""
    from peft import get_peft_model

    from emotrain.examples.base_model import load_base
    from emotrain.modeling.lora import lora_config

    folder, recipe = tmp_path_factory.mktemp("adapter"), rendered(sampling="natural")
    model, _ = load_base(recipe)
    get_peft_model(model, lora_config(model, 4, 8, 0.0)).save_pretrained(folder)
    input_contract(recipe, prior_of_training(recipe)).save(folder)
    return folder


def test_the_prior_of_training_is_what_the_adapter_says_its_scores_carry(
    rendered: Rendered, plain: Path, adapter: Path, tmp_path: Path
) -> None:
    # The recipe at hand draws in balance; the adapter did not, and its word counts.
    evaluate(rendered(posthoc="training_prior", posthoc_tau=0.5), tmp_path, str(adapter))
    labels = read_predictions(plain / "predictions.parquet").labels
    counts = read_manifest(ensure_manifest(rendered(sampling="natural"))).label_counts(labels)
    assert len(set(counts.values())) > 2, "the draws are imbalanced"
    np.testing.assert_allclose(scores(tmp_path), scores(plain) - 0.5 * np.log(class_prior(counts)), atol=1e-4)


def test_a_prior_that_is_not_in_the_scores_does_not_come_off(
    rendered: Rendered, plain: Path, adapter: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"was not trained.*own_prior"):
        evaluate(rendered(sampling="natural", posthoc="training_prior"), tmp_path / "base")
    for name, keys in (("drawn", {}), ("lost", {"sampling": "natural", "loss": "balanced_softmax"})):
        folder = tmp_path / name
        shutil.copytree(adapter, folder)
        recipe = rendered(**keys)
        input_contract(recipe, prior_of_training(recipe)).save(folder)
        with pytest.raises(ValueError, match="do not carry"):
            evaluate(rendered(sampling="natural", posthoc="training_prior"), tmp_path / "scores", str(folder))


def test_em_is_that_of_scores_calibrated_on_the_validation_part(
    rendered: Rendered, plain: Path, tmp_path: Path
) -> None:
    recipe = rendered(sampling="natural", posthoc="em")
    evaluate(recipe, tmp_path / "em")
    evaluate(rendered(sampling="natural", split="validation"), tmp_path / "validation")
    held_out = read_predictions(tmp_path / "validation" / "predictions.parquet")
    fitted = calibrate(held_out.logits, held_out.gold)
    source = np.exp(fitted.apply(held_out.logits)).mean(0)
    expected = em_prior(fitted.apply(scores(plain)), source).logits
    np.testing.assert_allclose(scores(tmp_path / "em"), expected, atol=2e-2)


def test_what_is_not_said_is_chosen_on_the_validation_part(rendered: Rendered, tmp_path: Path) -> None:
    evaluate(rendered(sampling="natural", head="tau_norm", head_l2=0.01), tmp_path / "chosen")
    found = json.loads((tmp_path / "chosen" / CHOSEN).read_text("utf-8"))
    assert (found["head_l2"], found["chosen_on"]) == (0.01, "validation, 22 clips")
    said = rendered(sampling="natural", head="tau_norm", head_l2=0.01, head_tau=found["head_tau"])
    evaluate(said, tmp_path / "said")
    np.testing.assert_array_equal(scores(tmp_path / "said"), scores(tmp_path / "chosen"))


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
        ({"head": "crt", "head_tau": 0.5}, "head_tau: 0.5 would be ignored with head: crt"),
    ],
)
def test_what_cannot_be_meant_is_refused(rendered: Rendered, keys: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        rendered(**keys)
