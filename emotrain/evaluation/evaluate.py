"""`emotrain evaluate RECIPE --adapter A --out E`: a checkpoint in, predictions and metrics out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from emotrain.atomic_files import write_json
from emotrain.emotions import frequency_groups, label_set
from emotrain.evaluation.scorer import load_scorer
from emotrain.evaluation.second_stage import second_stage_scores
from emotrain.examples.manifests import train_counts, usable_clips
from emotrain.examples.prepared import check_prepared
from emotrain.metrics.beyond_threshold import annotator_ceiling, beyond_threshold
from emotrain.metrics.clusters import known_clusters
from emotrain.metrics.predictions import PredictionTable, read_predictions, write_predictions
from emotrain.metrics.summary import summarise
from emotrain.modeling.adapters import adapter_digest, adapter_folder
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip, Prediction

PREDICTIONS = "predictions.parquet"
METRICS = "metrics.json"
MADE_FROM = "made_from"


def evaluate(recipe: Recipe, out: Path, adapter: str | None = None) -> dict[str, Any]:
    """Score the recipe's split with the base model, or with an adapter on it; returns the metrics.

    `adapter` is a folder or a Hub id, optionally `id@revision`; None is zero-shot. Writes predictions.parquet,
    metrics.json (with the clips that preparation quarantined, by label) and the resolved recipe. Predictions that are
    there already are not made again. Raises ValueError when those are of another adapter, recipe or set of clips.
    """
    folder = None if adapter is None else adapter_folder(adapter)
    digest = None if folder is None else adapter_digest(folder)
    return write_scores(
        recipe,
        out,
        lambda clips: prediction_table(
            recipe, clips, second_stage_scores(recipe, load_scorer(recipe, folder), clips, out, folder)
        ),
        identity=digest,
        about={"adapter": adapter, "adapter_digest": digest},
    )


def write_scores(
    recipe: Recipe,
    out: Path,
    predict: Callable[[list[Clip]], PredictionTable],
    *,
    identity: str | None,
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Predict the clips of the recipe's split, unless that is done, and write predictions, metrics and recipe to `out`.

    `identity` says which model predicts, so that predictions of another are never taken for its own; `about` is added
    to the metrics. Raises ValueError when `out` holds predictions of another model, recipe or set of clips.
    """
    check_prepared(recipe)
    clips, left_out = usable_clips(recipe, recipe.evaluation.split)  # type: ignore[arg-type]
    if not clips:
        raise ValueError(
            f"{recipe.data.data}: no usable clip in split {recipe.evaluation.split!r} of fold {recipe.data.fold}"
        )
    path = out / PREDICTIONS
    made_from = _made_from(recipe, identity, clips)
    if path.exists():
        _check_same(path, made_from)
    else:
        recipe.save(out)
        write_predictions(predict(clips), path, {MADE_FROM: made_from})
    table = read_predictions(path)
    found = known_clusters(table, {clip.clip_id: clip for clip in clips})
    by, clusters = found if found is not None else ("subject", None)
    metrics = summarise(
        table,
        groups=frequency_groups(train_counts(recipe)),
        kinds={clip.clip_id: clip.kind for clip in clips},
        clusters=clusters,
        cluster_by=by,
        resamples=recipe.evaluation.resamples,
    )
    metrics |= {**about, "quarantined": dict(left_out), "scores": None, "annotators": None}
    if table.logits is not None:
        counts, votes = train_counts(recipe), {clip.clip_id: clip.votes for clip in clips}
        metrics["scores"] = beyond_threshold(table.gold, table.logits, table.labels, counts, metrics["groups"])
        metrics["annotators"] = annotator_ceiling(votes, table.clip_ids, table.gold, table.logits, table.labels)
    write_json(metrics, out / METRICS)
    return metrics


def prediction_table(recipe: Recipe, clips: Sequence[Clip], logits: npt.NDArray[np.float64]) -> PredictionTable:
    """Predictions of `clips` from their label scores (N, C), in the order of the recipe's label set."""
    names = label_set(recipe.data.label_set).labels
    rows = tuple(
        Prediction(
            clip.clip_id,
            clip.test_fold,
            clip.label,
            names[int(np.argmax(z))],
            tuple(z.tolist()),
            recipe.evaluation.arm,
            recipe.sft.seed,
        )
        for clip, z in zip(clips, logits, strict=True)
    )
    return PredictionTable(names, rows)


def _made_from(recipe: Recipe, digest: str | None, clips: list[Clip]) -> str:
    """Sixteen hex digits of everything that the predictions depend on."""
    shown = deciding(recipe.values)
    return blake2b(
        json.dumps([shown, digest, [clip.clip_id for clip in clips]], sort_keys=True).encode(), digest_size=8
    ).hexdigest()


def deciding(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a recipe's values that predictions can depend on: not where things lie, nor how intervals are drawn."""
    return {key: value for key, value in values.items() if key not in ("output_dir", "resamples", "data", "root")}


def _check_same(path: Path, made_from: str) -> None:
    metadata = pq.read_schema(path).metadata or {}
    found = metadata.get(MADE_FROM.encode(), b"nothing known").decode()
    if found != made_from:
        raise ValueError(
            f"{path}: these predictions were made from another adapter, recipe or set of clips ({found}, now "
            f"{made_from}); choose another --out or delete the file"
        )
