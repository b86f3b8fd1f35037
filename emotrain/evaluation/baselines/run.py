"""`emotrain baseline NAME RECIPE --out E`: writes what `evaluate` writes, so that reports and studies take it alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emotrain.emotions import nearest
from emotrain.evaluation.evaluate import prediction_table, write_scores
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip

Baseline = Callable[[Recipe, Sequence[Clip], Path], npt.NDArray[np.float64]]
"""Scores (N, C) of clips; the folder is for the checkpoints of a baseline that trains for long."""

TRAINING = "training"

BASELINES: Mapping[str, str] = {
    "tfidf": "words",
    "oracle_text": "words",
    "prior_corrected": "prior",
    "frames": "frames",
    "videomae": "videomae",
}
"""Each baseline, a function of that name, and the module of this folder that holds it."""


def run_baseline(name: str, recipe: Recipe, out: Path) -> dict[str, Any]:
    """Score the recipe's split with a baseline; raises ValueError for an unknown name and for unfit data."""
    if name not in BASELINES:
        raise ValueError(f"unknown baseline {name!r}; {nearest(name, BASELINES)}")
    score: Baseline = getattr(import_module(f"{__package__}.{BASELINES[name]}"), name)
    return write_scores(
        recipe,
        out,
        lambda clips: prediction_table(recipe, clips, score(recipe, clips, out / TRAINING)),
        identity=f"baseline {name}",
        about=lambda: {"adapter": None, "baseline": name},
    )
