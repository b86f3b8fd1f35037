"""The motion of the head in a flow field: one affine map a frame, fitted to the parts that move with the skull."""

from __future__ import annotations

from functools import cache

import numpy as np

from emotrain.motion.face_regions import Floats

FIT_STEPS = 5


@cache
def design(size: int) -> Floats:
    """(size^2, 3): 1, x, y of each place of a `size` x `size` grid, in fractions of the crop."""
    ticks: Floats = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
    y, x = np.meshgrid(ticks, ticks, indexing="ij")
    return np.stack([np.ones_like(x), x, y], axis=-1).reshape(-1, 3)


def affine(flow: Floats, prior: Floats) -> Floats:
    """(2, T, 3) affine maps fitted to (2, T, S^2) flow by iteratively re-weighted least squares, all frames at once.

    `prior` (S^2,) is how far each place is trusted. Weights are `prior` times the Geman-McClure weight of the residual,
    its scale 1.5 times the median residual of the trusted places in each frame.
    """
    count = flow.shape[1]
    places = design(round(flow.shape[2] ** 0.5))
    products = np.einsum("pi,pj->pij", places, places).reshape(-1, 9)
    by_place: Floats = np.concatenate([products, places], axis=1)
    ridge = np.eye(3, dtype=np.float32)[None] * np.float32(1e-6)
    trusted = np.flatnonzero(prior > 0.3 * prior.max())
    x, y = flow
    weights: Floats = np.broadcast_to(prior, x.shape)
    for step in range(FIT_STEPS):
        sums = weights @ by_place
        normal = sums[:, :9].reshape(-1, 3, 3) + ridge * np.maximum(sums[:, 9, None, None], 1e-6)
        right = np.stack([(weights * x) @ places, (weights * y) @ places], axis=2)
        head = np.linalg.solve(normal, right)
        if step < FIT_STEPS - 1:
            squared = np.square(x - head[:, :, 0] @ places.T)
            squared += np.square(y - head[:, :, 1] @ places.T)
            scale = 2.25 * _medians(squared[:, trusted]) + np.float32(1e-8)
            squared /= scale[:, None]
            squared += 1
            np.square(squared, out=squared)
            weights = np.divide(prior, squared, out=squared)
    return head.transpose(2, 0, 1).reshape(2, count, 3).astype(np.float32)


def _medians(rows: Floats) -> Floats:
    """The median of each row; partitioning is several times faster than np.median."""
    half = rows.shape[1] // 2
    if rows.shape[1] % 2:
        return np.partition(rows, half, axis=1)[:, half]
    middle = np.partition(rows, (half - 1, half), axis=1)[:, half - 1 : half + 1]
    return middle.mean(axis=1)
