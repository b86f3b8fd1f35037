"""A long tail cut out of training clips by a seed, for data sets whose classes are even.

Class sizes fall geometrically from the first to the last class of an order that the seed shuffles, as in the image
sets of Cui et al. (2019): n_k = n_1 ratio^(-k / (K - 1)). Only training clips are cut: what is validated and tested on
stays as it was.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from random import Random

from emotrain.records import Clip
from emotrain.stable_hash import stable_hash


def check_long_tail(ratio: float | None, seed: int) -> None:
    """Raises ValueError for a ratio that cuts nothing, and for a seed without a ratio."""
    if ratio is not None and not 1 < ratio < math.inf:
        raise ValueError(f"long_tail {ratio}: expected how many times the first class outweighs the last, above 1")
    if ratio is None and seed != 0:
        raise ValueError(f"long_tail_seed {seed}: there is no long_tail to cut; name one or remove it")


def tail_order(labels: Sequence[str], seed: int) -> list[str]:
    """The classes from the commonest to the rarest: a shuffle of their sorted names."""
    order = sorted(set(labels))
    Random(f"long tail {seed}").shuffle(order)
    return order


def cut_long_tail(clips: Sequence[Clip], ratio: float, seed: int) -> list[Clip]:
    """Those of `clips` that are left, in the order given: a pure function of (clips, ratio, seed).

    Of class k, n_1 ratio^(-k / (K - 1)) are kept, rounded, at least one and at most what there is, where n_1 is all of
    the first class. Which of them is chosen by a hash of the clip id, so a steeper cut keeps a subset of a flatter one.
    """
    of_label: dict[str, list[Clip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda clip: stable_hash(f"{seed}/long tail/{clip.clip_id}")):
        of_label[clip.label].append(clip)
    order = tail_order(list(of_label), seed)
    if len(order) < 2:
        return list(clips)
    first = len(of_label[order[0]])
    kept: set[str] = set()
    for rank, label in enumerate(order):
        size = max(1, round(first * ratio ** (-rank / (len(order) - 1))))
        kept |= {clip.clip_id for clip in of_label[label][:size]}
    return [clip for clip in clips if clip.clip_id in kept]
