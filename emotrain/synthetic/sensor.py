"""Sensor noise: fresh on every frame, cheap enough not to matter."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SLACK = 48


class Sensor:
    """Adds noise of `sigma` grey levels to frames of `height` x `width` pixels (square without `width`).

    The sequence is a pure function of `rng`. One noise tile larger than the frame is drawn; each frame sees it at
    another offset and flip.
    """

    def __init__(self, height: int, sigma: float, rng: np.random.Generator, width: int | None = None) -> None:
        self.height, self.width = height, height if width is None else width
        self.sigma, self.rng = sigma, rng
        shape = (self.height + _SLACK, self.width + _SLACK, 3)
        grain = rng.standard_normal(shape, dtype=np.float32) * np.float32(sigma)
        self.tile = np.round(grain).astype(np.int16)

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The frame with noise, clipped to 0..255."""
        if self.sigma == 0:
            return frame
        row, column, sign = self.rng.integers((_SLACK, _SLACK, 2))
        grain = self.tile[row : row + self.height, column : column + self.width]
        mixed = cv2.add(frame, grain, dtype=cv2.CV_8U) if sign else cv2.subtract(frame, grain, dtype=cv2.CV_8U)
        return np.asarray(mixed, np.uint8)
