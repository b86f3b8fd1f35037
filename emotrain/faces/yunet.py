"""YuNet (Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector", 2023) in OpenCV's `FaceDetectorYN`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import local
from typing import Any

import numpy as np

from emotrain.faces.detectors import Detected
from emotrain.faces.rule import KEEP
from emotrain.faces.weights import WEIGHTS, DamagedWeights, weights_file
from emotrain.video.reader import Pixels

NEAR_DUPLICATES = 0.3
"""Overlap from which two boxes are one face."""

SIZES_KEPT = 8
"""Networks that a thread keeps for pictures of different sizes; whole frames and cuttings around faces take two."""


class YuNet:
    """Boxes, five landmarks and scores; 230 kB of weights, some 12 ms for 640 x 360 pixels on one core."""

    def __init__(self) -> None:
        """Fetches the weights if they are nowhere here (see weights.py for what it may raise)."""
        self.file = weights_file("yunet")

    def digest(self) -> str:
        """sha256 of the weights."""
        return WEIGHTS["yunet"].sha256

    def faces_in(self, picture: Pixels) -> list[Detected]:
        """The faces that score `rule.KEEP` or more, best first, in fractions of the picture."""
        import cv2

        height, width = picture.shape[:2]
        _, rows = _network(self.file, width, height).detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        if rows is None:
            return []
        scale = np.array([width, height], np.float64)
        found = []
        for row in np.asarray(rows, np.float64):
            corner = row[:2] / scale
            box = np.concatenate([corner, corner + row[2:4] / scale])
            found.append(Detected(float(row[14]), box, row[4:14].reshape(5, 2) / scale))
        return sorted(found, key=lambda face: -face.score)


_mine = local()


def _network(file: Path, width: int, height: int) -> Any:
    """A network of this thread: one that two threads ask at once mixes up their pictures."""
    if not hasattr(_mine, "kept"):
        _mine.kept = lru_cache(SIZES_KEPT)(_made)
    return _mine.kept(file, width, height)


def _made(file: Path, width: int, height: int) -> Any:
    import cv2

    with _quiet():
        try:
            return cv2.FaceDetectorYN.create(
                str(file), "", (width, height), score_threshold=KEEP, nms_threshold=NEAR_DUPLICATES
            )
        except cv2.error as error:
            raise DamagedWeights(f"{file}: OpenCV cannot read these face-detector weights: {error}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """OpenCV 5 warns for each network that its new engine takes no target; there is nothing to be done about it."""
    from cv2.utils import logging

    level = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        logging.setLogLevel(level)
