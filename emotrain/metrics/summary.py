"""All figures of one arm as one JSON-able dictionary, and all paired differences between two arms as another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from emotrain.emotions import Group
from emotrain.metrics import scores
from emotrain.metrics.calibration import calibration
from emotrain.metrics.clusters import clusters_of, share_copies, table_copies
from emotrain.metrics.collapse import collapse
from emotrain.metrics.columns import OUTCOMES
from emotrain.metrics.intervals import LEVEL, bootstrap, percentile, proportion
from emotrain.metrics.paired import by_fold, folds_complete, folds_of, mcnemar, paired_bootstrap
from emotrain.metrics.predictions import PredictionTable
from emotrain.records import Kind

Kinds = Mapping[str, Kind | None]
Clusters = Mapping[str, str | None]
KINDS: tuple[Kind, ...] = ("micro", "macro")


def summarise(
    table: PredictionTable,
    *,
    groups: Mapping[str, Group] | None = None,
    kinds: Kinds | None = None,
    clusters: Clusters | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> dict[str, Any]:
    """Every figure of one arm; shares in [0, 1], each interval as {"value", "low", "high"} at 95 %.

    `groups` are head / medium / tail by the *training* counts, `kinds` macro or micro by clip id. What cannot be
    computed (no tail class, no micro clip, no scores, micro clips of a single cluster) is None. Overall, group and F1
    intervals come from a bootstrap stratified by true class; recall, precision, accuracy by kind and top-2 are
    proportions with Wilson intervals. With `clusters` (the subject, say, by clip id) all of them come from a bootstrap
    that draws whole clusters. Where every clip is right, or every one wrong, resamples are all alike and bootstrap
    intervals have no width; Wilson's have.
    """
    labels, matrix = table.labels, scores.table_confusion(table)
    copies = None if clusters is None else table_copies(table, clusters, resamples=resamples, seed=seed)
    overall = bootstrap(matrix, _overall(labels, groups), resamples=resamples, seed=seed, copies=copies)
    class_f1 = bootstrap(matrix, lambda m: {"f1": scores.f1(m)}, resamples=resamples, seed=seed, copies=copies)
    per_class = {} if copies is None else bootstrap(matrix, _recall_and_precision, copies=copies)

    def share(hits: np.ndarray, ids: Sequence[str]) -> dict[str, float] | None:
        if clusters is None:
            return _share(hits)
        if not _can_resample(ids, clusters):
            return None
        cluster = clusters_of(table.subset(ids), clusters)
        low, high = percentile(share_copies(hits, cluster, resamples=resamples, seed=seed))
        return {"value": float(hits.mean()), "low": low, "high": high}

    result: dict[str, Any] = {
        "clips": len(table),
        "labels": list(labels),
        "groups": None if groups is None else dict(groups),
    }
    result.update({name: overall.get(name) for name in _names()})
    result.update({f"{kind}_accuracy": _kind_accuracy(table, kinds, kind, share) for kind in KINDS})
    result["top2"] = (
        None if table.logits is None else share(scores.top_k_hits(table.gold, table.logits, 2), table.clip_ids)
    )
    result["per_class"] = {
        label: {
            "support": int(scores.support(matrix)[i]),
            "predicted": int(matrix[:, i].sum()),
            "group": None if groups is None else groups[label],
            "recall": per_class.get(f"recall/{i}", proportion(int(matrix[i, i]), int(matrix[i].sum()))),
            "precision": per_class.get(f"precision/{i}", proportion(int(matrix[i, i]), int(matrix[:, i].sum()))),
            "f1": class_f1[f"f1/{i}"],
        }
        for i, label in enumerate(labels)
    }
    result["absent_classes"] = [label for i, label in enumerate(labels) if matrix[i].sum() == 0]
    result["rates"] = {name: float(matrix[:, len(labels) + i].sum() / len(table)) for i, name in enumerate(OUTCOMES)}
    result["confusion"] = {"rows": list(labels), "columns": [*labels, *OUTCOMES], "counts": matrix.tolist()}
    result["collapse"] = collapse(matrix, labels, groups)
    result["calibration"] = None if table.logits is None else calibration(table.gold, table.logits)
    result["folds"] = _folds(table, groups)
    result["fold_mean"] = _fold_mean(result["folds"], table)
    # Where folds are single subjects, the MEGC protocol's pooled figures take the place of the mean over folds.
    result["megc"] = scores.megc(table) if result["folds"] and result["fold_mean"] is None else None
    result["interval"] = {
        "level": LEVEL,
        "resamples": resamples,
        "seed": seed,
        "method": "stratified bootstrap, percentile" if clusters is None else "cluster bootstrap, percentile",
        "proportions": "Wilson" if clusters is None else "cluster bootstrap, percentile",
        "clusters": None if clusters is None else len({clusters[clip_id] for clip_id in table.clip_ids}),
    }
    return result


def compare(
    first: PredictionTable,
    second: PredictionTable,
    *,
    groups: Mapping[str, Group] | None = None,
    kinds: Kinds | None = None,
    clusters: Clusters | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> dict[str, Any]:
    """Differences second - first on the same clips, under the names of `summarise`.

    Each is {"value", "low", "high", "p"} from a paired bootstrap stratified by true class, or of whole `clusters`;
    `mcnemar` is the exact test on hits (which takes clips for independent), `by_fold` the differences fold by fold
    (empty without folds, or when a fold lacks a class).
    """
    second = second.aligned(first)
    figures = _overall(first.labels, groups)
    drawn = paired_bootstrap(first, second, figures, resamples=resamples, seed=seed, clusters=clusters)
    result: dict[str, Any] = {name: drawn.get(name) for name in _names()}
    for kind in KINDS:
        ids = of_kind(first, kinds, kind)
        result[f"{kind}_accuracy"] = None
        if ids and _can_resample(ids, clusters):
            pair = _hit_or_miss(first.subset(ids)), _hit_or_miss(second.subset(ids))
            part = paired_bootstrap(
                *pair,
                lambda m: {"war": scores.war(m)},
                resamples=resamples,
                seed=seed,
                clusters=clusters,
                complete=False,
            )
            result[f"{kind}_accuracy"] = part["war"]
    result["mcnemar"] = mcnemar(first.gold == first.predicted, second.gold == second.predicted)
    result["by_fold"] = by_fold(first, second, figures)
    return result


def _names() -> list[str]:
    return ["war", "uar", "macro_f1", "weighted_f1"] + [f"{g}_{f}" for g in scores.GROUPS for f in ("recall", "f1")]


def _overall(
    labels: Sequence[str], groups: Mapping[str, Group] | None
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    return lambda matrix: scores.statistics(matrix, labels, groups)


def of_kind(table: PredictionTable, kinds: Kinds | None, kind: Kind) -> list[str]:
    """Ids of the table's macro or micro clips; none without `kinds`."""
    return [] if kinds is None else [clip_id for clip_id in table.clip_ids if kinds.get(clip_id) == kind]


