"""What every decoder offers: one clip as upright frames in time order, each at its presentation time.

A back end supplies two things, `_decode()` (all frames, in order, converted only when asked) and, where the container
tells without decoding, `_predict_times()`. Everything else is derived here, so "frame i" means the same in all of them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from emotrain.clip_errors import ClipError
from emotrain.video.crop import WHOLE, Box, centre_square
from emotrain.video.framing import Followed, Look

Times = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]
Choose = Callable[[Times], Indices]
T = TypeVar("T")


class DecoderMissing(ImportError):
    """A decoder that was asked for is not usable on this machine; the message says what to install."""


class Unfit(ClipError):
    """This back end would give wrong or no frames for a clip that PyAV reads; `open_clip` then takes PyAV."""


class Picture(ABC):
    """One decoded frame that has not been converted yet; upright, and with square pixels whatever is stored."""

    time_s: float

    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Upright (height, width) in the square pixels it is shown with."""

    @abstractmethod
    def rgb(self, size: int | None, box: Box) -> Pixels:
        """(H, W, 3) uint8, the box scaled so that its longer side is `size`; native resolution for None."""

    @abstractmethod
    def grey(self, size: int, box: Box) -> Pixels:
        """(size, size) uint8 luma, the box filling the square."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sequential pass brought: all times, grey frames of all of them, and the chosen ones in colour.

    `times_s` (T,) float64; `grey` (T, size, size) uint8, empty when not asked for; `indices` (N,) int64 into the T
    frames; `colour` (N, H, W, 3) uint8.
    """

    times_s: Times
    grey: Pixels
    indices: Indices
    colour: Pixels


