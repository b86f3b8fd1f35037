"""Small clips made on the spot, each frame carrying its own number as eight large black and white blocks."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def numbered(number: int, height: int = 64, width: int = 64) -> np.ndarray:
    """An RGB frame whose top half shows `number` in binary (8 blocks) and whose bottom half is a moving ramp."""
    frame = np.zeros((height, width, 3), np.uint8)
    for bit in range(8):
        if number >> bit & 1:
            frame[: height // 2, bit * width // 8 : (bit + 1) * width // 8] = 255
    ramp = (np.arange(width) * 4 + number * 3) % 200
    frame[height // 2 :] = ramp[None, :, None].astype(np.uint8)
    return frame


def read_number(image: np.ndarray) -> int:
    """The number that `numbered` drew, from an image of any size, grey or RGB."""
    grey = image if image.ndim == 2 else image.mean(axis=2)
    height, width = grey.shape
    row = grey[height // 8 : height * 3 // 8].mean(axis=0)
    centres = [(2 * bit + 1) * width // 16 for bit in range(8)]
    return sum(1 << bit for bit, x in enumerate(centres) if row[x] > 127)


def write_clip(
    path: Path,
    frames: Iterable[np.ndarray] | int = 30,
    *,
    codec: str = "libx264",
    fps: int = 25,
    pixel_format: str = "yuv420p",
    stamps_ms: list[int] | None = None,
    container_options: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    aspect: Fraction | None = None,
) -> Path:
    """Encode `frames` (or that many numbered ones); `stamps_ms` gives each frame its own time (variable frame rate).

    `aspect` is what the file says of its pixels, width over height.
    """
    images = [numbered(i) for i in range(frames)] if isinstance(frames, int) else list(frames)
    height, width = images[0].shape[:2]
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.options = options if options is not None else {"preset": "ultrafast", "crf": "12", "threads": "1"}
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        stream.codec_context.time_base = Fraction(1, 1000) if stamps_ms else Fraction(1, fps)
        for i, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixel_format)
            frame.time_base = stream.codec_context.time_base
            frame.pts = stamps_ms[i] if stamps_ms else i
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path
