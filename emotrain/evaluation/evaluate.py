"""`emotrain evaluate RECIPE --adapter A --out E`: a checkpoint in, predictions and metrics out."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from emotrain.emotions import frequency_groups, label_set
from emotrain.metrics.predictions import PredictionTable, read_predictions, write_predictions
from emotrain.metrics.summary import summarise
from emotrain.modeling.label_tokens import processor_labels
from emotrain.progress import track
from emotrain.records import Clip, Prediction
from emotrain.shards import write_json
from emotrain.training.examples import Collator, Examples
from emotrain.training.manifests import train_counts, usable_clips
from emotrain.training.prepared import check_prepared
from emotrain.training.recipe import Recipe
from emotrain.training.scoring import score_clips
from emotrain.training.train import check_device, load_base

PREDICTIONS = "predictions.parquet"
METRICS = "metrics.json"
MADE_FROM = "made_from"


def evaluate(recipe: Recipe, out: Path, adapter: str | None = None) -> dict[str, Any]:
    """Score the recipe's split with the base model, or with an adapter on it; returns the metrics.

    `adapter` is a folder or a Hub id, optionally `id@revision`; None is zero-shot. Writes predictions.parquet,
    metrics.json (with the clips that preparation quarantined, by label) and the resolved recipe. Predictions that are
    there already are not made again. Raises ValueError when those are of another adapter, recipe or set of clips.
    """
    check_prepared(recipe)
    clips, left_out = usable_clips(recipe, recipe.evaluation.split)  # type: ignore[arg-type]
    if not clips:
        raise ValueError(
            f"{recipe.data.data}: no usable clip in split {recipe.evaluation.split!r} of fold {recipe.data.fold}"
        )
    path = out / PREDICTIONS
    made_from = _made_from(recipe, adapter, clips)
    if path.exists():
        _check_same(path, made_from)
    else:
        recipe.save(out)
        write_predictions(_predict(recipe, clips, adapter), path, {MADE_FROM: made_from})
    table = read_predictions(path)
    metrics = summarise(
        table,
        groups=frequency_groups(train_counts(recipe)),
        kinds={clip.clip_id: clip.kind for clip in clips},
        resamples=recipe.evaluation.resamples,
    )
    metrics["adapter"] = adapter
    metrics["quarantined"] = dict(left_out)
    write_json(metrics, out / METRICS)
    return metrics


def _predict(recipe: Recipe, clips: list[Clip], adapter: str | None) -> PredictionTable:
    import torch

    check_device(recipe)
    model, processor = load_base(recipe)
    if adapter is not None:
        model = load_adapter(model, adapter)
    if torch.cuda.is_available() and not recipe.sft.use_cpu:
        model = model.to("cuda")
    names = label_set(recipe.data.label_set).labels
    collator = Collator(Examples(recipe.data, recipe.context, names), processor)
    with track(f"score {recipe.evaluation.arm}", len(clips)) as advance:
        logits = score_clips(
            model,
            [clip.clip_id for clip in clips],
            collator,
            processor_labels(processor, names),
            batch_size=recipe.sft.per_device_eval_batch_size,
            advance=advance,
        )
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
        for clip, z in zip(clips, logits)
    )
    return PredictionTable(names, rows)


def _made_from(recipe: Recipe, adapter: str | None, clips: list[Clip]) -> str:
    """Sixteen hex digits of everything that the predictions depend on."""
    shown = {
        key: value for key, value in recipe.values.items() if key not in ("output_dir", "resamples", "data", "root")
    }
    weights = Path(adapter) / "adapter_model.safetensors" if adapter is not None else None
    content = blake2b(weights.read_bytes()).hexdigest() if weights is not None and weights.is_file() else adapter
    return blake2b(
        json.dumps([shown, content, [clip.clip_id for clip in clips]], sort_keys=True).encode(), digest_size=8
    ).hexdigest()


def _check_same(path: Path, made_from: str) -> None:
    metadata = pq.read_schema(path).metadata or {}
    found = metadata.get(MADE_FROM.encode(), b"nothing known").decode()
    if found != made_from:
        raise ValueError(
            f"{path}: these predictions were made from another adapter, recipe or set of clips ({found}, now "
            f"{made_from}); choose another --out or delete the file"
        )


def load_adapter(model: Any, adapter: str) -> Any:
    """Put a PEFT adapter on its base: a folder, a Hub id, or `id@revision`."""
    from peft import PeftModel

    name, _, revision = (adapter, "", "") if Path(adapter).is_dir() else adapter.partition("@")
    return PeftModel.from_pretrained(model, name, revision=revision or None).eval()
