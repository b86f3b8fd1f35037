"""The parts of a face that motion is told by: where they lie in an aligned crop, and which parts hold still.

Regions are soft boxes placed by a FaceLayout; "right" and "left" are the subject's own, so the subject's right lies at
smaller x. All maps are flattened grids, ready to be one side of a matrix product with a flow field or an image.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP, FaceLayout

Floats = NDArray[np.float32]

# Offsets from the landmark named first, in inter-ocular distances: (outward or right-to-left, down), then half sizes.
_PAIRED: dict[str, tuple[str, float, float, float, float]] = {
    "inner brow": ("brow", -0.24, 0.0, 0.13, 0.10),
    "outer brow": ("brow", 0.16, 0.0, 0.16, 0.10),
    "upper lid": ("eye", 0.0, -0.07, 0.19, 0.06),
    "lower lid": ("eye", 0.0, 0.10, 0.19, 0.06),
    "cheek": ("eye", 0.02, 0.48, 0.18, 0.14),
    "mouth corner": ("corner", 0.0, 0.0, 0.10, 0.10),
}
_MIDDLE: dict[str, tuple[str, float, float, float, float]] = {
    "glabella": ("between", 0.0, -0.06, 0.12, 0.12),
    "nose": ("nose", 0.0, -0.06, 0.16, 0.14),
    "upper lip": ("mouth", 0.0, -0.07, 0.18, 0.06),
    "lower lip": ("mouth", 0.0, 0.09, 0.18, 0.07),
    "chin": ("chin", 0.0, -0.14, 0.22, 0.14),
}

REGIONS: tuple[str, ...] = (*(f"{side} {name}" for name in _PAIRED for side in ("right", "left")), *_MIDDLE)
"""The 17 regions, in the order of every region axis."""

_EYE_STRIPS = (-0.13, -0.09, -0.05, -0.01, 0.03, 0.07, 0.11)
_MOUTH_STRIPS = (-0.12, -0.08, -0.04, 0.0, 0.04, 0.08, 0.12, 0.16, 0.20, 0.26)
_PAIRED_BOXES: dict[str, tuple[str, float, float, float, float]] = {
    "eye": ("eye", 0.0, 0.0, 0.17, 0.09),
    **{f"eye strip {k}": ("eye", 0.0, down, 0.11, 0.02) for k, down in enumerate(_EYE_STRIPS)},
    "eye fold": ("eye", 0.0, 0.17, 0.17, 0.05),
    "nasolabial": ("corner", -0.04, -0.28, 0.09, 0.10),
    "dimple": ("corner", 0.09, 0.0, 0.05, 0.10),
    "below corner": ("corner", 0.04, 0.16, 0.06, 0.08),
}
_MIDDLE_BOXES: dict[str, tuple[str, float, float, float, float]] = {
    **{f"mouth strip {k}": ("mouth", 0.0, down, 0.16, 0.02) for k, down in enumerate(_MOUTH_STRIPS)},
    "chin boss": ("chin", 0.0, -0.18, 0.16, 0.08),
    "nose bridge": ("nose", 0.0, -0.44, 0.10, 0.16),
    "brow furrow": ("between", 0.0, -0.06, 0.08, 0.13),
}

BOXES: tuple[str, ...] = (*(f"{side} {name}" for name in _PAIRED_BOXES for side in ("right", "left")), *_MIDDLE_BOXES)
"""Places whose brightness says what flow cannot: closed eyes, an open mouth, thin lips, folds. The eyes come first."""


def region_weights(size: int, layout: FaceLayout = ALIGNED_CROP) -> Floats:
    """(17, size^2) float32: each region's weights over a `size` x `size` grid; a region sums to one."""
    return np.stack([_soft_box(size, *place, 4.0) for place in _places(_PAIRED, _MIDDLE, layout)])


def box_weights(size: int, layout: FaceLayout = ALIGNED_CROP) -> Floats:
    """(B, size^2) float32: each brightness box's weights; a box sums to one. Strips need a `size` of 96 or more."""
    return np.stack([_soft_box(size, *place, 8.0) for place in _places(_PAIRED_BOXES, _MIDDLE_BOXES, layout)])


def _places(
    paired: dict[str, tuple[str, float, float, float, float]],
    middle: dict[str, tuple[str, float, float, float, float]],
    layout: FaceLayout,
) -> list[tuple[float, float, float, float]]:
    anchors, unit = _anchors(layout), layout.inter_ocular
    sided = [
        (f"{side} {p[0]}", sign * p[1], *p[2:]) for p in paired.values() for side, sign in (("right", -1), ("left", 1))
    ]
    return [
        (anchors[anchor][0] + out * unit, anchors[anchor][1] + down * unit, half_width * unit, half_height * unit)
        for anchor, out, down, half_width, half_height in (*sided, *middle.values())
    ]


def _anchors(layout: FaceLayout) -> dict[str, tuple[float, float]]:
    middle = (layout.right_eye[0] + layout.left_eye[0]) / 2
    return {
        "right eye": layout.right_eye,
        "left eye": layout.left_eye,
        "right brow": (layout.right_eye[0], layout.brow_y),
        "left brow": (layout.left_eye[0], layout.brow_y),
        "right corner": (layout.mouth[0] - layout.mouth_half_width, layout.mouth[1]),
        "left corner": (layout.mouth[0] + layout.mouth_half_width, layout.mouth[1]),
        "between": (middle, layout.brow_y + 0.04),
        "nose": layout.nose_tip,
        "mouth": layout.mouth,
        "chin": (layout.mouth[0], layout.chin_y),
    }


def _grid(size: int) -> tuple[Floats, Floats]:
    ticks: Floats = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
    y, x = np.meshgrid(ticks, ticks, indexing="ij")
    return x.ravel(), y.ravel()


def _soft_box(size: int, x: float, y: float, half_width: float, half_height: float, power: float) -> Floats:
    gx, gy = _grid(size)
    weights = np.exp(-0.7 * (np.abs((gx - x) / half_width) ** power + np.abs((gy - y) / half_height) ** power))
    return (weights / weights.sum()).astype(np.float32)


def rigid_weights(size: int, layout: FaceLayout = ALIGNED_CROP) -> Floats:
    """(size^2,) float32: how much each place moves with the skull: forehead, temples, nose and outer cheeks do,
    mouth, jaw and brows do not."""
    gx, gy = _grid(size)
    middle, unit = layout.mouth[0], layout.inter_ocular
    top, bottom = 0.10, layout.chin_y
    face = ((gx - middle) / 0.40) ** 2 + ((gy - (top + bottom) / 2) / ((bottom - top) / 2)) ** 2
    weights = np.where(face < 1.0, 1.0, 0.02)
    mouth = np.exp(
        -0.7 * (np.abs((gx - middle) / (0.55 * unit)) ** 4 + np.abs((gy - layout.mouth[1]) / (0.38 * unit)) ** 4)
    )
    jaw = 1.0 / (1.0 + np.exp(-(gy - layout.mouth[1]) / (0.06 * unit)))
    brows = np.exp(-0.7 * (np.abs((gx - middle) / 0.31) ** 6 + np.abs((gy - layout.brow_y) / (0.16 * unit)) ** 4))
    return (weights * (1 - 0.95 * mouth) * (1 - 0.85 * jaw) * (1 - 0.8 * brows)).astype(np.float32)
