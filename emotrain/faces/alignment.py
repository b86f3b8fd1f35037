"""The aligned crop: where the eyes go, and what the rest of this face's layout is then.

The eyes lie `EYES` of the crop's width apart, so that the chin is inside: in real faces that are aligned with the eyes
.33 apart, as public crops have it, the chin lies at 1.03 of the height. What five points do not show (brows, chin) is
placed by the proportions of real faces: the medians of 35 clips, in units of the distance from eyes to mouth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import FaceLayout

EYES = 0.29
EYE_Y = 0.40
RIGHT_EYE = (0.5 - EYES / 2, EYE_Y)
LEFT_EYE = (0.5 + EYES / 2, EYE_Y)

BROWS_ABOVE_EYES = 0.355
CHIN_BELOW_EYES = 1.69

STEP = 0.005
"""Layouts are rounded to this: finer differences are noise, and equal layouts share their maps."""


def similarity(
    middle: NDArray[np.float64], angle: NDArray[np.float64], length: NDArray[np.float64], size: int
) -> NDArray[np.float32]:
    """(T, 2, 3) maps from frame pixels to the pixels of a `size` x `size` crop.

    `middle` (T, 2) is the point between the eyes, `length` (T,) their distance in pixels and `angle` (T,) the direction
    from the right to the left eye in radians.
    """
    scale = EYES * size / length
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], -2)
    # Pixel k covers k to k + 1: its centre, which warpAffine means by k, lies at k + 1/2.
    goal = np.array([0.5 * size, EYE_Y * size]) - 0.5
    shift = goal - np.einsum("tij,tj->ti", turn, middle - 0.5)
    return np.concatenate([turn, shift[..., None]], -1).astype(np.float32)


def measured_layout(landmarks: NDArray[np.float64]) -> FaceLayout:
    """The layout of a face in its aligned crop, from (N, 5, 2) landmarks in square pixels, N of at least 1."""
    right, left = landmarks[:, 0], landmarks[:, 1]
    across = left - right
    length = np.maximum(np.linalg.norm(across, axis=1), 1e-9)
    along = across / length[:, None]
    down = np.stack([-along[:, 1], along[:, 0]], 1)
    rest = (landmarks[:, 2:] - ((right + left) / 2)[:, None]) / length[:, None, None]
    x = np.median(np.einsum("npi,ni->np", rest, along), axis=0) * EYES
    y = np.median(np.einsum("npi,ni->np", rest, down), axis=0) * EYES
    mouth_y = (y[1] + y[2]) / 2
    return FaceLayout(
        right_eye=RIGHT_EYE,
        left_eye=LEFT_EYE,
        brow_y=_rounded(EYE_Y - BROWS_ABOVE_EYES * mouth_y),
        nose_tip=(_rounded(0.5 + x[0]), _rounded(EYE_Y + y[0])),
        mouth=(_rounded(0.5 + (x[1] + x[2]) / 2), _rounded(EYE_Y + mouth_y)),
        mouth_half_width=_rounded((x[2] - x[1]) / 2),
        chin_y=_rounded(min(EYE_Y + CHIN_BELOW_EYES * mouth_y, 1.0)),
    )


def _rounded(value: float) -> float:
    return round(round(float(value) / STEP) * STEP, 4)
