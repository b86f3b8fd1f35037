"""All figures of one arm as one JSON-able dictionary, and all paired differences between two arms as another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from emotrain.emotions import Group
from emotrain.metrics import scores
from emotrain.metrics.by_trait import Traits, by_trait, worst_people
from emotrain.metrics.calibration import calibration
from emotrain.metrics.clusters import Clusters, too_few
from emotrain.metrics.collapse import collapse
from emotrain.metrics.columns import OUTCOMES
from emotrain.metrics.intervals import proportion
from emotrain.metrics.over_seeds import KINDS, Kinds, overall_figures, sample_of
from emotrain.metrics.paired import by_fold, folds_complete, folds_of, mcnemar
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.randomisation import p_values, swapped
from emotrain.metrics.resampling import LEVEL, Floats, Sample, draw, interval, widening
from emotrain.metrics.selective import risk_coverage
from emotrain.metrics.trainings import deviations

__all__ = ["KINDS", "Clusters", "Kinds", "compare", "summarise"]


def summarise(
    table: PredictionTable,
    *,
    groups: Mapping[str, Group] | None = None,
    kinds: Kinds | None = None,
    clusters: Clusters | None = None,
    cluster_by: str = "subject",
    prior: Mapping[str, float] | None = None,
    traits: Traits | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> dict[str, Any]:
    """Every figure of one arm; shares in [0, 1], each interval as {"value", "low", "high"} at 95 %.

    `groups` are head / medium / tail by the *training* counts, `kinds` macro or micro by clip id; `prior` says how
    often classes occur where accuracy is asked for, `traits` in which groups clips are (`by_trait`). What cannot be
    computed (no prior, no tail class, no micro clip, no scores, micro clips of a single cluster) is None. Intervals are
    those of `resampling.py`; with `clusters` (the `cluster_by` of each clip id) whole clusters are resampled. Recall,
    precision and top-2 of independent clips are proportions with Wilson intervals.
    """
    labels, matrix = table.labels, scores.table_confusion(table)
    sample = sample_of(table, kinds, clusters)
    figures = overall_figures(labels, groups, prior)

    def every(counts: Floats) -> dict[str, Floats]:
        more = {"f1": scores.f1(counts), "recall": scores.recall(counts), "precision": scores.precision(counts)}
        return {**figures(counts), **more}

    found = _intervals(sample, table.predicted, every, resamples, seed)
    result: dict[str, Any] = {
        "clips": len(table),
        "labels": list(labels),
        "groups": None if groups is None else dict(groups),
        "prior": None if prior is None else {label: float(prior[label]) for label in labels},
    }
    result.update({name: found.get(name) for name in [*_names(), *(f"{kind}_accuracy" for kind in KINDS)]})
    result["top2"] = _top2(table, sample, resamples, seed)
    result["per_class"] = {
        label: {
            "support": int(scores.support(matrix)[i]),
            "predicted": int(matrix[:, i].sum()),
            "group": None if groups is None else groups[label],
            "recall": found[f"recall/{i}"] if clusters else proportion(int(matrix[i, i]), int(matrix[i].sum())),
            "precision": found[f"precision/{i}"]
            if clusters
            else proportion(int(matrix[i, i]), int(matrix[:, i].sum())),
            "f1": found[f"f1/{i}"],
        }
        for i, label in enumerate(labels)
    }
    result["absent_classes"] = [label for i, label in enumerate(labels) if matrix[i].sum() == 0]
    result["rates"] = {name: float(matrix[:, len(labels) + i].sum() / len(table)) for i, name in enumerate(OUTCOMES)}
    result["confusion"] = {"rows": list(labels), "columns": [*labels, *OUTCOMES], "counts": matrix.tolist()}
    result["collapse"] = collapse(matrix, labels, groups)
    result["calibration"] = (
        None if table.logits is None else calibration(table.gold, table.logits, clusters=sample.clusters)
    )
    result["selective"] = (
        None if table.logits is None else risk_coverage(table.gold, table.logits, clusters=sample.clusters)
    )
    result["traits"] = by_trait(table, traits, clusters, resamples=min(resamples, 2000), seed=seed) if traits else {}
    result["people"] = None if clusters is None else worst_people(table, clusters, seed=seed)
    result["folds"] = _folds(table, groups)
    result["fold_mean"] = _fold_mean(result["folds"], table)
    # Where folds are single subjects, the MEGC protocol's pooled figures take the place of the mean over folds.
    result["megc"] = scores.megc(table) if _by_subject(table, sample) else None
    by = None if clusters is None else cluster_by
    result["interval"] = {
        "level": LEVEL,
        "resamples": resamples,
        "seed": seed,
        "method": f"Bayesian bootstrap of {'clips inside each class' if by is None else f'whole {by}s'}",
        "proportions": "Wilson" if by is None else f"Bayesian bootstrap of whole {by}s",
        "clusters": sample.n_clusters,
        "cluster_by": by,
        # Numbers in the order of the clips, not names: enough for a comparison, and they say nothing of people.
        "cluster_of": None if sample.clusters is None else sample.clusters.tolist(),
        "warning": too_few(sample.n_clusters, by),
    }
    return result


def compare(
    first: PredictionTable,
    second: PredictionTable,
    *,
    groups: Mapping[str, Group] | None = None,
    kinds: Kinds | None = None,
    clusters: Clusters | None = None,
    prior: Mapping[str, float] | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> dict[str, Any]:
    """Differences second - first on the same clips, under the names of `summarise`.

    Each is {"value", "low", "high", "p"}: the interval from resampled clips or whole `clusters`, p from the paired
    randomisation test over the same units; `mcnemar` is the exact test on hits (None with clusters: it takes clips for
    independent), `by_fold` the differences fold by fold (empty without folds, or when a fold lacks a class).
    """
    second = second.aligned(first)
    sample, figures = sample_of(first, kinds, clusters), overall_figures(first.labels, groups, prior)
    drawn = draw(sample, {"a": [first.predicted], "b": [second.predicted]}, figures, resamples=resamples, seed=seed)
    errors = deviations(drawn["b"], drawn["a"], stretch=widening(sample), seed=seed)
    observed, under = swapped(sample, [first.predicted], [second.predicted], figures, swaps=resamples, seed=seed)
    p = p_values(observed, under)
    cells = {
        name: {**interval(observed[f], observed[f] + errors[:, f], least=-1.0), "p": float(p[f])}
        for f, name in enumerate(drawn["a"].names)
    }
    result: dict[str, Any] = {name: cells.get(name) for name in [*_names(), *(f"{kind}_accuracy" for kind in KINDS)]}
    hits = first.gold == first.predicted, second.gold == second.predicted
    result["mcnemar"] = mcnemar(*hits) if clusters is None else None
    result["by_fold"] = by_fold(first, second, figures)
    return result


def _intervals(
    sample: Sample, answers: np.ndarray, figures: Any, resamples: int, seed: int
) -> dict[str, dict[str, float]]:
    drawn = draw(sample, {"a": [answers]}, figures, resamples=resamples, seed=seed)["a"]
    errors = deviations(drawn, stretch=widening(sample), seed=seed)
    return {name: interval(drawn.values[0, f], drawn.values[0, f] + errors[:, f]) for f, name in enumerate(drawn.names)}


def _top2(table: PredictionTable, sample: Sample, resamples: int, seed: int) -> dict[str, float] | None:
    if table.logits is None:
        return None
    hits = scores.top_k_hits(table.gold, table.logits, 2)
    if sample.clusters is None:
        return proportion(int(hits.sum()), len(hits))
    answers = np.where(hits, table.gold, len(table.labels) + 1)
    return _intervals(sample, answers, lambda matrix: {"top2": scores.war(matrix)}, resamples, seed)["top2"]


def _by_subject(table: PredictionTable, sample: Sample) -> bool:
    """Whether the folds leave one subject out each: as MEGC asks, and not any folds that lack a class somewhere."""
    if not folds_of(table) or folds_complete(table):
        return False
    if sample.clusters is None:
        return True
    by_fold: dict[int | None, set[int]] = {}
    for fold, cluster in zip(table.folds, sample.clusters.tolist()):
        by_fold.setdefault(fold, set()).add(cluster)
    return all(len(of_fold) == 1 for of_fold in by_fold.values())


def _names() -> list[str]:
    return ["war", "uar", "macro_f1", "weighted_f1", "war_at_prior"] + [
        f"{g}_{f}" for g in scores.GROUPS for f in ("recall", "f1")
    ]


def _folds(table: PredictionTable, groups: Mapping[str, Group] | None) -> dict[str, dict[str, float]]:
    result = {}
    for fold in folds_of(table):
        part = table.subset([row.clip_id for row in table.predictions if row.fold == fold])
        figures = scores.statistics(scores.table_confusion(part), table.labels, groups)
        result[str(fold)] = {"clips": len(part), **{name: float(value) for name, value in figures.items()}}
    return result


def _fold_mean(folds: Mapping[str, Mapping[str, float]], table: PredictionTable) -> dict[str, float] | None:
    """Mean of each figure over the folds; None when a fold lacks a class (leave-one-subject-out: pool instead)."""
    if not folds_complete(table):
        return None
    names = [name for name in next(iter(folds.values())) if name != "clips"]
    return {name: float(np.mean([fold[name] for fold in folds.values()])) for name in names}
