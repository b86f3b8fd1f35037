"""What may follow training without touching the model: another classifier on its embeddings, or another prior.

Both are recipe keys of the evaluation (`head`, `posthoc`), so that a study compares them like any other arm. What is
not said (ridge, exponents) is chosen on the validation part, never on the clips that are scored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from emotrain.atomic_files import write_json
from emotrain.balance.heads import LinearHead, fit_head, save_head
from emotrain.balance.posthoc import adjust, calibrate, content_free_prior, em_prior
from emotrain.evaluation.content_free import blank_logits
from emotrain.evaluation.scorer import Scorer, score_split
from emotrain.examples.examples import Collator, Examples
from emotrain.examples.input_contract import read_contract
from emotrain.examples.manifests import prior_of_training, usable_clips
from emotrain.metrics.scores import confusion, uar
from emotrain.modeling.in_batches import in_batches, on_device
from emotrain.modeling.prompt_embeddings import prompt_embeddings
from emotrain.modeling.prompt_layout import layout_of
from emotrain.progress import track
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip

HEAD = "head.safetensors"
CHOSEN = "second_stage.json"
RIDGES = (1e-3, 1e-4, 1e-2)
EXPONENTS = (1.0, 0.75, 1.25, 0.5, 1.5, 0.25, 2.0, 0.0)
"""What is tried on the validation part; of those that are equally good there, the first."""

Scores = npt.NDArray[np.float64]
T = TypeVar("T")


def second_stage_scores(
    recipe: Recipe, scorer: Scorer, clips: Sequence[Clip], folder: Path, adapter: Path | None
) -> Scores:
    """Scores (N, C) of `clips` as the recipe's `head` and `posthoc` want them; label scores where it names neither.

    `adapter` is the folder of the scorer's adapter, which says what prior its scores carry; None is the base as it
    stands. A head that was trained, and what was chosen on the validation part, are kept in `folder`. Raises ValueError
    when the prior to be taken off is not in the scores, and when EM has no validation clip of some class to calibrate
    on.
    """
    if recipe.evaluation.head != "none":
        return _by_head(recipe, scorer, clips, folder)
    if recipe.evaluation.posthoc == "none":
        return score_split(recipe, scorer, clips)
    if recipe.evaluation.posthoc == "em":
        return _by_em(recipe, scorer, clips, folder)
    if recipe.evaluation.posthoc == "own_prior":
        prior = own_prior(recipe, scorer)
    else:
        shares = training_prior(recipe, adapter)
        prior = np.array([max(shares[label], 1e-6) for label in scorer.labels.labels])
    tau = recipe.evaluation.posthoc_tau
    if tau is None:
        held_out, gold = _held_out(recipe, scorer)
        raw = score_split(recipe, scorer, held_out)
        tau = _best(EXPONENTS, lambda exponent: adjust(raw, prior, exponent), gold, scorer)
        write_json({"posthoc_tau": tau, "chosen_on": f"validation, {len(held_out)} clips"}, folder / CHOSEN)
    return adjust(score_split(recipe, scorer, clips), prior, tau)


def training_prior(recipe: Recipe, adapter: Path | None) -> dict[str, float]:
    """The class shares that an adapter's scores carry: what its contract says, else what the recipe leaves there.

    Raises ValueError when there is no such prior: subtracting one would correct twice, or correct what never happened.
    """
    if adapter is None:
        raise ValueError(
            "posthoc: training_prior takes off the prior of a training, and this model was not trained (no --adapter); "
            "say posthoc: own_prior"
        )
    contract = read_contract(adapter)
    prior = contract.prior if contract is not None else prior_of_training(recipe)
    if prior is None:
        raise ValueError(
            f"posthoc: training_prior would take off what the scores of {adapter} do not carry: classes were drawn "
            "alike, or the loss has taken their prior off already; leave posthoc out"
        )
    return dict(prior)


def own_prior(recipe: Recipe, scorer: Scorer) -> npt.NDArray[np.float64]:
    """The model's own prior (C,): its mean answer to blank clips (Zhao et al. 2021)."""
    return content_free_prior(blank_logits(recipe, scorer.model, scorer.processor, scorer.labels))


