"""Where frames come from: a camera, an address, a file at its true pace, or raw frames on standard input.

| named | is |
|-|-|
| `0`, `/dev/video0` | a camera of this machine (Video4Linux) |
| `rtsp://...`, `rtsps://...`, `http://...`, `https://...` | a camera on the network, or a server of one stream |
| `clip.mp4` | a file, at the pace at which it was taken |
| `-` | raw frames on standard input, as `--raw 640x360@30` or `--raw 640x360@30:gray` says |

Playlists (HLS, DASH) are refused: they name other addresses, which then the server would choose.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from emotrain.video.reader import Picture

ADDRESS = re.compile(r"(rtsps?|https?)://", re.IGNORECASE)
CAMERA = re.compile(r"\d{1,2}|/dev/video\d{1,2}")
RAW = re.compile(r"(\d+)x(\d+)@(\d+(?:\.\d+)?)(?::(rgb24|bgr24|gray|yuv420p|nv12|yuyv422))?")
PROTOCOLS = "rtsp,rtsps,rtp,srtp,udp,tcp,tls,http,https,crypto"
FORMATS = "rtsp,mpjpeg,mjpeg,mpegts,matroska,webm,mov,mp4,flv,h264,hevc"
OPEN_S, READ_S = 10.0, 5.0
"""Seconds after which an address that does not answer, or falls silent, counts as lost."""

MOST_SIDE = 8192


class SourceLost(Exception):
    """The camera cannot be opened, or has gone; the message says why, without names and passwords of an address."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A frame as it came: its stamp in the source's own time (None: it has none), and the bytes that it takes."""

    stamp_s: float | None
    picture: Picture
    bytes: int
    frame: Any = None


class Source(Protocol):
    """Something that frames come from."""

    @property
    def name(self) -> str:
        """What it is called in lines and on pages."""

    @property
    def lasting(self) -> bool:
        """Whether it is opened again when it is lost."""

    @property
    def paced(self) -> bool:
        """Whether it is read at the pace of its stamps."""

    def frames(self) -> Iterator[Taken]:
        """The frames from now on; raises SourceLost."""


def source_of(named: str, raw: str | None = None) -> Source:
    """The source that a command line names; ValueError for one that is none."""
    if named == "-":
        if raw is None:
            raise ValueError("-: raw frames have no header; say what they are with --raw WIDTHxHEIGHT@FPS[:PIXELS]")
        return RawFrames(sys.stdin.buffer, *raw_format(raw))
    if raw is not None:
        raise ValueError(f"--raw {raw}: only of frames on standard input (-), and {named!r} is none")
    if CAMERA.fullmatch(named):
        device = f"/dev/video{named}" if named.isdigit() else named
        return Opened(device, device, {"format": "v4l2"}, lasting=True)
    if ADDRESS.match(named):
        options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": FORMATS, "fflags": "nobuffer"}
        if named.lower().startswith("rtsp"):
            options["rtsp_transport"] = "tcp"
        return Opened(without_secrets(named), named, {"options": options, "timeout": (OPEN_S, READ_S)}, lasting=True)
    path = Path(named).expanduser()
    if not path.is_file():
        raise ValueError(
            f"{named}: no camera number, no rtsp:// or http:// address, and no file; expected one of them, or - for "
            "raw frames on standard input"
        )
    return Opened(path.name, path, {}, lasting=False)


def without_secrets(address: str) -> str:
    """An address without user, password and query, for pages and lines."""
    return re.sub(r"[?#].*", "", re.sub(r"//[^/@]*@", "//", address))


