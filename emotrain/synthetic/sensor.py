"""Sensor noise: fresh on every frame, cheap enough not to matter."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SLACK = 48


class Sensor:
    """Adds noise of `sigma` grey levels to frames of `size` pixels; the sequence is a pure function of `rng`.

    One noise tile larger than the frame is drawn; each frame sees it at another offset and flip.
    """

    def __init__(self, size: int, sigma: float, rng: np.random.Generator) -> None:
        self.size, self.sigma, self.rng = size, sigma, rng
        side = size + _SLACK
        grain = rng.standard_normal((side, side, 3), dtype=np.float32) * np.float32(sigma)
        self.tile = np.round(grain).astype(np.int16)

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The frame with noise, clipped to 0..255."""
        if self.sigma == 0:
            return frame
        row, column, sign = self.rng.integers((_SLACK, _SLACK, 2))
        grain = self.tile[row : row + self.size, column : column + self.size]
        mixed = cv2.add(frame, grain, dtype=cv2.CV_8U) if sign else cv2.subtract(frame, grain, dtype=cv2.CV_8U)
        return np.asarray(mixed, np.uint8)
