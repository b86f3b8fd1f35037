"""The steps of a run: how many clips each has, and the draws of the manifest that fill whole ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from emotrain.balance.manifest import Manifest
from emotrain.emotions import label_set
from emotrain.examples.manifests import manifest_path, usable_clips
from emotrain.examples.targets import VOTES, drawn_votes
from emotrain.recipe.recipe import Recipe
from emotrain.records import Draw
from emotrain.training.world import processes


def clips_per_step(recipe: Recipe) -> int:
    """Clips of one optimiser step over all processes and micro-batches."""
    return int(recipe.sft.per_device_train_batch_size * recipe.sft.gradient_accumulation_steps * processes())


def steps_of(draws: int, each: int, max_steps: int = -1) -> int:
    """Optimiser steps of a run that walks so many draws once, `each` clips a step: whole ones, at most `max_steps`.

    Raises ValueError when there is no whole step, or when `max_steps` (-1 for none) asks for more than there are.
    """
    steps = draws // each
    if steps == 0:
        raise ValueError(
            f"{draws} draws do not fill one step of {each} clips; lower per_device_train_batch_size or "
            "gradient_accumulation_steps, or raise epochs"
        )
    if max_steps > steps:
        raise ValueError(
            f"max_steps: {max_steps}, but the manifest has {steps} steps of {each} clips and is walked once; raise "
            "epochs or lower max_steps"
        )
    return max_steps if max_steps > 0 else steps


def draws_dataset(recipe: Recipe, manifest: Manifest) -> Any:
    """The draws of whole steps in the order of the manifest: clip_id, label, weight, draw (place in it) and epoch.

    With `targets: votes` also the vote shares (C,) of each. Raises ValueError for a manifest that cannot be trained on.
    """
    from datasets import Dataset

    walked = _whole_steps(recipe, manifest)
    columns: dict[str, list[Any]] = {
        "clip_id": [draw.clip_id for draw in walked],
        "label": [draw.label for draw in walked],
        "weight": [draw.weight for draw in walked],
        "draw": list(range(len(walked))),
        "epoch": [draw.epoch for draw in walked],
    }
    if recipe.balance.targets == "votes":
        votes = drawn_votes(manifest, usable_clips(recipe, "train")[0], label_set(recipe.data.label_set).labels)
        columns[VOTES] = [votes[draw.clip_id] for draw in walked]
    return Dataset.from_dict(columns)


def _whole_steps(recipe: Recipe, manifest: Manifest) -> Sequence[Draw]:
    """The draws of the run's steps: what is trained on must not depend on how a step is cut up.

    Raises ValueError for a manifest with a weight that is not positive, and whatever `steps_of` raises.
    """
    each = clips_per_step(recipe)
    try:
        steps = steps_of(len(manifest.draws), each, recipe.sft.max_steps)
    except ValueError as error:
        raise ValueError(f"{manifest_path(recipe)}: {error}") from error
    walked = manifest.draws[: steps * each]
    for draw in walked:
        if not 0 < draw.weight < math.inf:
            raise ValueError(
                f"{manifest_path(recipe)}: epoch {draw.epoch}, position {draw.position}: clip {draw.clip_id!r} has the "
                f"weight {draw.weight}; expected a positive number, so rebuild the manifest"
            )
    return walked