def _hit_or_miss(table: PredictionTable) -> PredictionTable:
    """The table with every error made alike: enough for accuracy, and far fewer pairs of answers to resample."""
    rows = (row if row.predicted == row.label else replace(row, predicted=OUTCOMES[1]) for row in table.predictions)
    return PredictionTable(table.labels, tuple(rows))


def _kind_accuracy(
    table: PredictionTable,
    kinds: Kinds | None,
    kind: Kind,
    share: Callable[[np.ndarray, Sequence[str]], dict[str, float] | None],
) -> dict[str, float] | None:
    ids = of_kind(table, kinds, kind)
    if not ids:
        return None
    wanted = set(ids)
    hits = np.array([row.label == row.predicted for row in table.predictions if row.clip_id in wanted])
    return share(hits, ids)


def _can_resample(ids: Sequence[str], clusters: Clusters | None) -> bool:
    """Whether these clips are of two clusters or more, so that resampling clusters can say how sure a figure is."""
    return clusters is None or len({clusters.get(clip_id) for clip_id in ids}) > 1


def _recall_and_precision(matrix: np.ndarray) -> dict[str, np.ndarray]:
    return {"recall": scores.recall(matrix), "precision": scores.precision(matrix)}


def _share(hits: np.ndarray) -> dict[str, float]:
    return proportion(int(hits.sum()), len(hits))


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
