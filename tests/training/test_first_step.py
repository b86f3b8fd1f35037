"""The loss of the first step equals a formula that shares no code with the trainer: tokens, votes, margins.

Before the first update an adapter changes nothing, so the base model gives the likelihoods that the step had.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emotrain.atomic_files import write_table
from emotrain.balance.manifest import Manifest
from emotrain.datasets.clips import read_clips
from emotrain.records import Clip, to_table

LABELS = ("happiness", "sadness", "neutral", "anger that lasts for a while")
"""Answers of two to many tokens."""
OWN = ", ".join(LABELS)
BATCH = 8
Run = Callable[..., tuple[list[dict[str, Any]], Manifest]]


def voted(clip: Clip, number: int) -> Clip:
    """Five votes for the label, three for another, two for one outside the set; of every fifth clip none at all."""
    other = LABELS[(LABELS.index(clip.label) + 1 + number % 3) % 4]
    return replace(clip, votes=None if number % 5 == 0 else {clip.label: 0.5, other: 0.3, "contempt": 0.2})


@pytest.fixture
def data(bench: Any, tmp_path: Path) -> Path:
    """The bench's data with a label of many tokens, and with votes."""
    folder = tmp_path / "data"
    shutil.copytree(bench.data, folder, ignore=shutil.ignore_patterns("manifests"))
    named = [replace(c, label=LABELS[3] if c.label == "anger" else c.label) for c in read_clips(folder)]
    write(folder, [voted(clip, number) for number, clip in enumerate(named)])
    return folder


def write(folder: Path, clips: Sequence[Clip]) -> None:
    metadata = {"root": str(folder), "label_set": "dfew", "dataset": "csv"}
    write_table(to_table(clips, Clip, metadata), folder / "clips.parquet")


