"""Which clips are train, validation and test: the only place that knows.

An index holds all folds at once. With fold k, test is `test_fold == k` and the rest is train, out of which a validation
part is carved; without a fold the `split` column decides. Validation never comes out of test.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np

from emotrain.datasets.long_tail import cut_long_tail
from emotrain.records import Clip, Split

VALIDATION_SHARE = 0.1
OWN_FOLDS = 5
MAX_GROUPS = 1000


def select(
    clips: Sequence[Clip],
    split: Split,
    fold: int | None = None,
    *,
    validation_share: float = VALIDATION_SHARE,
    seed: int = 0,
    long_tail: float | None = None,
    long_tail_seed: int = 0,
) -> list[Clip]:
    """The clips of one split, in the order given; those of train cut by `cut_long_tail` where there is a `long_tail`.

    With `fold`, the validation part is a pure function of (the clips outside that fold, share, seed), whatever their
    order. Raises ValueError for an unknown split or fold, for a fold asked of fixed splits or the reverse, and when
    nothing is left; a validation part of share 0 is empty without complaint.
    """
    if split not in get_args(Split):
        raise ValueError(f"split {split!r}: expected one of {', '.join(get_args(Split))}")
    if fold is None:
        chosen = [clip for clip in clips if _fixed(clip, clips) == split]
    else:
        _check_fold(clips, fold)
        chosen = _of_fold(clips, split, fold, validation_share, seed)
    if split == "train" and long_tail is not None:
        chosen = cut_long_tail(chosen, long_tail, long_tail_seed)
    if not chosen and not (split == "validation" and validation_share == 0):
        of_fold = "" if fold is None else f" of fold {fold}"
        raise ValueError(
            f"the {split} split{of_fold} is empty ({len(clips)} clips in the index); "
            "a validation part needs two clips of a class from two subjects: give the index more clips, "
            "or index with --validation-share 0 and train without validation"
        )
    return chosen


def folds(clips: Sequence[Clip]) -> tuple[int, ...]:
    """The test folds an index holds, ascending; empty when its splits are fixed."""
    return tuple(sorted({clip.test_fold for clip in clips if clip.test_fold is not None}))


def carve_validation(train: Sequence[Clip], share: float = VALIDATION_SHARE, seed: int = 0) -> frozenset[str]:
    """Ids of the clips that leave `train` to become validation: about `share` of each class, whole subjects together.

    Grouped by subject, else by source, else clip by clip. Empty when `share` is 0 or when no cut is possible.
    """
    if not 0 <= share < 1:
        raise ValueError(f"validation_share {share}: expected a share of train, 0 <= share < 1")
    parts = 0 if share == 0 else max(2, round(1 / share))
    train = sorted(train, key=lambda clip: clip.clip_id)
    cuts = _cuts(train, parts, seed)
    if not cuts:
        return frozenset()
    totals = Counter(clip.label for clip in train)

    def imbalance(cut: np.ndarray) -> float:
        inside = Counter(train[i].label for i in cut)
        return sum(abs(inside[label] / total - share) for label, total in totals.items())

    return frozenset(train[i].clip_id for i in min(cuts, key=imbalance))


def assign_folds(clips: Sequence[Clip], number: int = OWN_FOLDS, seed: int = 0) -> list[Clip]:
    """The clips with `test_fold` 1..number set: stratified by label, subjects (or sources) never split.

    For data without an official split. Raises ValueError when no fold can be cut.
    """
    ordered = sorted(clips, key=lambda clip: clip.clip_id)
    cuts = _cuts(ordered, number, seed)
    if not cuts:
        raise ValueError(
            f"{len(ordered)} clips cannot be cut into test folds: at least two clips of one class, "
            "from two subjects where subjects are given, are needed"
        )
    fold_of = {ordered[i].clip_id: fold for fold, cut in enumerate(cuts, start=1) for i in cut}
    return [replace(clip, test_fold=fold_of[clip.clip_id]) for clip in clips]


def leave_one_subject_out(clips: Sequence[Clip]) -> list[Clip]:
    """The clips with `test_fold` set to the rank of their subject, 1..number of subjects in sorted order."""
    nameless = [clip.clip_id for clip in clips if clip.subject is None]
    if nameless:
        raise ValueError(f"leave-one-subject-out: clip {nameless[0]!r} has no subject ({len(nameless)} such clips)")
    rank = {subject: fold for fold, subject in enumerate(sorted({str(c.subject) for c in clips}), start=1)}
    return [replace(clip, test_fold=rank[str(clip.subject)]) for clip in clips]


def _of_fold(clips: Sequence[Clip], split: Split, fold: int, share: float, seed: int) -> list[Clip]:
    if split == "test":
        return [clip for clip in clips if clip.test_fold == fold]
    rest = [clip for clip in clips if clip.test_fold != fold]
    carved = carve_validation(rest, share, seed)
    return [clip for clip in rest if (clip.clip_id in carved) == (split == "validation")]


def _cuts(ordered: Sequence[Clip], parts: int, seed: int) -> list[np.ndarray]:
    """Disjoint index arrays that cover `ordered`, at most `parts` of them, none empty; [] when no cut is possible."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    labels = [clip.label for clip in ordered]
    groups = _bundled([_group(clip) for clip in ordered], seed)
    largest = max(Counter(labels).values(), default=0)
    parts = min(parts, largest, len(set(groups)))
    if parts < 2:
        return []
    if len(set(groups)) == len(groups):
        cuts = StratifiedKFold(parts, shuffle=True, random_state=seed).split(labels, labels)
    else:
        cuts = StratifiedGroupKFold(parts, shuffle=True, random_state=seed).split(labels, labels, groups)
    with warnings.catch_warnings():
        # A class with fewer clips than parts cannot be in every part; sklearn warns, rare emotions are made of this.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        return [test for _, test in cuts if len(test)]


