"""A face that is still being watched: the events of its last seconds, from motion that is measured once a frame.

The offline way (clip_events.py) looks at a whole clip. Here frames come one by one, of which the last `held_s` seconds
are held: flow is measured when a frame comes, spotting is done anew over what is held, by the same functions. What
differs is what the future would have told: how noisy the clip is, where the face rests, whether a change lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP, FaceLayout
from emotrain.motion.clip_events import SHORTEST_SHOT_S, TUNED
from emotrain.motion.face_motion import OWN, Anchored, motion_of
from emotrain.motion.face_regions import Floats
from emotrain.motion.flow import evened, flattened, halved, lit_unevenly
from emotrain.motion.spotting import SpotSettings, spot
from emotrain.records import Event
from emotrain.video.shots import CELLS, Shot, find_shots, followable

HELD_S = 24.0
"""Seconds of the face that events are told by: three times the eight in which its rest may drift."""

ANCHOR_S = 9.0
"""A new anchor is taken this often: the longest time for which the offline way keeps one (`face_motion._spans`)."""

SPARE = 0.15
"""The oldest frames are let go when there are so many more than `held_s` asks for, so that this is rarely done."""


@dataclass
class MovingWindow:
    """Give it every crop of one stretch in which the face was seen, in order, by `add`; ask by `look`."""

    settings: SpotSettings = TUNED
    layout: FaceLayout = ALIGNED_CROP
    held_s: float = HELD_S
    times_s: list[float] = field(default_factory=list)
    _grey: list[NDArray[np.uint8]] = field(default_factory=list)
    _cells: list[NDArray[np.uint8]] = field(default_factory=list)
    _shots: dict[float, _Growing] = field(default_factory=dict)

    def add(self, time_s: float, grey: NDArray[np.uint8]) -> None:
        """The next crop, (128, 128), at a later time than the one before."""
        import cv2

        self.times_s.append(time_s)
        self._grey.append(grey)
        self._cells.append(cv2.resize(grey, (CELLS, CELLS), interpolation=cv2.INTER_AREA))
        if time_s - self.times_s[0] > self.held_s * (1 + SPARE):
            self._let_go(time_s - self.held_s)

    def lay_out(self, layout: FaceLayout) -> None:
        """Read the face by another layout from now on, what is held included."""
        if layout != self.layout:
            self.layout = layout
            self._shots = {}

    def look(self) -> tuple[list[Event], list[Event]]:
        """The events and the blinks of what is held, each in order of onset, as far as is known by now."""
        if not self.times_s:
            return [], []
        times = np.array(self.times_s)
        grown: dict[float, _Growing] = {}
        events: list[Event] = []
        blinks: list[Event] = []
        for shot in find_shots(np.stack(self._cells), times):
            shown = times[shot.frames]
            key = float(shown[0])
            motion = grown[key] = self._shots.get(key) or _Growing(self.layout)
            motion.reach(shot, shown, self._grey)
            if shown[-1] - shown[0] >= SHORTEST_SHOT_S and followable(_sampled(self._cells, shot)):
                tracks = motion_of(motion.tracks(), shown, self.layout, shot.light_steps)
                found, blinked = spot(tracks, self.settings)
                events += found
                blinks += blinked
        self._shots = grown
        return events, blinks

    def _let_go(self, before_s: float) -> None:
        first = next(i for i, time_s in enumerate(self.times_s) if time_s >= before_s)
        begins = self.times_s[first]
        del self.times_s[:first], self._grey[:first], self._cells[:first]
        kept: dict[float, _Growing] = {}
        for motion in self._shots.values():
            motion.let_go(begins)
            if motion.times_s:
                kept[motion.times_s[0]] = motion
        self._shots = kept


def _sampled(cells: Sequence[NDArray[np.uint8]], shot: Shot) -> NDArray[np.uint8]:
    return np.stack([cells[index] for index in shot.frames.tolist()])


@dataclass
class _Growing:
    """What was measured of one shot so far; its frames may turn out to be others than was thought."""

    layout: FaceLayout
    times_s: list[float] = field(default_factory=list)
    _rows: list[Floats] = field(default_factory=list)
    _anchored: Anchored | None = None
    _anchor_s: float = 0.0
    _since: Floats | None = None
    _like: NDArray[np.uint8] | None = None
    _flat: bool = False

    def reach(self, shot: Shot, times_s: NDArray[np.float64], grey: Sequence[NDArray[np.uint8]]) -> None:
        """Measure those frames of the shot that were not, from the first on that is another than before."""
        frames = shot.frames.tolist()
        if not self._flat and any(_uneven(grey[frames[step - 1]], grey[frames[step]]) for step in shot.light_steps):
            self._flat = True
            self._forget(0)
        same = next((i for i, (a, b) in enumerate(zip(self.times_s, times_s)) if a != b), len(self.times_s))
        if same < len(self.times_s):
            self._forget(same)
        while (at := len(self.times_s)) < len(frames):
            fresh = self._anchored is None or times_s[at] - self._anchor_s > ANCHOR_S
            first = max(at - 1, 0) if fresh else at  # a new anchor is the last frame that was measured
            if fresh:
                self._anchored, self._anchor_s = Anchored(self.layout), float(times_s[first])
                self._since, self._like = self._rows[-1][OWN:] if self._rows else None, None
            stop = max(int(np.searchsorted(times_s, self._anchor_s + ANCHOR_S, side="right")), at + 1)
            self._measure(np.stack([grey[i] for i in frames[first:stop]]), at - first)
            self.times_s += times_s[at:stop].tolist()

    def _measure(self, grey: NDArray[np.uint8], known: int) -> None:
        """Rows of `grey` (T, 128, 128), of which the first `known` have theirs already."""
        assert self._anchored is not None
        small = halved(grey)
        if self._flat:
            small = flattened(small)
        else:
            self._like = small[0] if self._like is None else self._like
            small = evened(small, self._like)
        rows = self._anchored.measure(grey, small)[known:]
        if self._since is not None:
            rows[:, OWN:] += self._since
        self._rows += list(rows)

    def tracks(self) -> Floats:
        """(T, 44 + B) what was measured, counted from the first frame that is held."""
        whole = np.stack(self._rows)
        whole[:, OWN:] -= whole[0, OWN:]
        return whole

    def let_go(self, before_s: float) -> None:
        """Forget the frames before this time."""
        first = int(np.searchsorted(self.times_s, before_s))
        del self.times_s[:first], self._rows[:first]

    def _forget(self, first: int) -> None:
        del self.times_s[first:], self._rows[first:]
        self._anchored = None


def _uneven(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    return lit_unevenly(*evened(halved(np.stack([before, after]))))
