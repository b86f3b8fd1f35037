"""Open a clip, whatever it is: a video file in any container, or a folder of frame images.

    with open_clip(Path("00001.mp4")) as clip:
        grey = clip.grey(128)                                   # (T, 128, 128) uint8, all frames, one pass
        images = clip.frames([0, 10, 20], size=224)             # (3, 224, 224, 3) uint8 RGB for a square clip
        sweep = clip.sweep(128, lambda times_s: pick(times_s), 224)   # both of them from one pass

`auto` takes PyAV: measured fastest, right on edit lists, .ts and variable frame rate, and it saves what a damaged file
still holds. The others are there to be compared with; what they open, and which stream of it, is PyAV's answer too.
"""

from __future__ import annotations

import logging
from pathlib import Path

from emotrain.clip_errors import ClipError
from emotrain.datasets.first_bytes import no_video
from emotrain.emotions import nearest
from emotrain.video.crop import WHOLE, Box, centre_square
from emotrain.video.reader import ClipReader, Picture, Sweep, Unfit

__all__ = [
    "DECODERS",
    "WHOLE",
    "Box",
    "ClipReader",
    "Picture",
    "Sweep",
    "centre_square",
    "open_clip",
]

DECODERS = ("auto", "pyav", "torchcodec", "opencv", "decord")

log = logging.getLogger(__name__)


def open_clip(path: Path, decoder: str = "auto", *, fps: float | None = None) -> ClipReader:
    """Open `path` for reading; use it in a `with` block, an unclosed reader keeps the file and codec.

    A folder is read as frame images at `fps` frames a second (25 when unknown), whatever the decoder. A decoder refuses
    clips that it would read wrongly; PyAV then takes over, with a warning, and `clip.decoder` says so. Nothing but
    `path` is ever opened: playlists and files that name others are refused.

    Raises `ClipError` whose message names the cause: missing, empty, truncated, not a video, no video stream, no frame;
    ValueError for an unknown decoder; ImportError for one that is not installed.
    """
    if decoder not in DECODERS:
        raise ValueError(f"unknown decoder {decoder!r}; {nearest(decoder, DECODERS)}")
    if not path.exists():
        raise ClipError(f"{path}: no such file or folder")
    if path.is_dir():
        from emotrain.video.decoders.images import ImagesReader

        return ImagesReader(path, fps)
    if not path.is_file():
        raise ClipError(f"{path}: not a regular file")
    if path.stat().st_size == 0:
        raise ClipError(f"{path}: the file is empty (0 bytes)")
    try:
        instead = no_video(path)
    except OSError as error:
        raise ClipError(f"{path}: the file cannot be read ({error.strerror})") from error
    if instead is not None:
        raise ClipError(f"{path}: not a video: {instead}")
    return _open(path, decoder)


def _open(path: Path, decoder: str) -> ClipReader:
    from emotrain.video.decoders.pyav import PyavReader

    try:
        if decoder == "torchcodec":
            from emotrain.video.decoders.torchcodec import TorchcodecReader

            return TorchcodecReader(path)
        if decoder == "opencv":
            from emotrain.video.decoders.opencv import OpencvReader

            return OpencvReader(path)
        if decoder == "decord":
            from emotrain.video.decoders.decord import DecordReader

            return DecordReader(path)
    except Unfit as refusal:
        log.warning("%s; reading this clip with PyAV", refusal)
    return PyavReader(path)
