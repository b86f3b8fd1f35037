"""Which frames are looked at, and how much of them.

Whole frames are looked at where a new face could appear: at the start, after a jump of the picture, when a face is
lost, and every `WHOLE_S`. A face that is known is looked at more closely (closeup.py), every `STILL_S`, or every
`MOVING_S` while it moves. The frames between two looks are interpolated (path.py); what that costs is measured by
`benchmarks/faces.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from emotrain.faces.closeup import Closeup
from emotrain.faces.detectors import Detected, Detector, distinct, overlap
from emotrain.video.crop import WHOLE
from emotrain.video.reader import DEFAULT_FPS, Picture

CELLS = 32
"""Side of the grey pictures of all frames in which cuts are looked for."""

WHOLE_S = 1.5
SEARCH_S = 0.5
"""Time between looks at whole frames with and without a known face."""

MOVING_S, STILL_S = 2 / 15, 4 / 15
MOVES = 0.08
"""A face moves when the middle of its eyes goes by more than this share of their distance between two looks."""

MOST_CLOSE = 3
"""With more faces than this only whole frames are looked at: as cheap, and they miss nobody."""

SAME_FACE = 0.25
JUMP, ABRUPT = 0.08, 3.0
"""The picture jumps where its cells change by this share of their brightness, and so much more than just before."""


@dataclass
class Looker:
    """Give it every frame in order by `see`; it keeps `looks` (frame number, faces) and `cells` (32 x 32 grey)."""

    detector: Detector | None
    size: int
    fps: float | None = None
    looks: list[tuple[int, list[Detected]]] = field(default_factory=list)
    cells: list[NDArray[np.uint8]] = field(default_factory=list)
    shape: tuple[int, int] = (0, 0)
    _known: list[Detected] = field(default_factory=list)
    _time: float = -np.inf
    _whole: float = -np.inf
    _look: float = -np.inf
    _every: float = MOVING_S
    _change: float = 1.0

    def see(self, index: int, picture: Picture) -> None:
        """Look at a frame, or not."""
        if index == 0:
            self.shape = picture.shape()
        step = 1 / (self.fps or DEFAULT_FPS)
        stamp = picture.time_s
        self._time = stamp if isfinite(stamp) and stamp > self._time else 0.0 if index == 0 else self._time + step
        jumped = self._jumped(picture.grey(CELLS, WHOLE))
        if self.detector is None:
            return
        # Half a frame of tolerance, so that rounded time stamps do not put a look off by a frame.
        now = self._time + step / 2
        if jumped or now - self._whole >= (WHOLE_S if self._known else SEARCH_S):
            self._look_whole(index, picture, self.detector)
        elif self._known and now - self._look >= self._every:
            closer = self._closer(self._known, picture, self.detector) if len(self._known) <= MOST_CLOSE else []
            if len(closer) == len(self._known):
                self._note(index, closer)
            else:
                self._look_whole(index, picture, self.detector)

    def _look_whole(self, index: int, picture: Picture, detector: Detector) -> None:
        self._whole = self._time
        faces = detector.faces_in(picture.rgb(min(self.size, max(picture.shape())), WHOLE))
        if 0 < len(faces) <= MOST_CLOSE:
            closer = self._closer(faces, picture, detector)
            faces = distinct([*closer, *faces])
        self._note(index, faces)

    def _closer(self, faces: list[Detected], picture: Picture, detector: Detector) -> list[Detected]:
        """Those of `faces` that a closer look finds again."""
        closeup = Closeup(picture, detector)
        found = [closeup.again(face) for face in faces]
        return distinct([face for face in found if face is not None])

    def _note(self, index: int, faces: list[Detected]) -> None:
        self._every = MOVING_S if self._moved(faces) else STILL_S
        self._look, self._known = self._time, faces
        self.looks.append((index, faces))

    def _moved(self, faces: list[Detected]) -> bool:
        for face in faces:
            before = max(self._known, key=lambda known: overlap(known.box, face.box), default=None)
            if before is None or overlap(before.box, face.box) < SAME_FACE:
                return True
            width = float(np.linalg.norm(face.landmarks[1] - face.landmarks[0]))
            middle = face.landmarks[:2].mean(0) - before.landmarks[:2].mean(0)
            if np.linalg.norm(middle) > MOVES * width:
                return True
        return False

    def _jumped(self, cells: NDArray[np.uint8]) -> bool:
        before = self.cells[-1] if self.cells else None
        self.cells.append(cells)
        if before is None:
            return True
        level = max(float(before.mean()), 1.0)
        change = float(np.abs(cells.astype(np.float32) - before).mean()) / level
        usual, self._change = self._change, 0.5 * self._change + 0.5 * change
        return change > JUMP and change > ABRUPT * usual