@pytest.fixture
def run(bench: Any, data: Path, tmp_path: Path) -> Run:
    """Trains two steps on the data and returns the log and the manifest."""

    def train_two_steps(name: str, **values: Any) -> tuple[list[dict[str, Any]], Manifest]:
        import json

        from emotrain.examples.manifests import checked_manifest, ensure_manifest
        from emotrain.recipe.recipe import load_recipe
        from emotrain.training.train import train

        common = {"data": str(data), "label_set": OWN, "epochs": 1, "per_device_train_batch_size": BATCH}
        recipe = load_recipe(bench.recipe(tmp_path / name, **{**common, **values}))
        ensure_manifest(recipe)
        output = train(recipe)
        history = json.loads((output / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
        return history, checked_manifest(recipe)

    return train_two_steps


def answers(bench: Any) -> list[list[int]]:
    """The tokens of every answer: the label and the end of the turn."""
    from emotrain.modeling.loading import load_processor

    tokenizer = load_processor(str(bench.base)).tokenizer
    return [tokenizer.encode(f"{label}<|im_end|>", add_special_tokens=False) for label in LABELS]


def likelihoods(bench: Any, data: Path, clip_ids: Sequence[str]) -> np.ndarray:
    """log p(label | clip) by one ordinary forward pass for each clip and label, (B, C) float64."""
    from emotrain.examples.examples import Collator, Examples
    from emotrain.modeling.loading import load_model, load_processor
    from emotrain.recipe.arguments import ContextArguments, DataArguments

    processor = load_processor(str(bench.base), image_size=56)
    examples = Examples(DataArguments(data=str(data), label_set=OWN), ContextArguments(context="none"), LABELS)
    collator, model = Collator(examples, processor), load_model(str(bench.base), "float32").eval()
    scores = np.zeros((len(clip_ids), len(LABELS)))
    for row, clip_id in enumerate(clip_ids):
        prompt = collator.inputs([clip_id])
        for column, ids in enumerate(answers(bench)):
            inputs = dict(prompt)
            inputs["input_ids"] = torch.cat([prompt["input_ids"], torch.tensor([ids])], dim=1)
            inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
            if "mm_token_type_ids" in prompt:
                text = torch.zeros((1, len(ids)), dtype=prompt["mm_token_type_ids"].dtype)
                inputs["mm_token_type_ids"] = torch.cat([prompt["mm_token_type_ids"], text], dim=1)
            with torch.inference_mode():
                said = model(**inputs).logits[0, -len(ids) - 1 : -1].double().log_softmax(-1)
            scores[row, column] = said[torch.arange(len(ids)), torch.tensor(ids)].sum()
    return scores


def first_step(manifest: Manifest) -> tuple[list[str], np.ndarray]:
    draws = manifest.draws[:BATCH]
    return [draw.clip_id for draw in draws], np.array([LABELS.index(draw.label) for draw in draws])


def logged(history: list[dict[str, Any]], key: str) -> float:
    return float(next(entry[key] for entry in history if key in entry))


def test_the_tokens_objective_is_the_mean_nll_over_all_answer_tokens_of_the_step(
    run: Run, bench: Any, data: Path
) -> None:
    history, manifest = run("tokens", objective="tokens")
    clip_ids, gold = first_step(manifest)
    lengths = np.array([len(ids) for ids in answers(bench)])[gold]
    assert len(set(lengths)) > 1, "answers of one length would hide how they are weighed"
    nll = -likelihoods(bench, data, clip_ids)[np.arange(BATCH), gold]
    assert logged(history, "loss") == pytest.approx(nll.sum() / lengths.sum(), rel=1e-5)
    assert abs((nll / lengths).mean() / (nll.sum() / lengths.sum()) - 1) > 1e-3, "a mean of means is another number"


def test_votes_are_the_target_over_the_label_set_and_tilt_the_class_weights(
    run: Run, bench: Any, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history, manifest = run("votes", targets="votes", class_weights="inverse_frequency")
    clip_ids, gold = first_step(manifest)
    clips = {clip.clip_id: clip for clip in read_clips(data)}
    target = np.zeros((BATCH, len(LABELS)))
    for row, clip_id in enumerate(clip_ids):
        votes = clips[clip_id].votes
        if votes is None:
            target[row, gold[row]] = 1.0
        else:
            known = {label: share for label, share in votes.items() if label in LABELS}
            for label, share in known.items():
                target[row, LABELS.index(label)] = share / sum(known.values())
    assert ((target > 0) & (target < 1)).any(1).sum() > BATCH // 2, "most clips of the step have votes that differ"
    counts = np.array([sum(draw.label == label for draw in manifest.draws) for label in LABELS])
    weights = (1 / counts) / (1 / counts).mean()
    z = likelihoods(bench, data, clip_ids)
    mass = np.log(np.exp(z).sum(1))
    of_sample = target @ weights
    expected = ((target * weights * (mass[:, None] - z)).sum() - (of_sample * mass).sum()) / of_sample.sum()
    assert logged(history, "loss") == pytest.approx(expected, rel=1e-5)
    agreed = target[np.arange(BATCH), z.argmax(1)].mean()
    assert logged(history, "label_accuracy") == pytest.approx(agreed, abs=1e-6)
    hard, _ = run("hard", class_weights="inverse_frequency")
    assert abs(logged(hard, "loss") / expected - 1) > 1e-3
    without = sum(clips[clip_id].votes is None for clip_id in {draw.clip_id for draw in manifest.draws})
    told = [line for line in capsys.readouterr().err.splitlines() if "have no votes" in line]
    assert len(told) == 1
    assert told[0].startswith(f"targets: votes: {without} of ")


def test_votes_that_all_agree_with_the_label_train_like_the_label(run: Run, data: Path) -> None:
    hard, _ = run("hard", class_weights="inverse_frequency")
    write(data, [replace(clip, votes={clip.label: 1.0}) for clip in read_clips(data)])
    votes, _ = run("votes", targets="votes", class_weights="inverse_frequency")
    for key in ("loss", "label_mass", "label_accuracy"):
        of_hard, of_votes = ([entry[key] for entry in log if key in entry] for log in (hard, votes))
        assert len(of_hard) >= 2
        assert of_votes == pytest.approx(of_hard, rel=1e-6)


def test_ldam_has_the_margins_of_the_clips_also_where_the_draws_are_balanced(run: Run, bench: Any, data: Path) -> None:
    history, manifest = run("ldam", loss="ldam", margin=2.0, sampling="class_balanced")
    clip_ids, gold = first_step(manifest)
    clips = [clip for clip in read_clips(data) if clip.split == "train"]
    counts = np.array([sum(clip.label == label for clip in clips) for label in LABELS])
    assert len(set(counts)) > 1
    margins = 2.0 * counts**-0.25 / (counts**-0.25).max()
    z = likelihoods(bench, data, clip_ids)
    mass = np.log(np.exp(z).sum(1))
    held = z - margins[gold][:, None] * np.eye(len(LABELS))[gold]
    nll = np.log(np.exp(held).sum(1)) - held[np.arange(BATCH), gold]
    assert logged(history, "loss") == pytest.approx((nll - mass).mean(), rel=1e-5)
    assert min(margins[gold]) < max(margins[gold]), "the draws are balanced and would have one margin"
