"""Decoding with OpenCV's FFmpeg back end, read in order (its seeking is wrong on .ts and inexact elsewhere)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from emotrain.clip_errors import ClipError
from emotrain.video.decoders.array_picture import ArrayPicture
from emotrain.video.decoders.containers import FORMATS, PROTOCOLS
from emotrain.video.decoders.pyav import PyavReader
from emotrain.video.reader import ClipReader, Picture, Pixels, Unfit


class OpencvReader(ClipReader):
    """One clip through `cv2.VideoCapture`. It stops at the first damaged packet, where PyAV goes on."""

    decoder = "opencv"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        other = PyavReader(path)
        with other:
            if other.has_choice:
                raise Unfit(f"{path}: the file has several video streams, of which OpenCV takes the first")
            self._shape, stored = other.shapes()
        self._capture = self._open()
        if stored != (found := self._stated_shape()):
            self.close()
            raise Unfit(f"{path}: OpenCV states frames of {found[1]}x{found[0]}, they are {stored[1]}x{stored[0]}")

    def close(self) -> None:
        self._capture.release()

    def _open(self) -> cv2.VideoCapture:
        # The one way to give OpenCV's FFmpeg an option; the user's own setting, where there is one, stands.
        os.environ.setdefault(
            "OPENCV_FFMPEG_CAPTURE_OPTIONS", f"protocol_whitelist;{PROTOCOLS}|format_whitelist;{FORMATS}"
        )
        capture = cv2.VideoCapture(str(self.path.absolute()), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise ClipError(f"{self.path}: OpenCV finds no video that it can open")
        return capture

    def _declared_fps(self) -> float | None:
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        return float(rate) if np.isfinite(rate) and rate > 0 else None

    def _decode(self) -> Iterator[Picture]:
        self._capture.release()
        self._capture = self._open()
        while self._capture.grab():
            yield ArrayPicture(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, *self._shape, self._retrieve)

    def _stated_shape(self) -> tuple[int, int]:
        """OpenCV turns frames upright itself, and states the size after turning."""
        height, width = cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH
        return int(self._capture.get(height)), int(self._capture.get(width))

    def _retrieve(self) -> Pixels:
        done, image = self._capture.retrieve()
        if not done:
            raise ClipError(f"{self.path}: OpenCV could not convert a frame")
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
