"""Which clips a recipe can use, which manifest it trains on, and how that is drawn when it is not there yet."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from emotrain.balance.drawable import drawable_clips
from emotrain.balance.idle_loss import check_prior
from emotrain.balance.manifest import (
    Manifest,
    build_manifest,
    check_against,
    check_settings,
    over_cap_in_words,
    read_manifest,
    write_manifest,
)
from emotrain.balance.priors import class_counts
from emotrain.balance.score_prior import prior_to_remove
from emotrain.emotions import label_set
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip, Split


def usable_clips(recipe: Recipe, split: Split) -> tuple[list[Clip], Counter[str]]:
    """The clips of a split that have frames, and how many of each label were quarantined there.

    A clip that only the summary stage quarantined stays, without words: every arm of a comparison has the same clips.
    """
    return drawable_clips(Path(recipe.data.data), recipe.data.fold, split)


def manifest_path(recipe: Recipe) -> Path:
    """File of the recipe's manifest under its data folder."""
    name = recipe.balance.draw_settings().file_name(recipe.data.fold)
    return Path(recipe.data.data) / "manifests" / f"{name}.parquet"


def ensure_manifest(recipe: Recipe) -> Path:
    """Draw and write the recipe's manifest unless it is there; returns its path.

    Raises ManifestError when what is there was drawn with other settings.
    """
    path = manifest_path(recipe)
    if path.is_file() and path.with_suffix(".json").is_file():
        stored_manifest(recipe)
        return path
    manifest = build_manifest(usable_clips(recipe, "train")[0], recipe.balance.draw_settings())
    for line in over_cap_in_words(manifest):
        print(f"{path.name}: {line}", file=sys.stderr)
    return write_manifest(manifest, path)


def stored_manifest(recipe: Recipe) -> Manifest:
    """The manifest under the recipe's name; raises ManifestError when it was drawn with other settings."""
    path = manifest_path(recipe)
    manifest = read_manifest(path)
    check_settings(manifest, recipe.balance.draw_settings(), path)
    return manifest


def checked_manifest(recipe: Recipe) -> Manifest:
    """The recipe's manifest; raises ManifestError when it does not go with the recipe or with the clips there.

    Raises ValueError when the recipe's loss corrects a class prior that the manifest's draws no longer have.
    """
    manifest = stored_manifest(recipe)
    check_against(manifest, usable_clips(recipe, "train")[0])
    drawn = manifest.stream_counts(label_set(recipe.data.label_set).labels)
    check_prior(recipe.balance.loss_settings(), drawn, recipe.balance.sampling)
    return manifest


def prior_of_training(recipe: Recipe) -> dict[str, float] | None:
    """The class shares that the scores of a model trained by this recipe carry, None where there is none to take off.

    Draws the manifest where it is not there yet.
    """
    drawn = read_manifest(ensure_manifest(recipe)).stream_counts(label_set(recipe.data.label_set).labels)[-1]
    return prior_to_remove(recipe.balance.loss_settings(), drawn, train_counts(recipe))


def train_counts(recipe: Recipe) -> dict[str, int]:
    """Training clips a label, in label-set order; the counts that head, medium and tail are defined by.

    Raises ValueError for a clip of another label set.
    """
    return class_counts(usable_clips(recipe, "train")[0], label_set(recipe.data.label_set).labels)
