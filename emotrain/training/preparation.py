"""`emotrain prep RECIPE`: index, frames, summaries and manifest of a recipe, in order, skipping what is there."""

from __future__ import annotations

from pathlib import Path

from emotrain.context.summarize import BACKENDS, summarize_clips
from emotrain.datasets.clips import CLIPS_FILE, read_index
from emotrain.datasets.index import index_clips
from emotrain.training.manifests import ensure_manifest
from emotrain.training.recipe import Recipe
from emotrain.video.extract import extract_frames


def prepare(recipe: Recipe, *, workers: int | None = None, max_bad_share: float = 0.01) -> Path:
    """Run the four preparation stages of a recipe and return the data folder.

    Finished shards are not redone. Raises ValueError when the recipe names no data-set root and no index is there.
    """
    settings = recipe.data
    data = Path(settings.data)
    if not (data / CLIPS_FILE).exists():
        if settings.root is None:
            raise ValueError(
                f"root: the recipe names no data-set folder and {data / CLIPS_FILE} is not there; add `root: DIR` or "
                "pass --root DIR"
            )
        index_clips(settings.dataset, Path(settings.root), data, max_bad_share=max_bad_share)
    _check_index(recipe)
    extract_frames(
        data,
        policy=settings.keyframe_policy,
        keyframes=settings.keyframes,
        between=settings.between,
        size=settings.frame_size,
        decoder=settings.decoder,
        shards=settings.prep_shards,
        workers=workers,
        max_bad_share=max_bad_share,
    )
    if recipe.context.context != "none" and recipe.context.summarizer in BACKENDS:
        summarize_clips(
            data,
            recipe.context.summarizer,
            shards=settings.prep_shards,
            workers=workers,
            max_bad_share=max_bad_share,
        )
    ensure_manifest(recipe)
    return data


def _check_index(recipe: Recipe) -> None:
    index = read_index(Path(recipe.data.data))
    odd = [
        f"{key} {found!r} there, {wanted!r} in the recipe"
        for key, found, wanted in (
            ("dataset", index.dataset, recipe.data.dataset),
            ("label_set", index.label_set.name, recipe.data.label_set),
        )
        if found != wanted
    ]
    if odd:
        raise ValueError(f"{index.file}: {'; '.join(odd)}; choose another `data` folder or mend the recipe")
