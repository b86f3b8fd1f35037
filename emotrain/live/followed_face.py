"""Where the face is in frames that are still coming: the looks, rules and paths of `faces`, over the last seconds.

A path is smoothed by what lies a second to either side (path.py), so a frame is read when the face is known for a
second after it: then its crop is the one that the offline way makes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotrain.faces.detectors import Detected, Detector
from emotrain.faces.find import FoundFaces, told
from emotrain.faces.looking import Looker
from emotrain.faces.path import SMOOTH_S
from emotrain.video.reader import Picture

LAG_S = 4 * SMOOTH_S
"""Seconds that must be known of a face after a frame before the frame is read."""

HELD_S = 8.0
"""Seconds in which faces are joined to tracks and told from what is none."""

LOST_S = 2.0
"""A face that was not seen for so long is given up, and the settings choose anew whom the stream is about."""


@dataclass
class FollowedFace:
    """Give it every frame of an unbroken run by `see`; `find` tells of the last seconds. Times are of the stream."""

    detector: Detector
    size: int
    face: str
    fps: float | None = None
    start_s: float = 0.0
    """Where the times of the last `find` begin: it counts from there, as in a clip."""
    faces: int = 0
    _looks: deque[tuple[float, list[Detected]]] = field(default_factory=deque)
    _cells: deque[tuple[float, NDArray[np.uint8]]] = field(default_factory=deque)
    _followed: deque[tuple[float, tuple[float, ...]]] = field(default_factory=lambda: deque(maxlen=64))
    _looker: Looker | None = None
    _number: int = 0

    def see(self, time_s: float, picture: Picture, kept: bool) -> None:
        """Look at a frame, or not; `kept` frames are those that motion is read from, and cuts are looked for in."""
        if self._looker is None:
            self._looker = Looker(self.detector, self.size, self.fps)
        looker = self._looker
        looker.see(self._number, picture)
        self._number += 1
        for _, faces in looker.looks:
            self._looks.append((time_s, faces))
        looker.looks.clear()
        if kept or not self._cells:
            self._cells.append((time_s, looker.cells[-1]))
        del looker.cells[:-1]
        while self._cells[0][0] < time_s - HELD_S:
            self._cells.popleft()
        while len(self._looks) > 1 and self._looks[0][0] < self._cells[0][0]:
            self._looks.popleft()

    @property
    def newest(self) -> NDArray[np.uint8]:
        """(32, 32) the newest frame in grey."""
        assert self._looker is not None
        return self._looker.cells[-1]

    def begin_anew(self) -> None:
        """Another run: nothing is joined across what lies between. Whom it was about is remembered."""
        self._looks.clear()
        self._cells.clear()
        self._looker, self._number = None, 0

    def find(self) -> tuple[FoundFaces, int | None]:
        """The faces of the last seconds, their times counted from `start_s`, and the track of the one that is followed.

        Who was followed stays followed while anybody sees them; None when nobody is there.
        """
        assert self._looker is not None
        self.start_s = self._cells[0][0]
        times = np.array([time_s for time_s, _ in self._cells]) - self.start_s
        looks = [(time_s - self.start_s, faces) for time_s, faces in self._looks if time_s >= self.start_s]
        cells = np.stack([cells for _, cells in self._cells])
        height, width = self._looker.shape
        found = told("stream", looks, cells, times, (width, height), self.face)
        self.faces = found.clip.faces
        track = self._kept_track(found)
        track = found.clip.track if track is None else track
        for sighting in found.sightings:
            if sighting.track == track and (not self._followed or self._time(sighting) > self._followed[-1][0]):
                self._followed.append((self._time(sighting), sighting.box))
        return found, track

    def _time(self, sighting: Any) -> float:
        return float(sighting.time_s + self.start_s)

    def _kept_track(self, found: FoundFaces) -> int | None:
        known = set(self._followed)
        recent = [s for s in found.sightings if (self._time(s), s.box) in known]
        if not recent or found.clip.end_s + self.start_s - self._followed[-1][0] > LOST_S:
            return None
        return recent[-1].track
