"""Which clips belong together: ten clips of one person say less than ten people with one clip each.

A face that is hard to read is hard in each of its clips, so clips of one subject are resampled, and their answers
swapped, as one (Davison and Hinkley 1997, section 3.8). That is done wherever the index knows the subjects, or else the
sources, of all clips; only an index that knows neither leaves clips for independent.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from emotrain.metrics.predictions import PredictionTable, examples
from emotrain.metrics.resampling import ENOUGH_CLUSTERS
from emotrain.records import Clip

BY = ("subject", "source")
"""What clips are clustered by, the first that is known of all of them."""

Clusters = Mapping[str, str | None]
Ints = npt.NDArray[np.int64]


def known_clusters(
    table: PredictionTable, clips: Mapping[str, Clip], by: str | None = None
) -> tuple[str, dict[str, str]] | None:
    """What the table's clips are clustered by, and the cluster of each by clip id; None where the index knows neither.

    `by` asks for one of BY, and raises ValueError when clips lack it or are all of one cluster; "none" asks for none.
    """
    if by == "none":
        return None
    if by is not None and by not in BY:
        raise ValueError(f"--cluster {by!r}: clips can be clustered by {' or '.join(BY)}, or by none")
    for name in BY if by is None else (by,):
        found = {clip_id: getattr(clips[clip_id], name) for clip_id in table.clip_ids if clip_id in clips}
        if by is not None:
            numbers_of(table, found)
        if len(found) == len(table) and None not in found.values() and len(set(found.values())) > 1:
            return name, found
    return None


def numbers_of(table: PredictionTable, clusters: Clusters) -> Ints:
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


def too_few(groups: int | None, by: str | None) -> str | None:
    """A sentence of warning where there are too few clusters for an interval to be trusted, else None."""
    if groups is None or groups >= ENOUGH_CLUSTERS:
        return None
    return (
        f"{groups} {by}s only: intervals are widened by Student's t with {groups - 1} degrees of freedom and still "
        f"rest on few people; below {ENOUGH_CLUSTERS} take them as a rough guide."
    )
