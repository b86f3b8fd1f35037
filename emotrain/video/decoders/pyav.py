"""Decoding with PyAV (FFmpeg's libraries in the process): the default, fastest and most forgiving back end."""

from __future__ import annotations

import logging
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from emotrain.clip_errors import ClipError
from emotrain.video.crop import Box, place, square_pixels
from emotrain.video.decoders.containers import WITHOUT_STAMPS, main_stream, open_container
from emotrain.video.decoders.losses import Losses
from emotrain.video.decoders.skipping import CODECS, Unsure, only
from emotrain.video.reader import Choose, ClipReader, Indices, Picture, Pixels, T, Times

log = logging.getLogger(__name__)

HELD_BYTES = 64 << 20
"""Largest size of a clip's packets that is kept between looking at their times and decoding them."""


class PyavReader(ClipReader):
    """One clip through FFmpeg's demuxer and decoder, one codec thread (many short clips: one process a core)."""

    decoder = "pyav"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._container = _open(path)
        stream = main_stream(self._container)
        if stream is None or stream.codec_context is None:
            why = "its codec is unknown" if stream is not None else "no video stream (audio only, or not a video)"
            if stream is None and self._container.streams.video:
                why = "no video stream, only a cover picture"
            self._container.close()
            raise ClipError(f"{path}: {why}")
        self._stream = stream
        self._stream.thread_type = "NONE"
        self.counted = self._container.format.name in WITHOUT_STAMPS
        """True where frames have no time stamps of their own and stand where they come."""
        self._fresh = True
        self._promised: Times | None = None
        self._stamps: list[int] = []
        self._held: list[av.Packet] | None = None
        # One scaler for each kind of output: a scaler keeps its tables between frames, a new one costs 0.4 ms a frame.
        self._scalers = {"rgb24": VideoReformatter(), "gray": VideoReformatter()}

    def close(self) -> None:
        self._container.close()

    def _declared_fps(self) -> float | None:
        rate = self._stream.average_rate or self._stream.guessed_rate
        return float(rate) if rate else None

    def _predict_times(self) -> Times | None:
        if self._promised is None:
            self._promised = self._read_ahead()
        return self._promised if len(self._promised) else None

    def _read_ahead(self) -> Times:
        """Demux the clip, and keep its packets for the first decoding pass where they are small enough."""
        base = self._stream.time_base
        held: list[av.Packet] = []
        size = 0
        stamps: list[tuple[int | None, bool]] = []
        for packet in self._packets():
            stamps.append((packet.pts, packet.is_discard))
            size += packet.size
            if size <= HELD_BYTES:
                held.append(packet)
        self._held = held if size <= HELD_BYTES else None
        times = sorted(pts for pts, discard in stamps if pts is not None and not discard)
        if base is None or any(pts is None for pts, _ in stamps):
            return np.empty(0)
        self._stamps = times
        # Integers divided once are rounded as exactly as the fractions they stand for, at a tenth of their cost.
        return np.asarray([(pts - times[0]) * base.numerator / base.denominator for pts in times])

    @property
    def stream(self) -> int:
        """Place of the video among the file's streams."""
        return self._stream.index

    @property
    def has_choice(self) -> bool:
        """True where the file has other video streams, covers among them, which another back end might read."""
        return len(self._container.streams.video) > 1

    def shapes(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Upright (height, width) of the first frame as it is shown, and in stored pixels, square or not."""
        with closing(self._decode()) as pictures:  # type: ignore[type-var]
            for picture in pictures:
                return picture.shape(), picture.stored_shape()
        raise self._nothing()

    def opens_with_keyframe(self) -> bool:
        """False for a clip that was cut in the middle of a group of pictures."""
        return next((packet.is_keyframe for packet in self._packets()), False)

    def _decode(self) -> Iterator[PyavPicture]:
        losses = Losses()
        aspect = self._stream.sample_aspect_ratio
        # The None at the end makes the decoder give what it still holds.
        for packet in chain(self._packets(), [None]):
            if packet is not None:
                losses.packet(packet)
            # A try a packet: garbage in the middle of a file then costs the frames it hit, not the whole clip.
            try:
                frames = self._stream.codec_context.decode(packet)
            except (av.error.FFmpegError, ValueError):
                losses.refused += 1
                continue
            for frame in frames:
                losses.frame(frame)
                if self.counted:
                    frame.pts = frame.dts
                yield PyavPicture(frame, aspect, self._scalers)
        self.damage = losses.in_words(self._stream)

    def _pick(
        self,
        choose: Choose | Sequence[int] | Indices,
        size: int | None,
        transform: Callable[[Pixels], T],
        grey_size: int | None,
        grey: list[Pixels],
    ) -> tuple[Indices, list[T]]:
        """Frames that nobody asked for and nothing depends on are not decoded, where no grey ones are asked for."""
        skips = self._stream.codec_context.name in CODECS and not self.counted
        if grey_size is None and callable(choose) and skips:
            times = self._predict_times()
            if times is not None and np.all(np.diff(times) > 0) and self._agrees_with(times):
                indices = np.asarray(choose(times), np.int64)
                self._expected = times
                try:
                    images = self._only(indices.tolist(), size, transform)
                    self._times = times
                    return indices, images
                except Unsure:
                    log.debug("%s is damaged: a full pass will tell what it holds", self.path)
        return super()._pick(choose, size, transform, grey_size, grey)

    def _agrees_with(self, promised: Times) -> bool:
        """False when an earlier full pass has found other times than the container promises: the clip is damaged."""
        return self._times is None or np.array_equal(self._times, promised)

    def _only(self, indices: list[int], size: int | None, transform: Callable[[Pixels], T]) -> list[T]:
        wanted = {self._stamps[index] for index in indices}
        kept: dict[int, T] = {}
        # The first frame comes out too: times are counted from it, and where it is lost they count from a later one.
        for frame in only(self._stream, self._packets(), frozenset({self._stamps[0], *wanted})):
            if frame.pts in wanted:
                picture = PyavPicture(frame, self._stream.sample_aspect_ratio, self._scalers)
                index = bisect_left(self._stamps, frame.pts)
                kept[frame.pts] = transform(self._seen(index, picture).rgb(size, self._box(picture)))
        return [kept[self._stamps[index]] for index in indices]

    def _packets(self) -> Iterator[av.Packet]:
        """All packets of the video stream from the beginning, without the empty one that ends the demuxer's list."""
        if self._held is not None:
            held, self._held = self._held, None
            yield from held
            return
        self._rewind()
        while True:
            try:
                for packet in self._container.demux(self._stream):
                    if packet.size:
                        yield packet
                return
            except IndexError:
                # A damaged .ts file seems to begin another stream, which PyAV has no place for; ours goes on.
                continue
            except av.error.FFmpegError:
                # The file ends inside a packet.
                return

    def _rewind(self) -> None:
        """Back to the first packet. Reopened, not seeked: seeking to 0 is inexact in .ts and edit-list files."""
        if not self._fresh:
            self._container.close()
            self._container = _open(self.path)
            stream = main_stream(self._container)
            if stream is None:
                raise ClipError(f"{self.path}: the file was replaced while it was read")
            self._stream = stream
            self._stream.thread_type = "NONE"
        self._fresh = False


class PyavPicture(Picture):
    """A frame as the codec left it, of pixels `aspect` times as wide as high; libswscale does all else in one step."""

    def __init__(self, frame: av.VideoFrame, aspect: Fraction | None, scalers: Mapping[str, VideoReformatter]) -> None:
        self._frame, self._aspect, self._scalers = frame, aspect, scalers
        self._turns = round(frame.rotation / 90) % 4
        time = frame.time
        self.time_s = float("nan") if time is None else float(time)

    def shape(self) -> tuple[int, int]:
        return self._upright(square_pixels(self._frame.height, self._frame.width, self._aspect))

    def stored_shape(self) -> tuple[int, int]:
        """Upright (height, width) in the pixels that are stored."""
        return self._upright((self._frame.height, self._frame.width))

    def _upright(self, size: tuple[int, int]) -> tuple[int, int]:
        return size[::-1] if self._turns % 2 else size

    def rgb(self, size: int | None, box: Box) -> Pixels:
        return self._convert("rgb24", size, box, square=False)

    def grey(self, size: int, box: Box) -> Pixels:
        return self._convert("gray", size, box, square=True)

    def _convert(self, pixel_format: str, size: int | None, box: Box, square: bool) -> Pixels:
        height, width = self.shape()
        placement = place(height, width, box, size, square)
        full_h, full_w = placement.full
        upright = self._turns % 2 == 0
        image = (
            self._scalers[pixel_format]
            .reformat(
                self._frame,
                width=full_w if upright else full_h,
                height=full_h if upright else full_w,
                format=pixel_format,
                interpolation="BILINEAR",
                threads=1,
            )
            .to_ndarray()
        )
        turned = np.rot90(image, self._turns) if self._turns else image
        return np.ascontiguousarray(turned[placement.rows, placement.columns])


def _open(path: Path) -> av.container.InputContainer:
    try:
        return open_container(path)
    except av.error.FFmpegError as error:
        raise ClipError(f"{path}: {_cause(path, error)}") from error


def _cause(path: Path, error: av.error.FFmpegError) -> str:
    if _has_no_index(path):
        return "truncated: an mp4/mov whose index (moov) is missing; copy the file again"
    return f"not a video that can be opened ({error.strerror})"


def _has_no_index(path: Path) -> bool:
    """True for an mp4/mov file in which no top-level `moov` box begins: usually the end was cut off."""
    end, position = path.stat().st_size, 0
    with path.open("rb") as file:
        while position + 8 <= end:
            file.seek(position)
            size, kind = struct.unpack(">I4s", file.read(8))
            if kind == b"moov" or (position == 0 and kind != b"ftyp"):
                return False
            if size == 1 and position + 16 <= end:
                (size,) = struct.unpack(">Q", file.read(8))
            if size < 8:
                break
            position += size
    return position > 0
