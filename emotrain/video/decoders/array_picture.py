"""A frame that a back end hands over as an array, scaled with OpenCV."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from emotrain.video.crop import Box, place
from emotrain.video.reader import Picture, Pixels


class ArrayPicture(Picture):
    """An upright RGB frame whose pixels are fetched by `load` only when somebody wants them.

    `height` and `width` are those it is shown at; the stored pixels differ from them where they are not square.
    """

    def __init__(self, time_s: float, height: int, width: int, load: Callable[[], Pixels]) -> None:
        self.time_s = time_s
        self._shape = height, width
        self._load = load
        self._image: Pixels | None = None

    def shape(self) -> tuple[int, int]:
        return self._shape

    def rgb(self, size: int | None, box: Box) -> Pixels:
        return self._scaled(size, box, square=False)

    def grey(self, size: int, box: Box) -> Pixels:
        return cv2.cvtColor(self._scaled(size, box, square=True), cv2.COLOR_RGB2GRAY)

    def _scaled(self, size: int | None, box: Box, square: bool) -> Pixels:
        if self._image is None:
            self._image = self._load()
        height, width = self._shape
        placement = place(height, width, box, size, square)
        full_h, full_w = placement.full
        image = self._image
        if (full_h, full_w) != image.shape[:2]:
            smaller = full_h * full_w < image.shape[0] * image.shape[1]
            image = cv2.resize(image, (full_w, full_h), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
        return np.ascontiguousarray(image[placement.rows, placement.columns])
