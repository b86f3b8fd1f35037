"""Synthetic minority oversampling (Chawla et al. 2002) in a feature space, and nowhere else.

A new point lies on the segment between a point of a class and one of its nearest neighbours of that class. Between two
embeddings that is a plausible embedding. Between two images it is a double exposure, and between two token sequences it
is nothing at all: so only floating-point vectors are taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def smote(
    points: NDArray[np.floating], classes: NDArray[np.integer], *, neighbours: int = 5, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Oversample every class to the size of the largest: the points (N, D) given, in order, then the synthetic ones.

    `classes` (N,) are class positions. A class has `neighbours` neighbours or as many as there are; the only point of a
    class is repeated. Raises ValueError for anything but finite floating-point vectors.
    """
    x, y = np.asarray(points), np.asarray(classes, dtype=np.int64)
    if x.ndim != 2 or not np.issubdtype(x.dtype, np.floating):
        raise ValueError(
            f"SMOTE: points of shape {x.shape}, {x.dtype}; expected embeddings, floating-point vectors (N, D): "
            "pixels (N, H, W, ...) and token ids cannot be interpolated"
        )
    if y.shape != (len(x),):
        raise ValueError(f"SMOTE: {len(x)} points and classes of shape {y.shape}: expected one class a point")
    if neighbours < 1:
        raise ValueError(f"SMOTE: neighbours={neighbours}: expected 1 or more, for example 5")
    x = x.astype(np.float64)
    present, sizes = np.unique(y, return_counts=True)
    made, made_classes = [x], [y]
    for label, size in zip(present, sizes):
        missing = int(sizes.max() - size)
        rng = np.random.default_rng([seed, int(label)])
        made.append(_between(x[y == label], missing, neighbours, rng))
        made_classes.append(np.full(missing, label, dtype=np.int64))
    return np.concatenate(made), np.concatenate(made_classes)


def _between(
    points: NDArray[np.float64], number: int, neighbours: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    from sklearn.neighbors import NearestNeighbors

    k = min(neighbours, len(points) - 1)
    if k == 0 or number == 0:
        return np.repeat(points[:1], number, axis=0)
    # Queried without arguments, it leaves a point out of its own neighbours but not the duplicates of that point.
    near = NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)
    start = rng.integers(len(points), size=number)
    end = near[start, rng.integers(k, size=number)]
    return points[start] + rng.random((number, 1)) * (points[end] - points[start])
