"""Keyframes on a grid of time, so that the windows of two readings in a row share all but the newest.

A clip's K segment centres lie a K-th of its length apart. The windows of a stream end on a grid of that step, so their
centres fall on one grid: a keyframe is made once, and what the vision side made of it can be used again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emotrain.video.extract import jpeg_encoder

Show = Callable[[int | None], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Key:
    """A keyframe: when it was shown, and its JPEG."""

    time_s: float
    image: bytes


@dataclass
class Grid:
    """`count` keyframes in `window_s` seconds, `size` pixels on the longer side. Frames are offered in order of time.

    Of each cell of the grid the frame nearest to its middle in which the face was seen is kept.
    """

    count: int
    window_s: float
    size: int | None
    quality: int = 95
    closed: int = -1
    """The newest cell of which no more frames will come."""
    keys: dict[int, Key] = field(default_factory=dict)
    _best: tuple[int, float, float, Show] | None = None

    @property
    def step_s(self) -> float:
        """Seconds of a cell."""
        return self.window_s / self.count

    def offer(self, time_s: float, show: Show) -> None:
        """A frame in which the face is seen."""
        cell = self._reach(time_s)
        away = abs(time_s - (cell + 0.5) * self.step_s)
        if self._best is None or away < self._best[1]:
            self._best = (cell, away, time_s, show)

    def miss(self, time_s: float) -> None:
        """A frame in which it is not."""
        self._reach(time_s)

    def finish(self) -> None:
        """No more frames of this run: its last cell is closed as it is."""
        if self._best is not None:
            self._keep(self._best)
            self.closed, self._best = max(self.closed, self._best[0]), None

    def last(self, cell: int) -> list[Key]:
        """The keyframes of the window that ends with `cell`, in order of time."""
        return [self.keys[k] for k in range(cell - self.count + 1, cell + 1) if k in self.keys]

    def _reach(self, time_s: float) -> int:
        cell = math.floor(time_s / self.step_s + 1e-9)
        if self._best is not None and self._best[0] < cell:
            self._keep(self._best)
            self._best = None
        self.closed = max(self.closed, cell - 1)
        return cell

    def _keep(self, best: tuple[int, float, float, Show]) -> None:
        cell, _, time_s, show = best
        self.keys[cell] = Key(time_s, jpeg_encoder(self.quality)(show(self.size)))
        for old in [k for k in self.keys if k <= cell - 2 * self.count]:
            del self.keys[old]
