"""What the model says to nothing, beside what the data holds and what people write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import entropy, spearmanr

from emotrain.balance.posthoc import content_free_prior
from emotrain.balance.priors import class_prior
from emotrain.emotions import display_names
from emotrain.evaluation.content_free import BLANKS, blank_logits
from emotrain.evaluation.diagnostics.words import SOURCE, word_frequency
from emotrain.evaluation.scorer import Scorer
from emotrain.examples.manifests import train_counts
from emotrain.recipe.recipe import Recipe

Shares = npt.NDArray[np.float64]


def label_prior(recipe: Recipe, scorer: Scorer, table: Path | None = None) -> dict[str, Any]:
    """The model's label prior from content-free clips, and how far it is from other distributions.

    `model`, `data` (training clips) and `words` are shares by label; `kl_data`, `kl_uniform` and `kl_words` are
    KL(model || other) in nats, `rank_data` and `rank_words` Spearman's correlation. What concerns words is None when
    the table lacks one of them (`lacking`), as for labels that are no emotion words.
    """
    labels = scorer.labels.labels
    model = content_free_prior(blank_logits(recipe, scorer.model, scorer.processor, scorer.labels))
    data = class_prior(train_counts(recipe))
    names = display_names(labels, recipe.context.language)
    found = word_frequency(names, table)
    lacking = [name for name, share in zip(names, found) if share is None]
    words = None if lacking else normalised([share for share in found if share is not None])
    return {
        "labels": list(labels),
        "blanks": list(BLANKS),
        "model": model.tolist(),
        "data": data.tolist(),
        "words": None if words is None else words.tolist(),
        "words_source": str(table) if table is not None else SOURCE,
        "lacking": lacking,
        "kl_data": kl(model, data),
        "kl_uniform": kl(model, np.full(len(labels), 1 / len(labels))),
        "kl_words": None if words is None else kl(model, words),
        "rank_data": rank_correlation(model, data),
        "rank_words": None if words is None else rank_correlation(model, words),
    }


def normalised(values: Sequence[float]) -> Shares:
    """Positive numbers as shares that sum to one."""
    array = np.asarray(values, np.float64)
    shares: Shares = array / array.sum()
    return shares


def kl(first: Shares, second: Shares) -> float:
    """KL(first || second) in nats; `second` is positive everywhere."""
    return float(entropy(first, second))


def rank_correlation(first: Shares, second: Shares) -> float | None:
    """Spearman's rank correlation; None when one of them is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(spearmanr(first, second).statistic)
