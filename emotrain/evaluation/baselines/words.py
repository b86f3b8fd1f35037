"""Text alone: TF-IDF and logistic regression on what a clip's summaries say, or on what its annotation knows.

`tfidf` reads the summaries that the recipe's summariser wrote: what words give away without a picture. `oracle_text`
reads ground truth (action units and caption of the clip index): the ceiling of any summariser, to print beside results.
Both learn from the manifest's draws, so they are balanced as the recipe's other arms are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emotrain.balance.manifest import read_manifest
from emotrain.context.facs_words import phrase
from emotrain.emotions import label_set
from emotrain.examples.examples import Examples
from emotrain.examples.manifests import ensure_manifest, usable_clips
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip

WORDS = r"[^\W\d_]+"
"""Runs of letters; times and other numbers are left out, which differ from clip to clip."""


def tfidf(recipe: Recipe, clips: Sequence[Clip], folder: Path) -> npt.NDArray[np.float64]:
    """Label log-probabilities (N, C) of `clips` from their summaries; raises ValueError when the recipe has none."""
    if recipe.context.context == "none":
        raise ValueError("baseline tfidf: the recipe has context: none and so no summaries; say context: summaries")
    examples = Examples(recipe.data, recipe.context, label_set(recipe.data.label_set).labels)
    every = [*usable_clips(recipe, "train")[0], *clips]
    return fit_and_score(
        recipe, {clip.clip_id: " ".join(s.text for s in examples.summaries(clip.clip_id)) for clip in every}, clips
    )


def oracle_text(recipe: Recipe, clips: Sequence[Clip], folder: Path) -> npt.NDArray[np.float64]:
    """Label log-probabilities (N, C) of `clips` from their annotated action units and captions.

    Raises ValueError when the index has neither. On sets whose labels were derived from action units this is close to
    the label itself: a ceiling, never a result.
    """
    every = [*usable_clips(recipe, "train")[0], *clips]
    texts = {clip.clip_id: annotation(clip) for clip in every}
    if not any(texts.values()):
        raise ValueError(f"baseline oracle_text: {recipe.data.data}/clips.parquet has no action units and no captions")
    return fit_and_score(recipe, texts, clips)


def annotation(clip: Clip) -> str:
    """What the annotation says about a clip's face: the phrases of its action units, then its caption."""
    units = [f"{phrase(unit)};" for unit in clip.action_units]
    return " ".join([*units, clip.caption or ""]).strip()


def fit_and_score(recipe: Recipe, texts: Mapping[str, str], clips: Sequence[Clip]) -> npt.NDArray[np.float64]:
    """Fit on the manifest's draws, a clip weighing as often as it is drawn, and score `clips`: (N, C), natural log.

    Labels without a draw get the score of a probability of 1e-9. Raises ValueError when fewer than two are drawn.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    manifest = read_manifest(ensure_manifest(recipe))
    weights: Counter[str] = Counter()
    labels: dict[str, str] = {}
    for draw in manifest.draws:
        weights[draw.clip_id] += draw.weight  # type: ignore[assignment]
        labels[draw.clip_id] = draw.label
    drawn = sorted(weights)
    if len(set(labels.values())) < 2:
        raise ValueError(f"baseline: the manifest draws {set(labels.values())} only; two labels or more are needed")
    model = make_pipeline(
        TfidfVectorizer(token_pattern=WORDS, ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(max_iter=2000, C=10.0),
    )
    scale = len(drawn) / sum(weights.values())  # so that the penalty does not depend on the number of epochs
    model.fit(
        [texts[clip_id] for clip_id in drawn],
        [labels[clip_id] for clip_id in drawn],
        logisticregression__sample_weight=[weights[clip_id] * scale for clip_id in drawn],
    )
    names = label_set(recipe.data.label_set).labels
    scores = np.full((len(clips), len(names)), np.log(1e-9))
    columns = [names.index(label) for label in model.classes_]
    scores[:, columns] = model.predict_log_proba([texts[clip.clip_id] for clip in clips])
    return scores
