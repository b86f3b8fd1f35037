"""A model ready to be asked about clips, and the asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emotrain.context.views import TEST_VIEWS
from emotrain.emotions import display_names, label_set
from emotrain.examples.base_model import check_device, load_base
from emotrain.examples.examples import Collator, Examples
from emotrain.examples.input_contract import read_contract
from emotrain.examples.scoring import score_clips
from emotrain.modeling.adapters import load_adapter
from emotrain.modeling.label_tokens import LabelTokens, processor_labels
from emotrain.progress import track
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model ready to be asked: on its device, its adapter in place, with its processor and the labels to score."""

    model: Any
    processor: Any
    labels: LabelTokens


def load_scorer(recipe: Recipe, adapter: Path | None = None) -> Scorer:
    """The recipe's base model, with the adapter of a folder on it when one is given.

    The recipe says how clips are read, and the adapter's input contract says nothing here; one that it could not say
    is refused all the same (ValueError), before anything is loaded.
    """
    import torch

    check_device(recipe)
    if adapter is not None:
        read_contract(adapter)
    model, processor = load_base(recipe)
    if adapter is not None:
        model = load_adapter(model, adapter)
    if torch.cuda.is_available() and not recipe.sft.use_cpu:
        model = model.to("cuda")
    names = label_set(recipe.data.label_set).labels
    return Scorer(model, processor, processor_labels(processor, names, display_names(names, recipe.context.language)))


def score_split(recipe: Recipe, scorer: Scorer, clips: Sequence[Clip]) -> npt.NDArray[np.float64]:
    """Label log-likelihoods (N, C) of `clips` under the recipe's prompt."""
    collator = Collator(Examples(recipe.data, recipe.context, scorer.labels.labels), scorer.processor)
    with track(f"score {recipe.evaluation.arm}", len(clips)) as advance:
        return score_clips(
            scorer.model,
            [clip.clip_id for clip in clips],
            collator,
            scorer.labels,
            batch_size=recipe.sft.per_device_eval_batch_size,
            option_orders=recipe.evaluation.option_orders,
            views=TEST_VIEWS[recipe.evaluation.test_views],
            workers=recipe.sft.dataloader_num_workers,
            advance=advance,
        )
