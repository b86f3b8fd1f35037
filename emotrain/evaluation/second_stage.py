"""What may follow training without touching the model: another classifier on its embeddings, or another prior.

Both are recipe keys of the evaluation (`head`, `posthoc`), so that a study compares them like any other arm.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor

from emotrain.balance.heads import fit_head, save_head
from emotrain.balance.manifest import read_manifest
from emotrain.balance.posthoc import adjust, content_free_prior, em_prior
from emotrain.balance.priors import class_prior
from emotrain.evaluation.content_free import blank_logits
from emotrain.evaluation.scorer import Scorer, score_split
from emotrain.examples.examples import Collator, Examples
from emotrain.examples.manifests import ensure_manifest, usable_clips
from emotrain.modeling.in_batches import in_batches, on_device
from emotrain.modeling.prompt_embeddings import prompt_embeddings
from emotrain.progress import track
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip

HEAD = "head.safetensors"

Scores = npt.NDArray[np.float64]


def second_stage_scores(recipe: Recipe, scorer: Scorer, clips: Sequence[Clip], folder: Path) -> Scores:
    """Scores (N, C) of `clips` as the recipe's `head` and `posthoc` want them; label scores where it names neither.

    A head that was trained is kept in `folder`.
    """
    if recipe.evaluation.head != "none":
        return _by_head(recipe, scorer, clips, folder)
    scores = score_split(recipe, scorer, clips)
    if recipe.evaluation.posthoc == "none":
        return scores
    if recipe.evaluation.posthoc == "own_prior":
        return adjust(scores, own_prior(recipe, scorer), recipe.evaluation.posthoc_tau)
    drawn = class_prior(read_manifest(ensure_manifest(recipe)).label_counts(scorer.labels.labels))
    if recipe.evaluation.posthoc == "em":
        return em_prior(scores, drawn).logits
    return adjust(scores, drawn, recipe.evaluation.posthoc_tau)


def own_prior(recipe: Recipe, scorer: Scorer) -> npt.NDArray[np.float64]:
    """The model's own prior (C,): its mean answer to blank clips (Zhao et al. 2021)."""
    return content_free_prior(blank_logits(recipe, scorer.model, scorer.processor, scorer.labels))


def clip_embeddings(recipe: Recipe, scorer: Scorer, clips: Sequence[Clip]) -> npt.NDArray[np.float32]:
    """Embeddings (N, D) of the clips' prompts, in their order."""
    collator = Collator(Examples(recipe.data, recipe.context, scorer.labels.labels), scorer.processor)

    def rows(part: Sequence[str]) -> Tensor:
        return prompt_embeddings(scorer.model, on_device(scorer.model, collator.inputs(part)))

    ids = [clip.clip_id for clip in clips]
    with track("embed prompts", len(ids)) as advance:
        size = recipe.sft.per_device_eval_batch_size
        return in_batches(scorer.model, ids, rows, 0, batch_size=size, advance=advance).astype(np.float32)


def _by_head(recipe: Recipe, scorer: Scorer, clips: Sequence[Clip], folder: Path) -> Scores:
    train = usable_clips(recipe, "train")[0]
    head = fit_head(
        clip_embeddings(recipe, scorer, train),
        [clip.label for clip in train],
        scorer.labels.labels,
        recipe.evaluation.head,
        seed=recipe.sft.seed,
    )
    save_head(head, folder / HEAD)
    return head.logits(clip_embeddings(recipe, scorer, clips))