class ClipReader(ABC):
    """One open clip. Frame i is the i-th frame that can be decoded, in presentation order; times start at 0.

    Frames are upright with square pixels: boxes, sizes and `shape()` are of the frame as it is shown.
    Set `look` to a part of the frame, to "centre" for the largest centred square, or to a face that is followed, to
    read only that.
    """

    decoder: str

    def __init__(self, path: Path) -> None:
        self.path = path
        self.look: Look = WHOLE
        self.damage: str | None = None
        """What a complete pass found to be lost of the clip, in words; None before one, and for a whole clip."""
        self._times: Times | None = None
        self._expected: Times | None = None
        self._first_s = 0.0

    def __enter__(self) -> ClipReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Give back the file and the codec."""

    @abstractmethod
    def _decode(self) -> Iterator[Picture]:
        """All decodable frames in presentation order, from the beginning, each valid until the next is drawn.

        `time_s` may start anywhere; it is NaN where the container gives no time stamp.
        """

    @abstractmethod
    def _declared_fps(self) -> float | None:
        """The rate that the container states, None where it states none."""

    def _predict_times(self) -> Times | None:
        """Times that the container promises without decoding, starting from 0, or None."""
        return None

    @property
    def times_s(self) -> Times:
        """(T,) float64 seconds, strictly increasing from 0. Costs one decoding pass unless one was made before."""
        if self._times is None:
            self._run(lambda index, picture: None)
        assert self._times is not None
        return self._times

    @property
    def n_frames(self) -> int:
        """Number of frames that can be decoded; never the number that the container states."""
        return len(self.times_s)

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the end of the last one, which is taken to last as long as the median."""
        return duration_of(self.times_s, self._declared_fps())

    @property
    def fps(self) -> float:
        """Mean frames a second over the decoded frames."""
        return self.n_frames / self.duration_s

    def shape(self) -> tuple[int, int]:
        """Upright (height, width) of the first frame in the square pixels it is shown with."""
        with closing(self._decode()) as pictures:  # type: ignore[type-var]
            for picture in pictures:
                return picture.shape()
        raise self._nothing()

    def watch(self, see: Callable[[int, Picture], object]) -> None:
        """Hand every frame in order to `see(index, picture)`; a picture is valid until the next one is drawn."""
        self._run(see)

    def stated_fps(self) -> float | None:
        """The rate that the container states, None where it states none; known before any frame is decoded."""
        return self._declared_fps()

    def frames(self, indices: Sequence[int] | Indices, size: int | None = None) -> Pixels:
        """(N, H, W, 3) uint8 RGB in the order of `indices`; longer side `size`, native for None.

        Decodes from the start up to the last index: codecs of short clips have one key frame, so seeking saves nothing.
        Raises IndexError for an index outside the clip.
        """
        return _stack(self._pick(np.asarray(indices, np.int64), size, _same, None, [])[1], self.path)

    def grey(self, size: int) -> Pixels:
        """(T, size, size) uint8 luma of all frames, in one pass."""
        return self.sweep(size, [], None).grey

    def ends_within(self, longest_s: float) -> bool:
        """Whether the clip is over after so many seconds, at up to MOST_FPS frames in each; no more of it is decoded.

        What the container promises is believed when it says that the clip is longer.
        """
        if self._times is not None:
            return bool(self._times[-1] <= longest_s)
        promised = self._predict_times()
        if promised is not None and len(promised) and promised[-1] > longest_s:
            return False
        clock, times = Clock(self._declared_fps()), []
        with closing(self._decode()) as pictures:  # type: ignore[type-var]
            for picture in pictures:
                times.append(clock.at(picture.time_s))
                if times[-1] > longest_s or len(times) > longest_s * MOST_FPS:
                    return False
        if not times:
            raise self._nothing()
        self._times = np.asarray(times, np.float64)
        return True

    def grey_frames(self, size: int) -> Iterator[tuple[float, Pixels]]:
        """Time in seconds and (size, size) uint8 luma of each frame in one pass, of which one is held at a time."""
        return self._in_turn(lambda picture, box: picture.grey(size, box))

    def colour_frames(self, size: int) -> Iterator[tuple[float, Pixels]]:
        """Time in seconds and (H, W, 3) uint8 RGB of each frame, longer side `size`, as `grey_frames` gives luma."""
        return self._in_turn(lambda picture, box: picture.rgb(size, box))

    def _in_turn(self, convert: Callable[[Picture, Box], Pixels]) -> Iterator[tuple[float, Pixels]]:
        clock, times = Clock(self._declared_fps()), []
        with closing(self._decode()) as pictures:  # type: ignore[type-var]
            for picture in pictures:
                times.append(clock.at(picture.time_s))
                yield times[-1], convert(self._seen(len(times) - 1, picture, times[-1]), self._box(picture))
        if not times:
            raise self._nothing()
        self._times = np.asarray(times, np.float64)

    def sweep(self, grey_size: int | None, choose: Choose | Sequence[int], colour_size: int | None) -> Sweep:
        """Grey frames of the whole clip (None: none) and the chosen frames in colour, from one sequential pass.

        `choose` is a list of indices or a function `times_s -> indices`. The function is asked before decoding, with
        the times that the container promises, and asked again only if the decoded times turn out different (a damaged
        file): then the frames it wants are fetched in a second pass.
        """
        grey: list[Pixels] = []
        indices, images = self._pick(choose, colour_size, _same, grey_size, grey)
        side = grey_size if grey_size is not None else 0
        stack = np.stack(grey) if grey else np.empty((0, side, side), np.uint8)
        return Sweep(self.times_s, stack, indices, _stack(images, self.path))

    def encoded(
        self, choose: Choose | Sequence[int], size: int | None, encode: Callable[[Pixels], bytes]
    ) -> tuple[Indices, list[bytes]]:
        """The chosen frames, each encoded as soon as it is decoded, so that no stack of raw frames is ever held."""
        return self._pick(choose, size, encode, None, [])

    def _pick(
        self,
        choose: Choose | Sequence[int] | Indices,
        size: int | None,
        transform: Callable[[Pixels], T],
        grey_size: int | None,
        grey: list[Pixels],
    ) -> tuple[Indices, list[T]]:
        chosen: set[int] = set()
        if callable(choose) or isinstance(self.look, Followed):
            self._expected = self._times if self._times is not None else self._predict_times()
        if not callable(choose):
            chosen = {int(index) for index in choose}
        elif self._expected is not None:
            chosen = set(choose(self._expected).tolist())
        kept: dict[int, T] = {}

        def keep(index: int, picture: Picture) -> None:
            if grey_size is not None:
                grey.append(self._seen(index, picture).grey(grey_size, self._box(picture)))
            if index in chosen:
                kept[index] = transform(self._seen(index, picture).rgb(size, self._box(picture)))

        # With the indices given and no grey frames asked for, nothing after the last of them is of interest.
        last = max(chosen, default=-1) if grey_size is None and not callable(choose) else None
        if last is None or last >= 0:
            self._run(keep, last)
        indices = np.asarray(choose(self.times_s) if callable(choose) else choose, dtype=np.int64)
        missing = sorted(set(indices.tolist()) - kept.keys())
        if missing and not 0 <= missing[0] <= missing[-1] < self.n_frames:
            raise IndexError(f"{self.path}: frames {missing} do not exist, the clip has frames 0..{self.n_frames - 1}")
        if missing:
            self._expected = self.times_s
            chosen, grey_size = set(missing), None
            self._run(keep, missing[-1])
        return indices, [kept[index] for index in indices.tolist()]

    def _box(self, picture: Picture) -> Box:
        if isinstance(self.look, Box):
            return self.look
        return centre_square(*picture.shape()) if self.look == "centre" else WHOLE

    def _seen(self, index: int, picture: Picture, time_s: float | None = None) -> Picture:
        """Frame `index` as `look` wants it, at the time that is known of it."""
        if not isinstance(self.look, Followed):
            return picture
        from emotrain.video.followed import FollowedPicture

        times = self._expected
        if index == 0:
            self._first_s = picture.time_s
        if time_s is None:
            known = times is not None and index < len(times)
            time_s = float(times[index]) if times is not None and known else picture.time_s - self._first_s
        return FollowedPicture(picture, self.look, time_s)

    def _run(self, keep: Callable[[int, Picture], Any], last: int | None = None) -> None:
        """Decode in order, hand each frame to `keep`, and note the times when the pass was complete."""
        times: list[float] = []
        with closing(self._decode()) as pictures:  # type: ignore[type-var]
            for index, picture in enumerate(pictures):
                keep(index, picture)
                times.append(picture.time_s)
                if index == last:
                    return
        if not times:
            raise self._nothing()
        self._times = increasing(np.asarray(times, np.float64), self._declared_fps())

    def _nothing(self) -> ClipError:
        return ClipError(
            f"{self.path}: no frame could be decoded ({self.decoder}); the file is damaged or has no frames"
        )


