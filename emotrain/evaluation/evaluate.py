"""`emotrain evaluate RECIPE --adapter A --out E`: a checkpoint in, predictions and metrics out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emotrain.atomic_files import write_json
from emotrain.digests import check_digests, faults, list_beside, write_digests
from emotrain.emotions import frequency_groups, label_set
from emotrain.evaluation.beyond_threshold import annotator_ceiling, beyond_threshold
from emotrain.evaluation.scorer import load_scorer
from emotrain.evaluation.second_stage import second_stage_scores
from emotrain.evaluation.trait_file import traits_of
from emotrain.examples.calibration_file import keep_beside, write_calibration
from emotrain.examples.input_contract import input_contract
from emotrain.examples.manifests import prior_of_training, train_counts, usable_clips
from emotrain.examples.prepared import check_prepared
from emotrain.json_files import read_object
from emotrain.metrics.clusters import known_clusters, numbers_of
from emotrain.metrics.conformal import Calibration, calibrate, set_figures
from emotrain.metrics.ordinal import ordinal
from emotrain.metrics.predictions import PredictionTable, read_predictions, write_predictions
from emotrain.metrics.summary import summarise
from emotrain.modeling.adapters import adapter_digest, adapter_folder
from emotrain.parquet_files import read_schema
from emotrain.recipe.recipe import RESOLVED, Recipe
from emotrain.records import Clip, Prediction

PREDICTIONS = "predictions.parquet"
METRICS = "metrics.json"
MADE_FROM = "made_from"
HELD_OUT = "validation.parquet"
_ELSEWHERE = ("output_dir", "resamples", "data", "root", "calibrate", "prevalence")
_REMEDY = "delete it and evaluate again with `emotrain evaluate`"


def evaluate(recipe: Recipe, out: Path, adapter: str | None = None) -> dict[str, Any]:
    """Score the recipe's split with the base model, or with an adapter on it; returns the metrics.

    `adapter` is a folder or a Hub id, optionally `id@revision`; None is zero-shot. Writes predictions.parquet,
    metrics.json (with the clips that preparation quarantined, by label) and the resolved recipe. Predictions that are
    there already are not made again. Raises ValueError when those are of another adapter, recipe or set of clips.
    """
    folder = None if adapter is None else adapter_folder(adapter)
    digest = None if folder is None else adapter_digest(folder)
    scorer = cache(lambda: load_scorer(recipe, folder))
    metrics = write_scores(
        recipe,
        out,
        lambda clips: prediction_table(recipe, clips, second_stage_scores(recipe, scorer(), clips, out, folder)),
        identity=digest,
        about=lambda: {"adapter": adapter, "adapter_digest": digest},
    )
    if recipe.evaluation.calibrate and digest is not None and folder is not None:
        found = calibrated(recipe, out)
        write_calibration(found, out, digest)
        # What is fetched from the Hub lies in its cache, which is not ours to write to.
        if Path(str(adapter)).expanduser().is_dir():
            differ = keep_beside(folder, found, input_contract(recipe, prior_of_training(recipe)), digest)
            if differ:
                said = f"{out}: the calibration stays here, for its clips were not put to the model as {folder} has it"
                print(f"emotrain: {said} ({', '.join(differ)})", file=sys.stderr)
    return metrics


def write_scores(
    recipe: Recipe,
    out: Path,
    predict: Callable[[list[Clip]], PredictionTable],
    *,
    identity: str | None,
    about: Callable[[], Mapping[str, Any]],
) -> dict[str, Any]:
    """Predict the clips of the recipe's split, unless that is done, and write predictions, metrics and recipe to `out`.

    `identity` says which model predicts, so that predictions of another are never taken for its own; what `about` says
    once they are there is added to the metrics. Raises ValueError when `out` holds predictions of another model, recipe
    or set of clips.
    """
    check_prepared(recipe)
    clips, left_out = usable_clips(recipe, recipe.evaluation.split)  # type: ignore[arg-type]
    if not clips:
        raise ValueError(
            f"{recipe.data.data}: no usable clip in split {recipe.evaluation.split!r} of fold {recipe.data.fold}"
        )
    held_out = usable_clips(recipe, "validation")[0] if recipe.evaluation.calibrate else []
    if recipe.evaluation.calibrate and not held_out:
        raise ValueError(f"{recipe.data.data}: calibrate needs a validation part, and no clip is in it; remove the key")
    parts = {PREDICTIONS: clips} | ({HELD_OUT: held_out} if held_out else {})
    for name, of_part in parts.items():
        if (out / name).exists() and _whole(out, name):
            _check_same(out / name, _made_from(recipe, identity, of_part))
    recipe.save(out)
    for name, of_part in parts.items():
        if not (out / name).exists():
            list_beside(out / METRICS).unlink(missing_ok=True)
            write_predictions(predict(of_part), out / name, {MADE_FROM: _made_from(recipe, identity, of_part)})
    table = read_predictions(out / PREDICTIONS)
    found = known_clusters(table, {clip.clip_id: clip for clip in clips})
    by, clusters = found if found is not None else ("subject", None)
    metrics = summarise(
        table,
        groups=frequency_groups(train_counts(recipe)),
        kinds={clip.clip_id: clip.kind for clip in clips},
        clusters=clusters,
        cluster_by=by,
        prior=_prevalence(recipe, table),
        traits=traits_of({clip.clip_id: clip for clip in clips}),
        resamples=recipe.evaluation.resamples,
    )
    metrics |= {**about(), "quarantined": dict(left_out), "scores": None, "annotators": None, "label_sets": None}
    numbers = None if clusters is None else numbers_of(table, clusters)
    metrics["ordinal"] = ordinal(table, label_set(recipe.data.label_set), numbers)
    if table.logits is not None:
        counts, votes = train_counts(recipe), {clip.clip_id: clip.votes for clip in clips}
        metrics["scores"] = beyond_threshold(table.gold, table.logits, table.labels, counts, metrics["groups"])
        metrics["annotators"] = annotator_ceiling(votes, table.clip_ids, table.gold, table.logits, table.labels)
        if held_out:
            metrics["label_sets"] = set_figures(
                table.gold, table.logits, table.labels, calibrated(recipe, out), clusters=numbers
            )
    write_json(metrics, out / METRICS)
    write_digests([out / METRICS, *(out / name for name in parts), out / RESOLVED], list_beside(out / METRICS))
    return metrics


def _prevalence(recipe: Recipe, table: PredictionTable) -> dict[str, float] | None:
    given = recipe.evaluation.prevalence
    if not given:
        return None
    odd = sorted(set(given) ^ set(table.labels))
    if odd:
        raise ValueError(f"prevalence: differs from the label set in {', '.join(odd)}; give a number for each label")
    return {label: float(share) for label, share in given.items()}


def calibrated(recipe: Recipe, out: Path) -> Calibration:
    """The calibration by the scores of the validation part that an evaluation with `calibrate` wrote."""
    table = read_predictions(out / HELD_OUT)
    if table.logits is None:
        raise ValueError(f"{out / HELD_OUT}: answers without scores, which calibrate needs; remove the key")
    return calibrate(table.gold, table.logits, table.labels, seed=recipe.sft.seed)


def read_metrics(folder: Path) -> dict[str, Any]:
    """The metrics of an evaluation's folder.

    Raises FileNotFoundError where there are none, DamagedFile where they or the predictions beside them are no longer
    what was written.
    """
    if not (folder / METRICS).is_file():
        raise FileNotFoundError(f"{folder}: no {METRICS} here; give a folder that `emotrain evaluate --out` wrote")
    listed = list_beside(folder / METRICS)
    if listed.is_file():
        check_digests(listed, _REMEDY)
    return read_object(folder / METRICS, _REMEDY)


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
    """Those of a recipe's values that predictions can depend on: not where things lie, nor what is made of scores."""
    return {key: value for key, value in values.items() if key not in _ELSEWHERE}


def _whole(out: Path, name: str) -> bool:
    """Whether the predictions there are still what was written; damaged ones are removed and said."""
    listed = list_beside(out / METRICS)
    found = faults(listed, _REMEDY, only=[name]) if listed.is_file() else []
    if found and found[0].path != listed:
        print(f"emotrain: {str(found[0]).removesuffix(f': {_REMEDY}')}: it is made again", file=sys.stderr)
        (out / name).unlink(missing_ok=True)
    return (out / name).exists()


def _check_same(path: Path, made_from: str) -> None:
    metadata = read_schema(path, _REMEDY).metadata or {}
    found = metadata.get(MADE_FROM.encode(), b"nothing known").decode()
    if found != made_from:
        raise ValueError(
            f"{path}: these predictions were made from another adapter, recipe or set of clips ({found}, now "
            f"{made_from}); choose another --out or delete the file"
        )
