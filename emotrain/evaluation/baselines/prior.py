"""The zero-shot VLM with its own label prior divided out: how much of its bias is a habit of words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emotrain.balance.posthoc import adjust
from emotrain.evaluation.scorer import load_scorer, score_split
from emotrain.evaluation.second_stage import own_prior
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip


def prior_corrected(recipe: Recipe, clips: Sequence[Clip], folder: Path) -> npt.NDArray[np.float64]:
    """Scores (N, C) of the untrained base, less the log of its mean answer to blank clips (Zhao et al. 2021)."""
    scorer = load_scorer(recipe)
    return adjust(score_split(recipe, scorer, clips), own_prior(recipe, scorer))