DEFAULT_FPS = 25.0
"""Used only where a container states no rate at all."""


def duration_of(times: Times, fps: float | None) -> float:
    """Seconds from the first frame to the end of the last, which lasts as long as the (lower) median frame does."""
    if len(times) > 1:
        return float(times[-1] + np.sort(np.diff(times))[(len(times) - 2) // 2])
    return 1.0 / fps if fps else 1.0 / DEFAULT_FPS


MOST_FPS = 1000
"""Frames a second of a high-speed camera; a clip with more in the mean is as good as endless."""


@dataclass(slots=True)
class Clock:
    """Time stamps as they come, made to begin at 0 and to increase; `fps` is the rate that the container states.

    A stamp that is missing (NaN) or steps back follows one frame later. Missing first stamps are as many frames before
    the first that is known.
    """

    fps: float | None
    previous: float = 0.0
    missing: int = 0
    origin: float | None = None

    def at(self, stamp: float) -> float:
        """Seconds of the next frame."""
        step = 1.0 / self.fps if self.fps else 1.0 / DEFAULT_FPS
        if self.origin is None and math.isnan(stamp):
            self.missing += 1
            return (self.missing - 1) * step
        if self.origin is None:
            self.origin = stamp - self.missing * step
            self.previous = stamp
        elif math.isnan(stamp) or stamp <= self.previous:
            self.previous += step
        else:
            self.previous = stamp
        return self.previous - self.origin


def increasing(times: Times, fps: float | None) -> Times:
    """All `times` of a clip as a `Clock` tells them."""
    clock = Clock(fps)
    return np.array([clock.at(stamp) for stamp in times.tolist()], np.float64)


def _stack(images: list[Pixels], path: Path) -> Pixels:
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        sizes = ", ".join(sorted(f"{shape[1]}x{shape[0]}" for shape in shapes))
        raise ClipError(f"{path}: the clip changes size in the middle; its frames have different sizes: {sizes}")
    return np.stack(images) if images else np.empty((0, 0, 0, 3), np.uint8)


def _same(image: Pixels) -> Pixels:
    return image
