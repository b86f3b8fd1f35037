"""For whom it works worst: figures by what is known of the people or clips (age, sex, culture), the gap and its noise.

The figure of a group is the mean recall over the labels that every compared group has, so that a group is not taken
for badly read because its clips show what is hard to read. The largest of several noisy figures less the smallest is
above 0 where there is no difference at all: the gap comes with an interval that has this taken off, and with a p from
dealing out the groups anew among the people (or clips, where one person is in several groups).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from emotrain.metrics import scores
from emotrain.metrics.clusters import Clusters, numbers_of
from emotrain.metrics.paired import holm
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.resampling import Sample, draw, interval, widening
from emotrain.metrics.trainings import deviations

Traits = Mapping[str, Mapping[str, str]]
"""Clip id -> name of a trait -> the clip's group."""

LEAST_CLIPS, LEAST_CLUSTERS = 10, 3
"""A group of fewer is left out, and named: it would be the worst or the best by chance."""
MOST_GROUPS = 8
"""A trait of numbers with more values is cut into thirds of the clips."""
_LEAST_OF_ONE = 5
_DEALS = 2000

Ints = npt.NDArray[np.int64]


def by_trait(
    table: PredictionTable, traits: Traits, clusters: Clusters | None = None, *, resamples: int = 2000, seed: int = 0
) -> dict[str, Any]:
    """Figures by trait, for the traits with two groups that are large enough.

    Each has `labels` (those that all groups have), `groups` (by name: `clips`, `clusters` and `recall`, {"value",
    "low", "high"}), `worst` and `best`, `gap` ({"value", "low", "high"}), `p` (after Holm over the traits) and
    `left_out` (clips of groups that are too small). Recalls are means over `labels`.
    """
    numbers = None if clusters is None else numbers_of(table, clusters)
    found: dict[str, Any] = {}
    for name in sorted({name for of_clip in traits.values() for name in of_clip}):
        one = _of_trait(table, _groups(table, traits, name), numbers, resamples, seed)
        if one is not None:
            found[name] = one
    for one, p in zip(found.values(), holm([one["p"] for one in found.values()]), strict=True):
        one["p"] = p
    return found


