"""Baselines: the same clips, the same manifest, the same files as a VLM arm; and they can learn."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from emotrain.evaluation.baselines.run import BASELINES, run_baseline
from emotrain.evaluation.baselines.words import annotation, fit_and_score
from emotrain.evaluation.content_free import BLANKS, BlankExamples, blank
from emotrain.examples.manifests import usable_clips
from emotrain.metrics.predictions import read_predictions
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip

Rendered = Callable[..., Recipe]


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_of_the_list_is_there(name: str) -> None:
    assert callable(getattr(import_module(f"emotrain.evaluation.baselines.{BASELINES[name]}"), name))


def test_words_that_tell_the_label_are_learned_and_words_that_do_not_are_chance(rendered: Rendered) -> None:
    recipe = rendered(sampling="class_balanced")
    train, test = (usable_clips(recipe, split)[0] for split in ("train", "test"))
    told = {clip.clip_id: f"words of {clip.label}" for clip in [*train, *test]}
    names = [clip.label for clip in test]
    from emotrain.emotions import label_set

    labels = label_set("mafw").labels
    right = [labels[i] for i in fit_and_score(recipe, told, test).argmax(1)]
    assert np.mean([a == b for a, b in zip(right, names)]) > 0.9
    swapped = dict(zip(told, np.random.default_rng(0).permutation(list(told.values()))))
    wrong = [labels[i] for i in fit_and_score(recipe, swapped, test).argmax(1)]
    assert np.mean([a == b for a, b in zip(wrong, names)]) < 0.4


def test_summaries_of_a_shuffled_assignment_teach_nothing(rendered: Rendered) -> None:
    from emotrain.context.summarize import load_summaries
    from emotrain.emotions import label_set

    recipe = rendered(sampling="class_balanced")
    train, test = (usable_clips(recipe, split)[0] for split in ("train", "test"))
    stored = load_summaries(Path(recipe.data.data), "motion")
    ids = [clip.clip_id for clip in [*train, *test]]
    own = {clip_id: " ".join(summary.text for summary in stored[clip_id]) for clip_id in ids}
    labels = label_set("mafw").labels

    def accuracy(texts: dict[str, str]) -> float:
        answers = fit_and_score(recipe, texts, test).argmax(1)
        return float(np.mean([labels[i] == clip.label for i, clip in zip(answers, test)]))

    shuffled = [
        accuracy(dict(zip(ids, np.random.default_rng(seed).permutation([own[clip_id] for clip_id in ids]))))
        for seed in range(8)
    ]
    # 8 x 22 answers at a chance of 1/11: three standard deviations above it are 0.156.
    assert np.mean(shuffled) < 0.16
    assert accuracy(own) > 2 * np.mean(shuffled)


@pytest.mark.parametrize("name", ["tfidf", "oracle_text"])
def test_a_baseline_writes_what_an_arm_writes(rendered: Rendered, tmp_path: Path, name: str) -> None:
    metrics = run_baseline(name, rendered(arm=name), tmp_path)
    table = read_predictions(tmp_path / "predictions.parquet")
    assert len(table) == 22
    assert np.isfinite(table.logits).all()
    assert np.exp(table.logits).sum(1) == pytest.approx(1.0, abs=1e-6)
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["baseline"] == name
    assert metrics["uar"]["value"] > (0.5 if name == "oracle_text" else 0.2)
    assert (tmp_path / "recipe.resolved.yaml").exists()
    with pytest.raises(ValueError, match="another adapter, recipe or set of clips"):
        run_baseline({"tfidf": "oracle_text", "oracle_text": "tfidf"}[name], rendered(arm=name), tmp_path)


def test_the_zero_shot_model_corrected_by_its_own_prior_answers_less_one_sidedly(
    rendered: Rendered, tmp_path: Path
) -> None:
    from emotrain.evaluation.evaluate import evaluate

    raw = evaluate(rendered(context="none"), tmp_path / "raw")
    corrected = run_baseline("prior_corrected", rendered(context="none"), tmp_path / "corrected")
    assert corrected["collapse"]["normalised_entropy"] > raw["collapse"]["normalised_entropy"]
    assert corrected["clips"] == raw["clips"]


def test_what_cannot_be_computed_is_refused_with_the_reason(rendered: Rendered, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown baseline 'tf-idf'; did you mean 'tfidf'"):
        run_baseline("tf-idf", rendered(), tmp_path)
    with pytest.raises(ValueError, match="context: none"):
        run_baseline("tfidf", rendered(context="none"), tmp_path)


def test_an_annotation_is_told_in_the_words_of_summaries() -> None:
    clip = Clip("a", "a.mp4", "contempt", action_units=("L12", "4"), caption="He looks away")
    assert annotation(clip) == "left mouth corner pulls up; brows lower; He looks away"
    assert annotation(Clip("b", "b.mp4", "fear")) == ""


def test_blanks_are_blank_and_repeatable() -> None:
    import cv2

    for kind in BLANKS:
        pixels = cv2.imdecode(np.frombuffer(blank(kind, 16), np.uint8), cv2.IMREAD_COLOR)
        assert pixels.shape == (16, 16, 3)
        assert (pixels.std() > 0) == kind.startswith("noise")
        assert blank(kind, 16) == blank(kind, 16)
    assert blank("noise-0", 16) != blank("noise-1", 16)


def test_blanks_are_told_in_the_language_of_the_prompt(rendered: Rendered) -> None:
    from emotrain.emotions import label_set

    for language, quiet in (("en", "no visible change."), ("zh", "无可见变化。")):
        examples = BlankExamples(rendered(language=language), label_set("mafw").labels)
        assert {summary.text for summary in examples.summaries("black")} == {quiet}
