"""Scoring the validation part while training: figures that stop a run early and choose its best checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from emotrain.emotions import frequency_groups, label_set, nearest
from emotrain.examples.examples import Collator
from emotrain.examples.manifests import train_counts, usable_clips
from emotrain.examples.scoring import score_clips
from emotrain.metrics import scores
from emotrain.metrics.columns import OUTCOMES
from emotrain.metrics.predictions import PredictionTable
from emotrain.modeling.label_tokens import LabelTokens
from emotrain.recipe.recipe import Recipe
from emotrain.records import Prediction


def check_choice(recipe: Recipe) -> None:
    """Raise ValueError when the recipe asks for a choice by validation figures that training could not make.

    Otherwise it would fail at the first evaluation, hours later.
    """
    sft, patience = recipe.sft, recipe.evaluation.early_stopping_patience
    chooses = sft.load_best_model_at_end or sft.save_strategy == "best" or patience is not None
    if sft.eval_strategy == "no":
        if chooses or sft.metric_for_best_model is not None:
            raise ValueError("a best checkpoint or early stopping needs evaluation; set eval_strategy and eval_steps")
        return
    clips, _ = usable_clips(recipe, "validation")
    if not clips:
        raise ValueError(
            f"eval_strategy: {recipe.data.data} has no validation part to score; index the data with one, or remove it"
        )
    if not chooses and sft.metric_for_best_model is None:
        return
    labels = label_set(recipe.data.label_set).labels
    nothing = np.zeros((len(labels), len(labels) + len(OUTCOMES)))
    groups = frequency_groups(train_counts(recipe))
    known = sorted(scores.statistics(nothing, labels, groups))
    metric = sft.metric_for_best_model
    if metric is None or metric.removeprefix("eval_") not in known:
        told = f"; {nearest(metric, known)}" if metric is not None else ""
        raise ValueError(f"metric_for_best_model: {metric!r} is not one of {', '.join(known)}{told}")
    if sft.greater_is_better is False:
        raise ValueError(f"greater_is_better: false, but more {metric} is better; remove it")
    members = [label for label in labels if metric.removeprefix("eval_").startswith(f"{groups[label]}_")]
    if members and not {clip.label for clip in clips}.intersection(members):
        raise ValueError(
            f"metric_for_best_model: {metric!r} is of {', '.join(members)}, and no validation clip is, so every "
            "checkpoint would have the same; choose another figure, such as uar"
        )


def early_stopping(recipe: Recipe) -> list[Any]:
    """The callback that ends training when the figure has not improved `early_stopping_patience` times in a row."""
    from transformers import EarlyStoppingCallback

    patience = recipe.evaluation.early_stopping_patience
    if patience is None:
        return []
    # Without this a resumed run would forget how often the figure had not improved.
    recipe.sft.restore_callback_states_from_checkpoint = True
    return [EarlyStoppingCallback(early_stopping_patience=patience)]


def validation(recipe: Recipe, collator: Collator, labels: LabelTokens) -> Callable[[Any], dict[str, float]] | None:
    """A function from the model to the figures of the validation part (war, uar, tail_f1, ...); None without clips.

    The clips are dealt to the processes. Each process scores as many, some of them twice, since in a sharded model a
    forward pass is something that all of them do together.
    """
    clips, _ = usable_clips(recipe, "validation")
    if not clips:
        return None
    groups = frequency_groups(train_counts(recipe))

    def validate(model: Any) -> dict[str, float]:
        from accelerate import PartialState
        from accelerate.utils import gather_object

        state = PartialState()
        rounds = -(-len(clips) // state.num_processes)
        places = range(state.process_index, rounds * state.num_processes, state.num_processes)
        logits = score_clips(
            model,
            [clips[place % len(clips)].clip_id for place in places],
            collator,
            labels,
            batch_size=recipe.sft.per_device_eval_batch_size,
            workers=recipe.sft.dataloader_num_workers,
        )
        rows = [
            Prediction(clip.clip_id, clip.test_fold, clip.label, labels.labels[int(np.argmax(z))], tuple(z.tolist()))
            for place, z in zip(places, logits)
            if place < len(clips)
            for clip in (clips[place],)
        ]
        table = PredictionTable(labels.labels, tuple(gather_object(rows)))
        figures = scores.statistics(scores.table_confusion(table), table.labels, groups)
        return {name: float(value) for name, value in figures.items()}

    return validate
