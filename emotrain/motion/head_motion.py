"""The motion of the head in a flow field, fitted to the parts that move with the skull.

A head that shifts, rolls or comes closer moves by an affine map. One that turns or nods does not: what stands out of
the face moves farther. That parallax is a dome with a nose on it, times one number a frame and axis.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from emotrain.face_layout import ALIGNED_CROP, FaceLayout
from emotrain.motion.face_regions import Floats

FIT_STEPS = 5

_DOME = (0.545, 1.33, 1.82)
_NOSE = (0.25, 0.27, 0.33)
"""Where the dome's top lies below the eyes, its half width and half height; how far the nose stands out of it, in
heights of the dome, and its half width and half height. In eye distances."""

LEVEL = 0.85
"""The relief's mean over the face, taken off: what all places share is a shift."""

RELIEF_RIDGE = 0.003
"""What holds the relief's coefficients back: a shift of a flat face and a turn of a round one look nearly alike, and
where the trusted places do not tell them apart the shift is believed."""

COUPLING = 0.05
"""How far this face may differ from that dome: standard deviation of what a part moves beside it, in its turns."""


@cache
def design(size: int, layout: FaceLayout = ALIGNED_CROP) -> Floats:
    """(size^2, 4): 1, x, y of each place of a `size` x `size` grid, in fractions of the crop, and its relief."""
    ticks: Floats = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
    y, x = np.meshgrid(ticks, ticks, indexing="ij")
    unit, (low, wide, high), (nose, broad, tall) = layout.inter_ocular, _DOME, _NOSE
    away = ((x - layout.mouth[0]) / (wide * unit)) ** 2
    away += ((y - layout.right_eye[1] - low * unit) / (high * unit)) ** 2
    tip = ((x - layout.nose_tip[0]) / (broad * unit)) ** 2 + ((y - layout.nose_tip[1]) / (tall * unit)) ** 2
    relief = np.sqrt(np.clip(1 - away, 0, None)) + nose * np.exp(-tip) - LEVEL
    return np.stack([np.ones_like(x), x, y, relief], axis=-1).reshape(-1, 4).astype(np.float32)


def head_motion(flow: Floats, prior: Floats, places: Floats) -> Floats:
    """(2, T, K) coefficients of `places` (S^2, K), the design of the grid, fitted to (2, T, S^2) flow by iteratively
    re-weighted least squares, all frames at once.

    `prior` (S^2,) is how far each place is trusted. Weights are `prior` times the Geman-McClure weight of the residual,
    its scale 1.5 times the median residual of the trusted places in each frame.
    """
    count, terms = flow.shape[1], places.shape[1]
    products = np.einsum("pi,pj->pij", places, places).reshape(-1, terms**2)
    by_place: Floats = np.concatenate([products, places], axis=1)
    ridge = np.full(terms, 1e-6, np.float32)
    ridge[3:] = RELIEF_RIDGE
    penalty = np.diag(ridge)[None]
    trusted = np.flatnonzero(prior > 0.3 * prior.max())
    x, y = flow
    weights: Floats = np.broadcast_to(prior, x.shape)
    for step in range(FIT_STEPS):
        sums = weights @ by_place
        normal = sums[:, : terms**2].reshape(-1, terms, terms) + penalty * np.maximum(
            sums[:, terms**2, None, None], 1e-6
        )
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
    return head.transpose(2, 0, 1).reshape(2, count, terms).astype(np.float32)


def follows_turns(tracks: Floats, turns: Floats, length_s: float) -> Floats:
    """(T, C) what of `tracks` goes along with the head's `turns` (T, 2) all through the clip, both in one unit.

    No face is the dome that was fitted, and what this one differs by moves as its turns do. A ridge keeps the share
    small where the head hardly turns, robust weights keep events out of it.
    """
    turns = np.asarray(turns - np.median(turns, axis=0), np.float32)
    tracks = np.asarray(tracks - np.median(tracks, axis=0), np.float32)
    apart = max(12 * length_s / 4, 1.0) / len(turns)
    scale = 0.1 + 1.4826 * np.median(np.abs(tracks), axis=0)
    share = np.zeros((2, tracks.shape[1]))
    for _ in range(3):
        weights = apart / (1 + ((tracks - turns @ share) / (2 * scale)) ** 2) ** 2
        normal = np.einsum("tc,ti,tj->cij", weights, turns, turns) + (scale / COUPLING)[:, None, None] ** 2 * np.eye(2)
        share = np.linalg.solve(normal, np.einsum("tc,ti->ci", weights * tracks, turns)[..., None])[..., 0].T
        scale = 0.1 + 1.4826 * np.median(np.abs(tracks - turns @ share), axis=0)
    return np.asarray(turns @ share, np.float32)


def _medians(rows: Floats) -> Floats:
    """The median of each row; partitioning is several times faster than np.median."""
    half = rows.shape[1] // 2
    if rows.shape[1] % 2:
        return np.partition(rows, half, axis=1)[:, half]
    middle = np.partition(rows, (half - 1, half), axis=1)[:, half - 1 : half + 1]
    return middle.mean(axis=1)
