"""Decoding with decord, kept in a child process with a time limit and checked against what PyAV demuxes.

decord 0.6 (2021) is silently wrong on edit lists, MPEG-TS and clips without a first key frame, gives nothing for a
damaged file, and can spin for ever while it holds the interpreter lock. So it never runs in the caller's process, and a
clip on which it disagrees with the demuxer is refused with `Unfit`: `open_clip` then takes PyAV. A clip that
breaks off while its first frames are read changes to PyAV too; `decoder` then says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from emotrain.stages.workers import Died, Worker
from emotrain.video.decoders.array_picture import ArrayPicture
from emotrain.video.decoders.pyav import PyavReader
from emotrain.video.reader import Choose, ClipReader, DecoderMissing, Indices, Picture, Pixels, T, Times, Unfit

LIMIT_S = 60.0
"""Seconds that one request (open, or a batch of frames) may take before the child is ended."""

_idle: list[Worker] = []
"""Children without a clip, kept for the next one: starting a child takes longer than reading a short clip."""

log = logging.getLogger(__name__)

BATCH_BYTES = 64 << 20
TOLERANCE_S = 0.002


class DecordReader(ClipReader):
    """One clip through decord; one reader a process, since a reader shared between threads aborts the process."""

    decoder = "decord"

    def __init__(self, path: Path, limit_s: float = LIMIT_S) -> None:
        super().__init__(path)
        other = PyavReader(path)
        with other:
            promised = other._predict_times()
            self._rate = other._declared_fps()
            self._shape, self._upright = other.shapes()
            has_choice = other.has_choice
            opens_with_key = other.opens_with_keyframe()
        self._limit_s = limit_s
        self._closed = False
        self._instead: PyavReader | None = None
        self._worker = _idle.pop() if _idle else Worker()
        try:
            self._worker.use(_Session(str(path.absolute())))
            stamps, self._size = self._ask(None)
            self._stamps: Times = np.asarray(stamps)
            self._check(promised, opens_with_key, has_choice)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._instead is not None:
            self._instead.close()
        if not self._closed:
            self._closed = True
            self._worker.use(_nothing)
            _idle.append(self._worker)

    def _declared_fps(self) -> float | None:
        return self._rate

    def _predict_times(self) -> Times | None:
        return self._stamps - self._stamps[0] if self._instead is None else self._instead._predict_times()

    def _decode(self) -> Iterator[Picture]:
        if self._instead is not None:
            yield from self._instead._decode()
            self.damage = self._instead.damage
            return
        height, width = self._size
        batch = max(1, BATCH_BYTES // (height * width * 3))
        for start in range(0, len(self._stamps), batch):
            stop = min(start + batch, len(self._stamps))
            try:
                frames = self._ask(list(range(start, stop)))
            except Unfit as refusal:
                if start > 0:
                    raise
                log.warning("%s; reading this clip with PyAV", refusal)
                self.decoder, self._instead = "pyav", PyavReader(self.path)
                yield from self._instead._decode()
                self.damage = self._instead.damage
                return
            for index, pixels in zip(range(start, stop), frames):
                yield ArrayPicture(float(self._stamps[index]), *self._shape, partial(_same, pixels))

    def _pick(
        self,
        choose: Choose | Sequence[int] | Indices,
        size: int | None,
        transform: Callable[[Pixels], T],
        grey_size: int | None,
        grey: list[Pixels],
    ) -> tuple[Indices, list[T]]:
        """Only the chosen frames travel from the child where no grey frames of the whole clip are asked for."""
        times = self._predict_times()
        if grey_size is None and self._instead is None and times is not None:
            indices = np.asarray(choose(times) if callable(choose) else choose, dtype=np.int64)
            if len(indices) and 0 <= indices.min() <= indices.max() < len(times):
                self._expected = times
                try:
                    images = [transform(image) for image in self._fetch(indices, size)]
                except Unfit:
                    # The general way meets the same refusal and changes to PyAV.
                    return super()._pick(choose, size, transform, grey_size, grey)
                self._times = times
                return indices, images
        return super()._pick(choose, size, transform, grey_size, grey)

    def _fetch(self, indices: Indices, size: int | None) -> Iterator[Pixels]:
        height, width = self._size
        batch = max(1, BATCH_BYTES // (height * width * 3))
        for start in range(0, len(indices), batch):
            some = indices[start : start + batch].tolist()
            for index, pixels in zip(some, self._ask(some)):
                picture = ArrayPicture(float(self._stamps[index]), *self._shape, partial(_same, pixels))
                yield self._seen(index, picture).rgb(size, self._box(picture))

    def _check(self, promised: Times | None, opens_with_key: bool, has_choice: bool) -> None:
        if has_choice:
            raise Unfit(f"{self.path}: the file has several video streams, of which decord may take another one")
        if not opens_with_key:
            raise Unfit(f"{self.path}: the clip does not begin with a key frame; decord would repeat its last frame")
        if len(self._stamps) == 0 or self._stamps[0] < 0:
            raise Unfit(f"{self.path}: decord's first frame lies before 0 (an edit list)")
        if promised is None or len(promised) != len(self._stamps):
            frames = "an unknown number of" if promised is None else str(len(promised))
            raise Unfit(f"{self.path}: decord counts {len(self._stamps)} frames, the container shows {frames}")
        if np.abs(self._stamps - self._stamps[0] - promised).max() > TOLERANCE_S:
            raise Unfit(f"{self.path}: decord's time stamps differ from the container's")
        if self._size != self._upright:
            raise Unfit(f"{self.path}: the clip is turned by its metadata, which decord ignores")

    def _ask(self, request: list[int] | None) -> Any:
        answer = self._worker.call(request, self._limit_s)
        if isinstance(answer, Died):
            raise Unfit(f"{self.path}: decord {answer.reason} ({self._limit_s:g} s)")
        if isinstance(answer, _Missing):
            raise DecoderMissing(f"decoder 'decord' does not load: {answer.text}; install decord or choose another one")
        if isinstance(answer, _Refused):
            raise Unfit(f"{self.path}: decord cannot read it: {answer.text}")
        return answer


@dataclass(frozen=True, slots=True)
class _Missing:
    text: str


@dataclass(frozen=True, slots=True)
class _Refused:
    text: str


class _Session:
    """The child's side: one open VideoReader and what is asked of it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.reader: Any = None

    def __call__(self, request: list[int] | None) -> Any:
        try:
            import decord
        except (ImportError, OSError) as error:
            return _Missing(str(error))
        try:
            if self.reader is None:
                decord.logging.set_level(decord.logging.QUIET)
                self.reader = decord.VideoReader(self.path, ctx=decord.cpu(0), num_threads=1)
            if request is None:
                stamps = self.reader.get_frame_timestamp(list(range(len(self.reader))))[:, 0]
                return np.asarray(stamps, np.float64), self.reader[0].shape[:2]
            return self.reader.get_batch(request).asnumpy()
        except (decord.DECORDError, IndexError, RuntimeError) as error:
            return _Refused(str(error).strip().rpartition("] ")[2])


def _nothing(request: object) -> None:
    """Takes the session's place, so that the child lets go of the clip."""


def _same(pixels: Pixels) -> Pixels:
    return pixels
