"""A folder of frame images as a clip: how the micro-expression sets and the aligned crops of DFEW come."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from emotrain.clip_errors import ClipError
from emotrain.datasets.frame_folder import IMAGE_SUFFIXES, frame_folder
from emotrain.video.decoders.array_picture import ArrayPicture
from emotrain.video.reader import DEFAULT_FPS, ClipReader, Picture, Pixels, Times

_told: set[str] = set()

log = logging.getLogger(__name__)


class ImagesReader(ClipReader):
    """The images of one folder, in the order and at the times that `datasets.frame_folder` gives them.

    An image that cannot be read is skipped and counted. 16-bit and grey images become 8-bit RGB.
    """

    decoder = "images"

    def __init__(self, path: Path, fps: float | None) -> None:
        super().__init__(path)
        self._fps = fps if fps is not None else DEFAULT_FPS
        folder = frame_folder(path)
        if not folder.names:
            raise ClipError(f"{path}: the folder holds no image ({', '.join(sorted(IMAGE_SUFFIXES))})")
        for note in folder.notes:
            _tell(path, note)
        self._files = [path / name for name in folder.names]
        self._stamps = folder.times_s(self._fps)

    def close(self) -> None:
        """Nothing stays open between images."""

    def _declared_fps(self) -> float | None:
        return self._fps

    def _predict_times(self) -> Times | None:
        return np.asarray(self._stamps, np.float64)

    def _decode(self) -> Iterator[Picture]:
        unread = 0
        for file, stamp in zip(self._files, self._stamps):
            image = _read(file)
            if image is not None:
                yield ArrayPicture(stamp, image.shape[0], image.shape[1], partial(_rgb, image))
            else:
                unread += 1
        if unread:
            self.damage = f"{len(self._files) - unread} of {len(self._files)} images could be read"


def _tell(path: Path, note: str) -> None:
    """Say it of the first folder of its kind; the index of a set says it of each."""
    kind = note.partition(",")[0]
    if kind not in _told:
        _told.add(kind)
        log.warning("%s: %s", path, note)


def _read(file: Path) -> Pixels | None:
    """(H, W, 3) uint8 BGR; None for a file that is gone, locked or no image that OpenCV can hold."""
    try:
        data = np.fromfile(file, np.uint8)
        return cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error):
        return None


def _rgb(image: Pixels) -> Pixels:
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
