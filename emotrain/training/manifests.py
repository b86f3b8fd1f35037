"""Which clips a recipe can use, which manifest it trains on, and how that is drawn when it is not there yet."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from emotrain.balance.drawable import drawable_clips
from emotrain.balance.manifest import build_manifest, write_manifest
from emotrain.balance.manifest_name import manifest_name
from emotrain.emotions import label_set
from emotrain.records import Clip, Split
from emotrain.training.recipe import Recipe


def usable_clips(recipe: Recipe, split: Split) -> tuple[list[Clip], Counter[str]]:
    """The clips of a split that have frames, and how many of each label were quarantined there.

    A clip that only the summary stage quarantined stays, without words: every arm of a comparison has the same clips.
    """
    return drawable_clips(Path(recipe.data.data), recipe.data.fold, split)


def manifest_path(recipe: Recipe) -> Path:
    """File of the recipe's manifest under its data folder."""
    name = manifest_name(recipe.balance.sampling, fold=recipe.data.fold, **drawing(recipe))
    return Path(recipe.data.data) / "manifests" / f"{name}.parquet"


def ensure_manifest(recipe: Recipe) -> Path:
    """Draw and write the recipe's manifest unless it is there; returns its path."""
    path = manifest_path(recipe)
    if not path.exists():
        clips, _ = usable_clips(recipe, "train")
        write_manifest(build_manifest(clips, recipe.balance.sampling, **drawing(recipe)), path)
    return path


def train_counts(recipe: Recipe) -> dict[str, int]:
    """Training clips a label, in label-set order; the counts that head, medium and tail are defined by."""
    counts = dict.fromkeys(label_set(recipe.data.label_set).labels, 0)
    for clip in usable_clips(recipe, "train")[0]:
        counts[clip.label] += 1
    return counts


def drawing(recipe: Recipe) -> dict[str, Any]:
    """Everything that the recipe says about drawing, under the names of `build_manifest`."""
    balance = recipe.balance
    return {
        "epochs": balance.epochs,
        "seed": balance.sampling_seed,
        "epoch_size": balance.epoch_size,
        "power": balance.sampling_power,
        "beta": balance.sampling_beta,
        "threshold": balance.sampling_threshold,
        "replacement": balance.replacement,
        "group_by": balance.group_by,
        "group_cap": balance.group_cap,
        "compound": balance.compound,
    }
