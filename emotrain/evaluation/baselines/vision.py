"""Training a classifier that sees and does not read, by the trainer and on the draws of the recipe's other arms.

The manifest's draws in its order, the loss and its balancing, the clips of a step, the number of steps, the optimiser
and the schedule are the recipe's own. A classifier is a module from a batch to log-probabilities (B, C), so that a
softmax leaves them as they are and the mass term of the loss is 0.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from emotrain.balance.losses import build_loss
from emotrain.balance.manifest import Manifest
from emotrain.emotions import frequency_groups, label_set
from emotrain.examples.manifests import checked_manifest, ensure_manifest, train_counts, usable_clips
from emotrain.examples.targets import target_of
from emotrain.metrics.scores import confusion, statistics
from emotrain.modeling.in_batches import in_batches, on_device
from emotrain.modeling.label_tokens import LabelTokens
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip
from emotrain.training.run import run
from emotrain.training.steps import draws_dataset
from emotrain.training.trainer import ManifestTrainer

Inputs = Callable[[Sequence[str]], Mapping[str, Tensor]]
"""From clip ids to the keyword arguments of a classifier's `forward`, (B, ...) each."""


class ClassifierTrainer(ManifestTrainer):
    """The trainer of a plain classifier: every label is one token, and its score what the classifier returns."""

    def scores(self, model: Any, inputs: Mapping[str, Tensor]) -> Tensor:
        """Log-probabilities (B, C) float32 of the batch."""
        scores: Tensor = model(**inputs)
        return scores


class ClassifierCollator:
    """Rows of `clip_id`, `label`, `weight` in; the classifier's inputs, `target` and `weight` (B,) out.

    The target is (B,) label positions, or (B, C) vote shares where the rows have them.
    """

    def __init__(self, inputs: Inputs, labels: Sequence[str]) -> None:
        self.inputs = inputs
        self.labels = tuple(labels)

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        batch = dict(self.inputs([row["clip_id"] for row in rows]))
        batch["target"] = target_of(rows, self.labels)
        batch["weight"] = torch.tensor([row["weight"] for row in rows], dtype=torch.float32)
        return batch


def fit_classifier(recipe: Recipe, build: Callable[[], nn.Module], inputs: Inputs, folder: Path) -> nn.Module:
    """Train a classifier on the recipe's manifest and return it; what lies finished in `folder` is read instead.

    `build` makes the untrained classifier; it is called under the recipe's seed. Goes on from the newest checkpoint in
    `folder` and raises what `run` raises.
    """
    from safetensors.torch import load_model
    from transformers.utils import SAFE_WEIGHTS_NAME

    recipe = in_folder(recipe, folder)
    ensure_manifest(recipe)
    manifest = checked_manifest(recipe)
    trainer = run(recipe, manifest, lambda: _trainer(recipe, manifest, build, inputs))
    if trainer is not None:
        return trainer.accelerator.unwrap_model(trainer.model)
    model = build()
    load_model(model, folder / SAFE_WEIGHTS_NAME)
    return model.to(recipe.sft.device)


def _trainer(recipe: Recipe, manifest: Manifest, build: Callable[[], nn.Module], inputs: Inputs) -> ClassifierTrainer:
    from transformers import set_seed

    names = label_set(recipe.data.label_set).labels
    draws = draws_dataset(recipe, manifest)
    set_seed(recipe.sft.seed)
    return ClassifierTrainer(
        labels=LabelTokens(names, tuple((position,) for position in range(len(names)))),
        label_loss=build_loss(recipe.balance.loss_settings(), manifest.stream_counts(names), train_counts(recipe)),
        objective=recipe.balance.objective,
        validate=_validation(recipe, inputs),
        model=build(),
        args=recipe.sft,
        train_dataset=draws,
        eval_dataset=draws.select([]) if recipe.sft.eval_strategy != "no" else None,
        data_collator=ClassifierCollator(inputs, names),
    )


def classify(recipe: Recipe, model: nn.Module, inputs: Inputs, clip_ids: Sequence[str]) -> npt.NDArray[np.float64]:
    """Log-probabilities (N, C) of the clips, in their order; the model's mode is put back afterwards."""

    def rows(part: Sequence[str]) -> Tensor:
        scores: Tensor = model(**on_device(model, inputs(part)))
        return scores.double()

    width = len(label_set(recipe.data.label_set))
    return in_batches(model, clip_ids, rows, width, batch_size=recipe.sft.per_device_eval_batch_size)


def in_folder(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with its checkpoints in `folder`: what lies in `output_dir` is an adapter's."""
    sft = copy.copy(recipe.sft)
    sft.output_dir = str(folder)
    # A few thousand parameters, or a network without language: there is nothing to recompute and no tokenizer to save.
    sft.activation_checkpointing = sft.gradient_checkpointing = (
        False  # one setting, of which the trainer reads the new name
    )
    return replace(recipe, sft=sft)


def _validation(recipe: Recipe, inputs: Inputs) -> Callable[[Any], dict[str, float]] | None:
    """Figures of the validation part (war, uar, tail_f1, ...); every process scores all of it, for it is cheap."""
    clips: list[Clip] = usable_clips(recipe, "validation")[0]
    if not clips:
        return None
    names = label_set(recipe.data.label_set).labels
    groups = frequency_groups(train_counts(recipe))

    def validate(model: Any) -> dict[str, float]:
        answers = classify(recipe, model, inputs, [clip.clip_id for clip in clips]).argmax(1)
        gold = np.array([names.index(clip.label) for clip in clips])
        figures = statistics(confusion(gold, answers, len(names)), names, groups)
        return {name: float(value) for name, value in figures.items()}

    return validate
