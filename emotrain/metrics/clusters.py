"""Intervals when clips are not independent: a bootstrap that draws whole clusters, such as all clips of a subject.

A face that is hard to read is hard in each of its clips, so ten clips of one person say less than ten people with one
clip each, and intervals from resampled clips are too narrow. Here clusters are drawn with replacement and every clip of
a drawn cluster comes along (Davison and Hinkley 1997, section 3.8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from emotrain.metrics.predictions import PredictionTable, examples

_AT_ONCE = 500
"""Resamples that are drawn together: bounds the memory of (resamples, clusters) weights."""
_LEAST_COMPLETE = 0.1
"""Share of resamples that must hold every class; below it the figure has no distribution to speak of."""

Ints = npt.NDArray[np.int64]


def clusters_of(table: PredictionTable, clusters: Mapping[str, str | None]) -> Ints:
    """The number of each clip's cluster, (N,) int64; ValueError names the clips without one, or that there is one."""
    lacking = [clip_id for clip_id in table.clip_ids if clusters.get(clip_id) is None]
    if lacking:
        raise ValueError(
            f"{len(lacking)} of {len(table)} clips have no cluster to resample by, such as {examples(lacking)}; fill "
            "in their subject, or leave clusters out"
        )
    names, numbers = np.unique([str(clusters[clip_id]) for clip_id in table.clip_ids], return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"all clips are of the cluster {str(names[0])!r}; two or more are needed to resample them")
    return np.asarray(numbers, np.int64)


def cluster_copies(
    cluster: Ints,
    gold: Ints,
    predicted: Ints,
    n_labels: int,
    *,
    complete: bool = True,
    resamples: int = 10_000,
    seed: int = 0,
) -> npt.NDArray[np.float64]:
    """(R, K, K + 2) confusion matrices of `resamples` draws of as many clusters as there are, with replacement.

    `cluster`, `gold` and `predicted` are (N,) numbers. A resample that lacks a class which the clips have is drawn
    again (unless `complete` is false: accuracy needs no class), for a recall of nothing is no figure. What is drawn
    hangs on `cluster`, `gold` and `seed` alone, so two systems on the same clips meet the same resamples. Raises
    ValueError when nine resamples in ten lack a class.
    """
    rng = np.random.default_rng(seed)
    groups, cells = int(cluster.max()) + 1, n_labels * (n_labels + 2)
    counts = _table(cluster, gold * (n_labels + 2) + predicted, groups, cells)
    per_class = _table(cluster, gold, groups, n_labels)
    there = (per_class.sum(0) > 0) & complete
    used = np.flatnonzero(counts.any(0))
    out = np.zeros((resamples, cells))
    filled = drawn = 0
    while filled < resamples:
        weights = rng.multinomial(groups, np.full(groups, 1 / groups), size=_AT_ONCE).astype(np.float64)
        drawn += len(weights)
        whole = weights[((weights @ per_class)[:, there] > 0).all(1)][: resamples - filled]
        out[filled : filled + len(whole), used] = whole @ counts[:, used]
        filled += len(whole)
        if filled < _LEAST_COMPLETE * drawn and filled < resamples:
            rarest = int(np.where(there, (per_class > 0).sum(0), groups + 1).argmin())
            raise ValueError(
                f"of {drawn} resamples of {groups} clusters only {filled} hold every class: class {rarest} (from 0) "
                f"occurs in {int((per_class[:, rarest] > 0).sum())}; too few clusters for this interval"
            )
    return out.reshape(resamples, n_labels, n_labels + 2)


def table_copies(
    table: PredictionTable,
    clusters: Mapping[str, str | None],
    *,
    complete: bool = True,
    resamples: int = 10_000,
    seed: int = 0,
) -> npt.NDArray[np.float64]:
    """`cluster_copies` of a prediction table."""
    return cluster_copies(
        clusters_of(table, clusters),
        table.gold,
        table.predicted,
        len(table.labels),
        complete=complete,
        resamples=resamples,
        seed=seed,
    )


def share_copies(
    hits: Sequence[bool] | npt.NDArray[np.bool_], cluster: Ints, *, resamples: int = 10_000, seed: int = 0
) -> npt.NDArray[np.float64]:
    """(R,) shares of `hits` (N,) under resampled clusters."""
    missed = (~np.asarray(hits, bool)).astype(np.int64)
    _, numbers = np.unique(cluster, return_inverse=True)
    copies = cluster_copies(
        np.asarray(numbers, np.int64), np.zeros_like(missed), missed, 1, resamples=resamples, seed=seed
    )
    share: npt.NDArray[np.float64] = copies[:, 0, 0] / copies.sum((1, 2))
    return share


def _table(rows: Ints, columns: Ints, n_rows: int, n_columns: int) -> npt.NDArray[np.float64]:
    flat = np.bincount(rows * n_columns + columns, minlength=n_rows * n_columns)
    return flat.reshape(n_rows, n_columns).astype(np.float64)