def _bundled(groups: list[str], seed: int) -> list[str]:
    """The groups, several to a bundle when clips share groups and groups are many.

    The grouped splitter walks them one by one in Python, which takes minutes for 50,000 subjects.
    """
    names = sorted(set(groups))
    if len(names) <= MAX_GROUPS or len(names) == len(groups):
        return groups
    order = np.random.default_rng(seed).permutation(len(names))
    bundle = {names[at]: f"bundle {rank % MAX_GROUPS}" for rank, at in enumerate(order)}
    return [bundle[group] for group in groups]


def _group(clip: Clip) -> str:
    if clip.subject is not None:
        return f"subject {clip.subject}"
    return f"source {clip.source}" if clip.source is not None else f"clip {clip.clip_id}"


def _fixed(clip: Clip, clips: Sequence[Clip]) -> Split:
    if clip.split is None:
        known = folds(clips)
        remedy = f"name a fold, one of {_span(known)}" if known else "index the data set again"
        raise ValueError(f"clip {clip.clip_id!r} has no fixed split; {remedy}")
    return clip.split


def _check_fold(clips: Sequence[Clip], fold: int) -> None:
    check_fold(folds(clips), fold)


def check_fold(known: tuple[int, ...], fold: int | None) -> None:
    """Raise ValueError unless `fold` can be asked of an index with the test folds `known` (none: fixed splits)."""
    if fold is None and known:
        raise ValueError(
            f"fold: null, but this index has test folds and no fixed split; name a fold, one of {_span(known)}"
        )
    if fold is None:
        return
    if not known:
        raise ValueError(f"fold {fold}: this index has fixed splits and no test folds; leave the fold out (fold: null)")
    if fold not in known:
        raise ValueError(f"fold {fold}: not in this index, which has {_span(known)}")


def _span(known: tuple[int, ...]) -> str:
    gapless = known == tuple(range(known[0], known[-1] + 1))
    return f"{known[0]}..{known[-1]}" if gapless and len(known) > 1 else ", ".join(map(str, known))
