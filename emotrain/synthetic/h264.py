"""Frames in, a playable mp4 out: H.264 at 4:2:0 on one thread, byte for byte the same every time."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CRF, PRESET = "18", "veryfast"


def write_mp4(
    frames: Iterable[NDArray[np.uint8]], path: Path, size: int, fps: int, height: int | None = None, crf: str = CRF
) -> None:
    """Encode (height, size, 3) uint8 RGB frames, square ones without `height`; `crf` is the quality, less is better.

    4:2:0 sampling needs even sides (ValueError). Raises RuntimeError when this PyAV has no libx264.
    """
    import av

    height = size if height is None else height
    if size % 2 or height % 2:
        raise ValueError(f"{path}: frame size {size}x{height} is odd; H.264 in yuv420p needs even sides")
    if "libx264" not in av.codecs_available:
        raise RuntimeError("this build of PyAV has no libx264 encoder; install the wheel from PyPI: pip install av")
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height = size, height
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        stream.time_base = Fraction(1, fps)
        # Below 96 pixels x264's macroblock tree reads memory that nobody has written, and bytes differ from run to run.
        tree = {"x264-params": "mbtree=0"} if min(size, height) < 96 else {}
        stream.options = {"crf": crf, "preset": PRESET, "threads": "1", **tree}
        for index, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
