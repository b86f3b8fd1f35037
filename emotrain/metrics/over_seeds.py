"""Arms side by side, of one training or of several: figures, differences and the verdict on declared contrasts.

Every arm and every seed meets the same resampled clips, so differences are paired; an arm's figure is the mean over its
seeds, and its interval is about clips (or subjects) and trainings together (resampling.py, trainings.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emotrain.emotions import Group
from emotrain.metrics import scores
from emotrain.metrics.clusters import Clusters, numbers_of
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.randomisation import p_values, swapped
from emotrain.metrics.resampling import Figures, Sample, draw, interval, widening
from emotrain.metrics.trainings import deviations, paired, seed_noise
from emotrain.metrics.verdict import Contrast, Verdict, decide, equivalence_p
from emotrain.records import Kind

KINDS: tuple[Kind, ...] = ("micro", "macro")
Kinds = Mapping[str, Kind | None]
Interval = dict[str, float]


@dataclass(frozen=True, slots=True)
class Averaged:
    """An arm's figures over its seeds.

    `figures` are {"value", "low", "high"} by name, `by_seed` the value of each seed, `seed_sd` their standard deviation
    (None with one seed), `differences` {"value", "low", "high"} to the reference (empty for the reference itself).
    """

    figures: Mapping[str, Interval]
    by_seed: Mapping[str, tuple[float, ...]]
    seed_sd: Mapping[str, float | None]
    differences: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All arms by name, the declared contrasts with their verdicts, and by how many clusters clips were resampled."""

    arms: Mapping[str, Averaged]
    verdicts: tuple[Verdict, ...]
    clusters: int | None


def sample_of(table: PredictionTable, kinds: Kinds | None, clusters: Clusters | None) -> Sample:
    """The clips of a table as they are resampled; a kind whose clips are of one cluster has no figure."""
    numbers = None if clusters is None else numbers_of(table, clusters)
    masks: dict[str, npt.NDArray[np.bool_]] = {
        kind: np.array([kinds.get(clip_id) == kind for clip_id in table.clip_ids], bool) for kind in KINDS if kinds
    }
    if numbers is not None:
        masks = {kind: mask for kind, mask in masks.items() if len(np.unique(numbers[mask])) > 1}
    return Sample(table.gold, len(table.labels), numbers, masks)


def overall_figures(
    labels: Sequence[str], groups: Mapping[str, Group] | None, prior: Mapping[str, float] | None = None
) -> Figures:
    """The overall figures of `scores.statistics` as a function of confusion matrices."""
    return lambda matrix: scores.statistics(matrix, labels, groups, prior)


def over_seeds(
    arms: Mapping[str, Sequence[PredictionTable]],
    reference: str,
    *,
    groups: Mapping[str, Group] | None = None,
    kinds: Kinds | None = None,
    clusters: Clusters | None = None,
    contrasts: Sequence[Contrast] = (),
    resamples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Figures of every arm, differences to `reference`, and a verdict on each contrast whose arms are there.

    `arms` has one table a seed for each arm, all of the same clips and labels; `clusters` names each clip's subject.
    Raises ValueError when tables are of other clips.
    """
    first = arms[reference][0]
    answers = {name: [table.aligned(first).predicted for table in of_arm] for name, of_arm in arms.items()}
    sample, figures = sample_of(first, kinds, clusters), overall_figures(first.labels, groups)
    drawn = draw(sample, answers, figures, resamples=resamples, seed=seed)
    stretch, names = widening(sample), drawn[reference].names
    found: dict[str, Averaged] = {}
    for name, of_arm in drawn.items():
        values = of_arm.values.mean(axis=0)
        own = deviations(of_arm, stretch=stretch, seed=seed)
        differences: dict[str, Interval] = {}
        if name != reference:
            gain = values - drawn[reference].values.mean(axis=0)
            between = deviations(of_arm, drawn[reference], stretch=stretch, seed=seed)
            differences = {
                figure: interval(gain[f], gain[f] + between[:, f], least=-1.0) for f, figure in enumerate(names)
            }
        several = len(of_arm.values) > 1
        found[name] = Averaged(
            {figure: interval(values[f], values[f] + own[:, f]) for f, figure in enumerate(names)},
            {figure: tuple(of_arm.values[:, f].tolist()) for f, figure in enumerate(names)},
            {figure: float(of_arm.values[:, f].std(ddof=1)) if several else None for f, figure in enumerate(names)},
            differences,
        )
    verdicts = []
    for contrast in contrasts:
        if contrast.first not in drawn or contrast.second not in drawn or contrast.figure not in names:
            continue
        f = names.index(contrast.figure)
        one, two = drawn[contrast.first], drawn[contrast.second]
        gain = two.values.mean(axis=0)[f] - one.values.mean(axis=0)[f]
        between = deviations(two, one, stretch=stretch, seed=seed)[:, f]
        if contrast.margin is None:
            observed, under = swapped(
                sample, answers[contrast.first], answers[contrast.second], figures, swaps=resamples, seed=seed
            )
            shrink, noise = seed_noise(*paired(two, one), len(under), seed)
            p = float(p_values(observed, under, noise, shrink)[f])
        else:
            p = equivalence_p(float(gain), between, contrast.margin)
        span = interval(gain, gain + between, least=-1.0)
        verdicts.append(Verdict(contrast, span["value"], span["low"], span["high"], p))
    return Comparison(found, tuple(decide(verdicts)), sample.n_clusters)
