"""A frame seen along a face's path: the aligned crop, the whole frame, or both on one square of the same size.

Every view fills a square, so that all cost a model the same visual tokens; what a scene leaves free is grey.
"""

from __future__ import annotations

import math

import numpy as np

from emotrain.video.crop import WHOLE, Box
from emotrain.video.framing import Followed
from emotrain.video.reader import Picture, Pixels

FREE = 128
"""Grey level of what a view leaves free."""

FINEST = 512
"""Side in pixels of a crop at native resolution, at most."""


class FollowedPicture(Picture):
    """`picture`, shown at `time_s` of the clip, along a path. Boxes are not looked at: the path says what is read."""

    def __init__(self, picture: Picture, followed: Followed, time_s: float) -> None:
        self.picture, self.followed, self.time_s = picture, followed, time_s

    def shape(self) -> tuple[int, int]:
        return self.picture.shape()

    def rgb(self, size: int | None, box: Box) -> Pixels:
        side = size if size is not None else self._native()
        if self.followed.view == "face":
            return self._crop(side)
        if self.followed.view == "scene":
            return _on_square(side, (self.picture.rgb(side, WHOLE), side // 2))
        half = side // 2
        height, width = self.shape()
        scene = self.picture.rgb(min(side, max(1, half * max(height, width) // height)), WHOLE)[:half, :side]
        return _on_square(side, (scene, half // 2), (self._crop(side - half), half + (side - half) // 2))

    def grey(self, size: int, box: Box) -> Pixels:
        import cv2

        grey: Pixels = cv2.cvtColor(self._crop(size), cv2.COLOR_RGB2GRAY)
        return grey

    def _crop(self, size: int) -> Pixels:
        import cv2

        height, width = self.shape()
        # The frame is converted no finer than the crop is: steps of half an octave let a scaler keep its tables.
        scale = min(1.0, 2 ** (math.ceil(2 * math.log2(self._zoom(size))) / 2))
        frame = self.picture.rgb(max(16, round(max(height, width) * scale)), WHOLE)
        matrix = self._matrix(frame.shape[1], frame.shape[0], size)
        return np.asarray(
            cv2.warpAffine(frame, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
            np.uint8,
        )

    def _zoom(self, size: int) -> float:
        """Crop pixels a frame pixel."""
        height, width = self.shape()
        return max(float(np.hypot(*self._matrix(width, height, size)[:, 0])), 1e-6)

    def _native(self) -> int:
        return int(np.clip(round(1 / self._zoom(1)), 16, FINEST))

    def _matrix(self, width: int, height: int, size: int) -> np.ndarray:
        matrix: np.ndarray = self.followed.path.matrices(np.array([self.time_s]), width, height, size)[0]
        return matrix


def _on_square(side: int, *placed: tuple[Pixels, int]) -> Pixels:
    """A grey square with pictures centred in x, and in y at the row given with each."""
    square = np.full((side, side, 3), FREE, np.uint8)
    for image, middle in placed:
        height, width = image.shape[:2]
        top, left = middle - height // 2, (side - width) // 2
        square[top : top + height, left : left + width] = image
    return square
