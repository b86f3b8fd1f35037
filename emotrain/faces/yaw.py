"""How far a face is turned aside, from five points.

The nose tip stands out of the plane of the eyes. When the head turns by `yaw` under a distant camera, the tip moves
sideways by `NOSE * sin(yaw)` of the eyes' true distance while that distance shows as its cosine, so the tip's offset
from the middle of the eyes, in units of the eyes' distance *as seen*, is `NOSE * tan(yaw)`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NOSE = 0.6
"""How far the nose tip stands before the plane of the pupils, in distances between the pupils (about 38 mm of 63)."""


def yaw_deg(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """(...) degrees for landmarks (..., 5, 2) in square pixels; positive where the nose points to larger x.

    Roll does not matter: the offset is taken along the line through the eyes.
    """
    points = np.asarray(landmarks, np.float64)
    right, left, nose = points[..., 0, :], points[..., 1, :], points[..., 2, :]
    across = left - right
    length = np.maximum(np.linalg.norm(across, axis=-1), 1e-9)
    offset = ((nose - (right + left) / 2) * across).sum(-1) / length**2
    return np.degrees(np.arctan(offset / NOSE))