def worst_people(table: PredictionTable, clusters: Clusters, *, seed: int = 0) -> dict[str, Any] | None:
    """Accuracy of the clusters that are read worst; None for fewer than LEAST_CLUSTERS with five clips or more.

    - `clusters`: how many have so many clips; `median`, `worst_tenth` and `worst` of their accuracies
    - `by_chance`: the worst tenth where hits are dealt out among the clips of each class, people being all alike
    """
    numbers, hits = numbers_of(table, clusters), (table.gold == table.predicted).astype(float)
    sizes = np.bincount(numbers)
    kept = np.flatnonzero(sizes >= _LEAST_OF_ONE)
    if len(kept) < LEAST_CLUSTERS:
        return None

    def accuracies(of: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.bincount(numbers, of)[kept] / sizes[kept]

    rng, dealt, chance = np.random.default_rng(seed), hits.copy(), []
    for _ in range(200):
        for c in np.unique(table.gold):
            of_class = table.gold == c
            dealt[of_class] = rng.permutation(hits[of_class])
        chance.append(np.quantile(accuracies(dealt), 0.1))
    own = accuracies(hits)
    return {
        "clusters": len(kept),
        "median": float(np.median(own)),
        "worst_tenth": float(np.quantile(own, 0.1)),
        "worst": float(own.min()),
        "by_chance": float(np.mean(chance)),
    }


def _groups(table: PredictionTable, traits: Traits, name: str) -> list[str | None]:
    """The group of each clip, None where it is unknown; many numbers become thirds."""
    given = [traits.get(clip_id, {}).get(name) for clip_id in table.clip_ids]
    known = {value for value in given if value is not None}
    try:
        values = {value: float(value) for value in known}
    except ValueError:
        return given
    if len(known) <= MOST_GROUPS:
        return given
    low, high = np.quantile([values[value] for value in given if value is not None], [1 / 3, 2 / 3]).tolist()
    words = f"up to {low:g}", f"above {low:g} up to {high:g}", f"above {high:g}"
    return [None if value is None else words[int(values[value] > low) + int(values[value] > high)] for value in given]


def _of_trait(
    table: PredictionTable, groups: list[str | None], numbers: Ints | None, resamples: int, seed: int
) -> dict[str, Any] | None:
    k, small, names = len(table.labels), {}, []
    for name in sorted({group for group in groups if group is not None}):
        mine = [i for i, group in enumerate(groups) if group == name]
        if len(mine) < LEAST_CLIPS or (numbers is not None and len(np.unique(numbers[mine])) < LEAST_CLUSTERS):
            small[name] = len(mine)
        else:
            names.append(name)
    inside = np.array([i for i, group in enumerate(groups) if group in names], np.int64)
    if len(names) < 2:
        return None
    group = np.array([names.index(str(groups[i])) for i in inside], np.int64)
    gold, hit = table.gold[inside], table.gold[inside] == table.predicted[inside]
    clusters = None if numbers is None else np.unique(numbers[inside], return_inverse=True)[1].astype(np.int64)
    there = np.bincount(group * k + gold, minlength=len(names) * k).reshape(len(names), k) > 0
    common = np.flatnonzero(there.all(axis=0))
    if not len(common):
        return None

    def figures(matrix: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
        # A class of the sample is a label of one group, so that clips are weighted inside it as in any other figure.
        recalls = scores.recall(matrix).reshape(*matrix.shape[:-2], len(names), k)[..., common].mean(-1)
        return {"recall": recalls, "gap": recalls.max(-1) - recalls.min(-1)}

    cell = group * k + gold
    sample = Sample(cell, len(names) * k, clusters)
    answers = np.where(hit, cell, len(names) * k)
    drawn = draw(sample, {"a": [answers]}, figures, resamples=resamples, seed=seed)["a"]
    errors = deviations(drawn, stretch=widening(Sample(group, len(names), clusters)), seed=seed)
    cells = [interval(value, value + errors[:, f]) for f, value in enumerate(drawn.values[0])]
    recalls, gap = cells[:-1], cells[-1]
    values = [cell["value"] for cell in recalls]
    return {
        "labels": [table.labels[c] for c in common],
        "groups": {
            name: {
                "clips": int((group == g).sum()),
                "clusters": None if clusters is None else len(np.unique(clusters[group == g])),
                "recall": recalls[g],
            }
            for g, name in enumerate(names)
        },
        "worst": names[int(np.argmin(values))],
        "best": names[int(np.argmax(values))],
        "gap": gap,
        "p": _dealt(group, gold, hit, clusters, common, k, gap["value"], seed),
        "left_out": small,
    }


def _dealt(
    group: Ints,
    gold: Ints,
    hit: npt.NDArray[np.bool_],
    clusters: Ints | None,
    common: Ints,
    k: int,
    observed: float,
    seed: int,
) -> float:
    """The share of deals of the groups among the people, or the clips of each class, whose gap is as large."""
    rng, names = np.random.default_rng(seed), int(group.max()) + 1
    one_hot = np.eye(k)[gold][:, common]
    if clusters is not None:
        first = np.unique(clusters, return_index=True)[1]
    if clusters is not None and (group[first][clusters] == group).all():
        units = [(group[first], _summed(one_hot, clusters), _summed(one_hot * hit[:, None], clusters))]
    else:
        rows = [np.flatnonzero(gold == c) for c in common]
        units = [(group[of], one_hot[of], one_hot[of] * hit[of, None]) for of in rows]
    right, totals = (np.zeros((names, _DEALS, len(common))) for _ in range(2))
    for of_units, shown, read in units:
        dealt = rng.permuted(np.tile(of_units, (_DEALS, 1)), axis=1)
        for g in range(names):
            mask = (dealt == g).astype(np.float64)
            totals[g] += mask @ shown
            right[g] += mask @ read
    # Dealt people may leave a group without a label: its mean is over the others, as nobody's recall there is known.
    recalls = (right / np.maximum(totals, 1)).sum(-1) / np.maximum((totals > 0).sum(-1), 1)
    reached = int((recalls.max(0) - recalls.min(0) >= observed - 1e-9).sum())
    return float((1 + reached) / (1 + _DEALS))


def _summed(rows: npt.NDArray[np.float64], clusters: Ints) -> npt.NDArray[np.float64]:
    summed = np.zeros((int(clusters.max()) + 1, rows.shape[1]))
    np.add.at(summed, clusters, rows)
    return summed
