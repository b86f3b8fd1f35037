"""Decoding with OpenCV's FFmpeg back end, read in order (its seeking is wrong on .ts and inexact elsewhere)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from emotrain.clip_errors import ClipError
from emotrain.video.decoders.array_picture import ArrayPicture
from emotrain.video.reader import ClipReader, Picture, Pixels


class OpencvReader(ClipReader):
    """One clip through `cv2.VideoCapture`. It stops at the first damaged packet, where PyAV goes on."""

    decoder = "opencv"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._capture = self._open()

    def close(self) -> None:
        self._capture.release()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise ClipError(f"{self.path}: OpenCV finds no video that it can open")
        return capture

    def _declared_fps(self) -> float | None:
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        return float(rate) if np.isfinite(rate) and rate > 0 else None

    def _decode(self) -> Iterator[Picture]:
        self._capture.release()
        self._capture = self._open()
        # OpenCV turns frames upright itself, and states the size after turning.
        height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        while self._capture.grab():
            yield ArrayPicture(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, height, width, self._retrieve)

    def _retrieve(self) -> Pixels:
        done, image = self._capture.retrieve()
        if not done:
            raise ClipError(f"{self.path}: OpenCV could not convert a frame")
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
