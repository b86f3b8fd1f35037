"""Class counts and what follows from them: priors, class weights and margins.

Counts are keyed by label name; vectors come in the order of the counts, which is that of the logits. A class without a
clip is treated as if it had one: its prior and weight stay finite, and the classes that do have clips keep the weights
they would have without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from emotrain.emotions import nearest
from emotrain.records import Clip

Vector = NDArray[np.float64]


def class_counts(clips: Iterable[Clip], labels: Sequence[str] | None = None) -> dict[str, int]:
    """Clips a label, in the order of `labels` (zeros included) or, without it, in alphabetical order.

    Raises ValueError, naming the clip, when a clip's label is not among `labels`.
    """
    counts: Counter[str] = Counter()
    for clip in clips:
        if labels is not None and clip.label not in labels:
            raise ValueError(
                f"clip {clip.clip_id!r}: label {clip.label!r} is not in the label set; {nearest(clip.label, labels)}"
            )
        counts[clip.label] += 1
    return {label: counts[label] for label in (sorted(counts) if labels is None else labels)}


def class_prior(counts: Mapping[str, float]) -> Vector:
    """Class shares (C,) float64 that sum to one; an empty class counts as one clip, so its logarithm is finite."""
    floored = _at_least_one(counts)
    return floored / floored.sum()


def inverse_frequency(counts: Mapping[str, float]) -> Vector:
    """Class weights 1 / n_c as (C,) float64, scaled to a mean of one over the classes that have clips."""
    return _mean_one(1.0 / _at_least_one(counts), counts)


def effective_number(counts: Mapping[str, float], beta: float) -> Vector:
    """Class weights (1 - b) / (1 - b^n_c) as (C,) float64, scaled to a mean of one over the classes that have clips.

    Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples", equation 2. `beta` lies in [0, 1):
    0 gives weights of one, and b -> 1 gives inverse frequency.
    """
    if not 0.0 <= beta < 1.0:
        raise ValueError(f"beta {beta}: expected 0 <= beta < 1, for example 0.9999")
    # 1 - b^n through expm1 and log: for b near one the plain difference loses most of its digits.
    powers = _at_least_one(counts)
    raised = np.ones_like(powers) if beta == 0.0 else -np.expm1(powers * np.log(beta))
    return _mean_one((1.0 - beta) / raised, counts)


def _at_least_one(counts: Mapping[str, float]) -> Vector:
    if not counts:
        raise ValueError("class counts are empty: expected one entry a label of the label set")
    negative = [label for label, count in counts.items() if count < 0]
    if negative:
        raise ValueError(f"class counts: {negative[0]!r} has {counts[negative[0]]} clips; expected 0 or more")
    return np.maximum(np.array(list(counts.values()), dtype=np.float64), 1.0)


def _mean_one(weights: Vector, counts: Mapping[str, float]) -> Vector:
    present = np.array([count > 0 for count in counts.values()])
    scale = weights[present] if present.any() else weights
    return weights / scale.mean()