def clip_embeddings(recipe: Recipe, scorer: Scorer, clips: Sequence[Clip]) -> npt.NDArray[np.float32]:
    """Embeddings (N, D) of the clips' prompts, in their order."""
    examples = Examples(recipe.data, recipe.context, scorer.labels.labels)
    collator = Collator(examples, scorer.processor, layout=layout_of(scorer.model))

    def rows(part: Sequence[str]) -> Tensor:
        return prompt_embeddings(scorer.model, on_device(scorer.model, collator.inputs(part)))

    ids = [clip.clip_id for clip in clips]
    with track("embed prompts", len(ids)) as advance:
        size = recipe.sft.per_device_eval_batch_size
        return in_batches(scorer.model, ids, rows, 0, batch_size=size, advance=advance).astype(np.float32)


def _by_head(recipe: Recipe, scorer: Scorer, clips: Sequence[Clip], folder: Path) -> Scores:
    train = usable_clips(recipe, "train")[0]
    points, labels = clip_embeddings(recipe, scorer, train), [clip.label for clip in train]
    method, said = recipe.evaluation.head, recipe.evaluation

    def fit(l2: float, tau: float) -> LinearHead:
        return fit_head(points, labels, scorer.labels.labels, method, l2=l2, tau=tau, seed=recipe.sft.seed)

    ridges = RIDGES if said.head_l2 is None else (said.head_l2,)
    taus = (1.0,) if method != "tau_norm" else EXPONENTS if said.head_tau is None else (said.head_tau,)
    tried = [(l2, tau) for l2 in ridges for tau in taus]
    chosen_on = "said"
    held_out, gold = _held_out(recipe, scorer) if len(tried) > 1 else ([], np.zeros(0, np.int64))
    if held_out:
        seen = clip_embeddings(recipe, scorer, held_out)
        tried = [_best(tried, lambda pair: fit(*pair).logits(seen), gold, scorer)]
        chosen_on = f"validation, {len(held_out)} clips"
    l2, tau = tried[0]
    head = fit(l2, tau)
    save_head(head, folder / HEAD)
    write_json({"head": method, "head_l2": l2, "head_tau": tau, "chosen_on": chosen_on}, folder / CHOSEN)
    return head.logits(clip_embeddings(recipe, scorer, clips))


def _by_em(recipe: Recipe, scorer: Scorer, clips: Sequence[Clip], folder: Path) -> Scores:
    """EM from scores that were calibrated on the validation part, and so carry that part's prior, whatever training."""
    held_out, gold = _held_out(recipe, scorer)
    lacking = [label for c, label in enumerate(scorer.labels.labels) if not (gold == c).any()]
    if lacking:
        raise ValueError(
            f"posthoc: em needs scores that were calibrated on the validation part, which has no clip of "
            f"{', '.join(lacking)}: EM believes an over-confident model and makes it worse; say posthoc: "
            "training_prior, or leave posthoc out"
        )
    raw = score_split(recipe, scorer, held_out)
    calibration = calibrate(raw, gold)
    source = np.exp(calibration.apply(raw)).mean(axis=0)
    found = em_prior(calibration.apply(score_split(recipe, scorer, clips)), source)
    facts = {"temperature": calibration.temperature, "bias": calibration.bias.tolist(), "prior": found.prior.tolist()}
    write_json({**facts, "calibrated_on": f"validation, {len(held_out)} clips"}, folder / CHOSEN)
    return found.logits


def _held_out(recipe: Recipe, scorer: Scorer) -> tuple[list[Clip], npt.NDArray[np.int64]]:
    """The clips of the validation part and their class positions."""
    clips = usable_clips(recipe, "validation")[0]
    return clips, np.array([scorer.labels.labels.index(clip.label) for clip in clips], dtype=np.int64)


def _best(tried: Sequence[T], score: Callable[[T], Scores], gold: npt.NDArray[np.int64], scorer: Scorer) -> T:
    """The candidate of the highest UAR; the first of equals, and without clips the first of all."""
    if len(gold) == 0:
        return tried[0]
    classes = len(scorer.labels.labels)
    return max(tried, key=lambda one: float(uar(confusion(gold, score(one).argmax(axis=1), classes))))
