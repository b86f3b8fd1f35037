"""A folder of frame images as a clip: how the micro-expression sets and the aligned crops of DFEW come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from emotrain.shards import ClipError
from emotrain.video.decoders.array_picture import ArrayPicture
from emotrain.video.reader import DEFAULT_FPS, ClipReader, Picture, Pixels, Times

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
_NUMBER = re.compile(r"\d+(?!.*\d)")


class ImagesReader(ClipReader):
    """The images of one folder in the order of the last number in their names.

    Frame times are (number - first number) / fps, so a frame that is missing from the folder leaves a hole in time and
    not a shift; without distinct numbers the images follow each other at 1 / fps. An image that cannot be read is
    skipped. 16-bit and grey images become 8-bit RGB.
    """

    decoder = "images"

    def __init__(self, path: Path, fps: float | None) -> None:
        super().__init__(path)
        self._fps = fps if fps is not None else DEFAULT_FPS
        names = [name for name in path.iterdir() if name.suffix.lower() in SUFFIXES and not name.name.startswith(".")]
        if not names:
            raise ClipError(f"{path}: the folder holds no image ({', '.join(sorted(SUFFIXES))})")
        numbers = {name: _number(name) for name in names}
        found = [number for number in numbers.values() if number is not None]
        self._files = sorted(names, key=lambda name: (-1 if (number := numbers[name]) is None else number, name.name))
        if len(found) == len(names) == len(set(found)):
            self._stamps = [(number - min(found)) / self._fps for number in sorted(found)]
        else:
            self._stamps = [i / self._fps for i in range(len(names))]

    def close(self) -> None:
        """Nothing stays open between images."""

    def _declared_fps(self) -> float | None:
        return self._fps

    def _predict_times(self) -> Times | None:
        return np.asarray(self._stamps, np.float64)

    def _decode(self) -> Iterator[Picture]:
        unread = 0
        for file, stamp in zip(self._files, self._stamps):
            image = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR) if file.stat().st_size else None
            if image is not None:
                yield ArrayPicture(stamp, image.shape[0], image.shape[1], partial(_rgb, image))
            else:
                unread += 1
        if unread:
            self.damage = f"{len(self._files) - unread} of {len(self._files)} images could be read"


def _rgb(image: Pixels) -> Pixels:
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _number(name: Path) -> int | None:
    match = _NUMBER.search(name.stem)
    return int(match.group()) if match else None
