"""Decoding with torchcodec. It needs FFmpeg's shared libraries on the machine (a package named ffmpeg brings them)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from emotrain.clip_errors import ClipError
from emotrain.video.decoders.array_picture import ArrayPicture
from emotrain.video.decoders.pyav import PyavReader
from emotrain.video.reader import ClipReader, DecoderMissing, Picture, Pixels, Unfit


class TorchcodecReader(ClipReader):
    """One clip through torchcodec in exact mode; approximate mode is wrong on variable frame rate."""

    decoder = "torchcodec"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            from torchcodec.decoders import VideoDecoder
        except (ImportError, OSError, RuntimeError) as error:
            raise _missing(error) from error
        other = PyavReader(path)
        with other:
            if other.counted:
                raise Unfit(f"{path}: its container holds no time stamps; torchcodec would lose frames")
            self._shape, stream = other.shape(), other.stream
        try:
            self._video: Any = VideoDecoder(
                str(path.absolute()),
                stream_index=stream,
                dimension_order="NHWC",
                num_ffmpeg_threads=1,
                seek_mode="exact",
            )
        except (RuntimeError, ValueError) as error:
            # Newer releases look for FFmpeg when the first file is opened; that is no fault of the file.
            if "libtorchcodec" in str(error):
                raise _missing(error) from error
            raise ClipError(f"{path}: torchcodec cannot open it: {_first_line(error)}") from error

    def close(self) -> None:
        self._video = None

    def _declared_fps(self) -> float | None:
        rate = self._video.metadata.average_fps
        return float(rate) if rate else None

    def _decode(self) -> Iterator[Picture]:
        latest = float("-inf")
        lost = 0
        for index in range(len(self._video)):
            try:
                frame = self._video.get_frame_at(index)
            except (RuntimeError, IndexError):
                # A damaged stretch: what comes after it may still decode.
                lost += 1
                continue
            if frame.pts_seconds <= latest:
                # After undecodable packets at the start, torchcodec counts past the end and repeats frames.
                continue
            latest = frame.pts_seconds
            pixels: Pixels = np.asarray(frame.data.numpy())
            yield ArrayPicture(float(frame.pts_seconds), *self._shape, partial(_same, pixels))
        if lost:
            self.damage = f"{len(self._video) - lost} of {len(self._video)} frames could be decoded"


def _same(pixels: Pixels) -> Pixels:
    return pixels


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _missing(error: Exception) -> DecoderMissing:
    return DecoderMissing(
        f"decoder 'torchcodec' does not load: {str(error).splitlines()[0]} "
        "Install torchcodec and FFmpeg's shared libraries, or choose another decoder"
    )
