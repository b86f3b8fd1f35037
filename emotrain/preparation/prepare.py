"""`emotrain prep RECIPE`: the stages of a recipe's preparation in order, skipping what is there."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emotrain.context.summarize import reads_video, summarize_clips
from emotrain.datasets.clips import CLIPS_FILE, read_index
from emotrain.datasets.index import READERS, index_clips, reader_options
from emotrain.datasets.index_file import REMEDY
from emotrain.datasets.index_words import show
from emotrain.digests import vouch_for_table
from emotrain.emotions import OWN, LabelSet, label_set, nearest
from emotrain.examples.manifests import ensure_manifest
from emotrain.examples.summaries import is_written_by_recipe, summary_options
from emotrain.faces.check import CHECKED, check_crops
from emotrain.faces.framing import framing_of
from emotrain.faces.stage import MOST_FACELESS, find_faces_stage
from emotrain.preparation.embed import embed_keyframes
from emotrain.recipe.arguments import DataArguments
from emotrain.recipe.recipe import Recipe
from emotrain.stages.stage import check_engine
from emotrain.video.extract import CLIP_LIMIT_S, extract_frames
from emotrain.video.probe import probe

STAGES = ("index", "faces", "frames", "summaries", "embeddings", "manifest")
SHARDED = ("faces", "frames", "summaries", "embeddings")


def prepare(
    recipe: Recipe,
    *,
    workers: int | None = None,
    max_bad_share: float = 0.01,
    stage: str | None = None,
    shard: tuple[int, int] | None = None,
    engine: str = "local",
    ray_address: str | None = None,
) -> Path:
    """Run the preparation stages of a recipe, or `stage` alone, or one shard (i, n) of it; returns the data folder.

    Faces, frames and motion summaries take their workers from `engine` (see `run_stage`), everything else runs here.
    Finished shards are not redone. Raises ValueError when the recipe names no data-set root and no index is there, for
    an unknown stage, and for a shard that the recipe's `prep_shards` does not know.
    """
    settings = recipe.data
    check_engine(engine, ray_address)
    _check_stage(stage, shard, settings.prep_shards)
    wanted = STAGES if stage is None else (stage,)
    taken_from: dict[str, Any] = {"engine": engine, "ray_address": ray_address}
    data = Path(settings.data)
    if "index" in wanted and not (data / CLIPS_FILE).exists():
        if settings.root is None:
            raise ValueError(
                f"root: the recipe names no data-set folder and {data / CLIPS_FILE} is not there; add `root: DIR` or "
                "pass --root DIR"
            )
        found = index_clips(
            settings.dataset,
            Path(settings.root),
            data,
            validation_share=settings.validation_share,
            seed=settings.index_seed,
            max_bad_share=max_bad_share,
            probe=probe if settings.probe else None,
            probe_timed=probe if settings.dataset == "csv" else None,
            assume_fps=settings.assume_fps,
            workers=workers,
            limit_s=CLIP_LIMIT_S if settings.probe or settings.dataset == "csv" else None,
            long_tail=settings.long_tail,
            long_tail_seed=settings.long_tail_seed,
            **index_options(settings),
        )
        show(found, data, sys.stderr)
    elif "index" in wanted:
        vouch_for_table(data / CLIPS_FILE, REMEDY)
    if stage != "index":
        _check_index(recipe)
    if "manifest" in wanted:
        # Asked here and not by the manifest: hours of frames would come first.
        read_index(data).check_fold(settings.fold)
    if "faces" in wanted and settings.crop == "face":
        report = find_faces_stage(
            data,
            settings.face_settings(),
            shards=settings.prep_shards,
            only=shard,
            workers=workers,
            max_bad_share=max_bad_share,
            max_faceless_share=max(MOST_FACELESS, max_bad_share),
            **taken_from,
        )
        print(report.in_words(), file=sys.stderr)
    elif "faces" in wanted and _is_to_be_checked(recipe):
        check_crops(data)
    if "frames" in wanted:
        report = extract_frames(
            data,
            **asdict(settings.frame_settings()),
            framing=framing_of(data, settings.crop, settings.view),
            shards=settings.prep_shards,
            only=shard,
            workers=workers,
            max_bad_share=max_bad_share,
            **taken_from,
        )
        print(report.in_words(), file=sys.stderr)
    if "summaries" in wanted and is_written_by_recipe(recipe.context):
        summarize_clips(
            data,
            recipe.context.summarizer,
            shards=settings.prep_shards,
            only=shard,
            workers=workers,
            max_bad_share=max_bad_share,
            **(taken_from if reads_video(recipe.context.summarizer) else {}),
            **summary_options(recipe.context),
        )
    if "embeddings" in wanted and settings.vision_embeddings == "stored":
        report = embed_keyframes(recipe, only=shard, max_bad_share=max_bad_share)
        print(report.in_words(), file=sys.stderr)
    if "manifest" in wanted:
        ensure_manifest(recipe)
    return data


def _is_to_be_checked(recipe: Recipe) -> bool:
    """Whether a sample of the clips should be looked at: they are taken for aligned crops of faces, and nobody has."""
    settings = recipe.data
    if recipe.context.question != "emotion":
        return False
    return settings.crop == "none" and settings.dataset != "synthetic" and not (Path(settings.data) / CHECKED).exists()


def index_options(settings: DataArguments) -> dict[str, str]:
    """The options of the data set's reader that a recipe names; people's own videos take its label set for granted."""
    options = {name: getattr(settings, name) for name in ("media", "labels", "caption", "annotation")}
    if settings.dataset in READERS and "label_set" in reader_options(settings.dataset):
        options["label_set"] = settings.label_set
    return {name: value for name, value in options.items() if value is not None}


def _check_stage(stage: str | None, shard: tuple[int, int] | None, shards: int) -> None:
    if stage is not None and stage not in STAGES:
        raise ValueError(f"--stage {stage!r} is not one of {', '.join(STAGES)}; {nearest(stage, STAGES)}")
    if shard is not None and stage not in SHARDED:
        raise ValueError(f"--shard needs --stage {' or --stage '.join(SHARDED)}; the other stages have no shards")
    if shard is not None and shard[1] != shards:
        raise ValueError(f"--shard {shard[0]}/{shard[1]}: the recipe has prep_shards: {shards}; make the two agree")


def _compared(found: LabelSet, wanted: LabelSet) -> tuple[str, str]:
    """Two label sets as they are compared: known ones by name, people's own classes by their names in any order."""
    if OWN in (found.name, wanted.name):
        return ", ".join(sorted(found.labels)), ", ".join(sorted(wanted.labels))
    return found.name, wanted.name


def _check_index(recipe: Recipe) -> None:
    index = read_index(Path(recipe.data.data))
    settings = recipe.data
    options = {**index_options(settings), "assume_fps": settings.assume_fps, "probe": settings.probe}
    if settings.long_tail is not None:
        options |= {"long_tail": settings.long_tail, "long_tail_seed": settings.long_tail_seed}
    odd = [
        f"{key} {found!r} there, {wanted!r} in the recipe"
        for key, found, wanted in (
            ("dataset", index.dataset, recipe.data.dataset),
            ("label_set", *_compared(index.label_set, label_set(settings.label_set))),
            ("validation_share", index.validation_share, settings.validation_share),
            ("index_seed", index.seed, settings.index_seed),
            *(
                (key, index.options.get(key), options.get(key))
                for key in sorted({*index.options, *options} - {"label_set"})
            ),
        )
        if found != wanted and (index.options or key in ("dataset", "label_set"))
    ]
    if odd:
        raise ValueError(f"{index.file}: {'; '.join(odd)}; choose another `data` folder or mend the recipe")
