"""What the scores know beyond the label that scores best: ranking, other priors, and what annotators agree on.

A model that has learned the rare classes and favours the common ones loses them by a threshold and not by a lack of
knowledge. One-vs-rest AUROC and average precision ask no threshold; the curve over tau moves it along the prior of the
training clips (Menon et al. 2021); WAR at the training prior says what accuracy would be where classes occur as there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from emotrain.balance.priors import class_prior
from emotrain.emotions import Group
from emotrain.metrics.scores import confusion, f1, group_members, recall

TAUS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
"""Exponents of the curve. It is description: a tau that is chosen is chosen on the validation part."""


def beyond_threshold(
    gold: npt.NDArray[np.int64],
    logits: npt.NDArray[np.float64],
    labels: Sequence[str],
    counts: Mapping[str, int],
    groups: Mapping[str, Group] | None = None,
) -> dict[str, Any]:
    """Figures of (N, K) logits against (N,) true label indices; `counts` are the training clips of each label.

    - `auroc`, `average_precision`: one-vs-rest, mean over the tail classes; None without a tail class to rank
    - `war_at_training_prior`: recalls weighted by the class shares of training
    - `tau_curve`: UAR and tail F1 of z - tau log(prior) for each tau
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    prior = class_prior({label: counts.get(label, 0) for label in labels})
    tail = [] if groups is None else group_members(labels, groups)["tail"]
    ranked = [c for c in tail if 0 < (gold == c).sum() < len(gold)]
    shares = log_softmax(logits, axis=1)
    there = np.bincount(gold, minlength=len(labels)) > 0
    plain = recall(confusion(gold, logits.argmax(1), len(labels)))
    curve = []
    for tau in TAUS:
        matrix = confusion(gold, (logits - tau * np.log(prior)).argmax(1), len(labels))
        row = {"tau": tau, "uar": float(recall(matrix).mean())}
        curve.append({**row, "tail_f1": float(f1(matrix)[tail].mean()) if tail else None})
    return {
        "auroc": float(np.mean([roc_auc_score(gold == c, shares[:, c]) for c in ranked])) if ranked else None,
        "average_precision": float(np.mean([average_precision_score(gold == c, shares[:, c]) for c in ranked]))
        if ranked
        else None,
        "war_at_training_prior": float((prior * plain)[there].sum() / prior[there].sum()),
        "tau_curve": curve,
    }


def annotator_ceiling(
    votes: Mapping[str, Mapping[str, float] | None],
    clip_ids: Sequence[str],
    gold: npt.NDArray[np.int64],
    logits: npt.NDArray[np.float64],
    labels: Sequence[str],
) -> dict[str, float] | None:
    """What annotators leave to be reached, over the clips whose `votes` (shares by label) are known; None without any.

    - `clips`: how many those are
    - `agreement`: mean share of the votes for the clip's own label: how often one more annotator would give it
    - `of_model`: mean share of the votes for the label that the model answers
    - `entropy`: mean entropy of the votes in nats, the least that `soft_nll` can be
    - `soft_nll`: mean expected negative log-probability of a vote under the model
    """
    known = [i for i, clip_id in enumerate(clip_ids) if votes.get(clip_id)]
    shares = np.array([[(votes[clip_ids[i]] or {}).get(label, 0.0) for label in labels] for i in known]).reshape(
        len(known), len(labels)
    )
    inside = shares.sum(1) > 0
    known, shares = [i for i, keep in zip(known, inside) if keep], shares[inside]
    if not known:
        return None
    shares = shares / shares.sum(1, keepdims=True)
    log_p, rows = log_softmax(logits[known], axis=1), np.arange(len(known))
    return {
        "clips": len(known),
        "agreement": float(shares[rows, gold[known]].mean()),
        "of_model": float(shares[rows, log_p.argmax(1)].mean()),
        "entropy": float(-(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(1).mean()),
        "soft_nll": float(-(shares * log_p).sum(1).mean()),
    }