def raw_format(text: str) -> tuple[int, int, float, str]:
    """Width, height, frames a second and pixels of `--raw`; ValueError for anything else."""
    found = RAW.fullmatch(text)
    if found is None:
        raise ValueError(f"--raw {text!r}: expected WIDTHxHEIGHT@FPS[:rgb24|bgr24|gray|yuv420p|nv12|yuyv422]")
    width, height, fps = int(found[1]), int(found[2]), float(found[3])
    if not (16 <= width <= MOST_SIDE and 16 <= height <= MOST_SIDE and 0 < fps <= 1000):
        raise ValueError(f"--raw {text!r}: expected sides of 16 to {MOST_SIDE} pixels and up to 1000 frames/s")
    return width, height, fps, found[4] or "rgb24"


@dataclass
class Opened:
    """What FFmpeg opens: a camera, an address or a file."""

    name: str
    where: str | Path
    given: dict[str, Any]
    lasting: bool

    @property
    def paced(self) -> bool:
        """A file is read at the pace of its stamps; a camera keeps its own."""
        return not self.lasting

    def frames(self) -> Iterator[Taken]:
        """Frames until the end, or until the camera is lost."""
        import av

        from emotrain.video.decoders.containers import main_stream, open_container

        try:
            container = (
                open_container(self.where) if isinstance(self.where, Path) else av.open(self.where, **self.given)
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SourceLost(f"{self.name}: cannot be opened ({_reason(error)})") from None
        with container:
            stream = main_stream(container)
            if stream is None:
                raise SourceLost(f"{self.name}: no video in it")
            stream.thread_type = "NONE"
            scalers = _scalers()
            try:
                for packet in container.demux(stream):
                    try:
                        frames = packet.decode()
                    except (av.error.InvalidDataError, ValueError):
                        continue  # a packet lost on its way costs the frames it hit
                    for frame in frames:
                        yield _taken(frame, stream.sample_aspect_ratio, scalers)
            except (av.error.FFmpegError, OSError) as error:
                if isinstance(error, av.error.EOFError):
                    return
                raise SourceLost(f"{self.name}: {_reason(error)}") from None


@dataclass
class RawFrames:
    """Frames without a container, one after the other; they are as old as they are new to us, at `fps` a second."""

    stream: BinaryIO
    width: int
    height: int
    fps: float
    pixels: str
    name: str = "standard input"
    lasting: bool = False
    paced: bool = False

    def frames(self) -> Iterator[Taken]:
        """Frames until the stream ends; a part of a frame at its end is left out."""
        import av

        frame = av.VideoFrame(self.width, self.height, self.pixels)
        rows, columns = _layout(self.pixels, self.width, self.height)
        size, scalers, number = rows * columns, _scalers(), 0
        while len(content := _exactly(self.stream, size)) == size:
            shape: tuple[int, ...] = (rows, columns)
            if self.pixels in ("rgb24", "bgr24"):
                shape = (self.height, self.width, 3)
            elif self.pixels == "yuyv422":
                shape = (self.height, self.width, 2)
            frame = av.VideoFrame.from_ndarray(np.frombuffer(content, np.uint8).reshape(shape), format=self.pixels)
            # Without a stamp a frame is as old as its arrival; the pace of who writes them is the camera's.
            yield Taken(None, _taken(frame, Fraction(1), scalers).picture, size, frame)
            number += 1


def _layout(pixels: str, width: int, height: int) -> tuple[int, int]:
    if pixels in ("yuv420p", "nv12"):
        return height * 3 // 2, width
    return height, width * {"gray": 1, "yuyv422": 2}.get(pixels, 3)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0:
        part = stream.read(size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _scalers() -> dict[str, Any]:
    from av.video.reformatter import VideoReformatter

    return {"rgb24": VideoReformatter(), "gray": VideoReformatter()}


def _taken(frame: Any, aspect: Fraction | None, scalers: dict[str, Any]) -> Taken:
    from emotrain.video.decoders.pyav import PyavPicture

    picture = PyavPicture(frame, aspect, scalers)
    size = sum(plane.buffer_size for plane in frame.planes)
    return Taken(None if frame.pts is None else float(frame.time), picture, size, frame)


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)
