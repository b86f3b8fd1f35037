"""What happens to the picture rather than to the face: cuts between shots, flashes, light that is switched.

Neighbouring frames of one shot look alike: the same structure (32 x 32 cells, each less its surroundings, in units of
the contrast there, so light hardly matters) at nearly the same brightness. Where they do not, the picture jumped. If it
is back within a third of a second it was a flash, whose frames tell nothing of the face; if another structure stays it
was a cut; if only the brightness stays another it was the light. Blank frames (black or white) belong to no shot: what
stands before and after them decides. Cross-fades are no jumps and are not found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

CELLS = 32
OTHER_STRUCTURE = 0.12
"""1 - correlation from which neighbouring frames show different things. On rendered clips neighbours stay below 0.11
even at 15 frames/s and with much head motion, and a lamp makes 0.06; two frontal faces differ by 0.11 to 1, 0.56 in the
median."""

BACK_STRUCTURE = 0.2
"""The same for frames up to a third of a second apart, between which a head moves on."""

OTHER_LIGHT = 0.08
"""Median over the cells of the change of log brightness from which the light is another; ordinary: below 0.03."""

CANDIDATE = 0.05
"""Mean change of the cells in shares of the brightness below which nothing jumped, so that most pairs cost nothing."""

ABRUPT = 4.0
"""A cut stands out this far from the changes in the half second around it, and from those of the two frames before and
after it: a fast head does not, nor does somebody who walks out of the picture, which lasts."""

MOST = 0.7
"""A cut changes the whole picture, a television in it that cuts changes its own part: this quantile of the cells'
changes must stand out as well. It is no median, since half of a dark or letterboxed picture stays black in a cut."""

BLANK = 2.0
"""Standard deviation of the cells, in grey levels, below which a frame shows nothing."""

FLASH_S = 0.34
NOTHING_IN_COMMON = 0.6
SAMPLES = 9
AROUND_S = 0.5


@dataclass(frozen=True, slots=True)
class Shot:
    """One shot: the frames to look at (indices in order, flashes left out) and those at which the light became another
    (places in `frames`)."""

    frames: NDArray[np.intp]
    light_steps: tuple[int, ...] = ()


def find_shots(grey: NDArray[np.uint8], times_s: NDArray[np.float64]) -> list[Shot]:
    """The shots of a clip of T > 0 frames, (T, S, S) uint8 with S a multiple of 32, in order.

    The first frame of every shot but the first is where the picture was cut. A clip of blank frames is one shot.
    """
    cells = _cells(grey)
    shown = np.flatnonzero(cells.std((1, 2)) >= BLANK)
    if not len(shown):
        shown = np.arange(len(cells))
    return [Shot(shown[shot.frames], shot.light_steps) for shot in _shots(cells[shown], times_s[shown], shown)]


def _shots(cells: Floats, times_s: NDArray[np.float64], numbers: NDArray[np.intp]) -> list[Shot]:
    """`find_shots` of frames that show something; `numbers` are their places in the clip."""
    level = np.maximum(cells.mean((1, 2)), 1.0)
    moved = np.abs(np.diff(cells, axis=0)).reshape(-1, CELLS * CELLS)
    change, most = moved.mean(1) / level[1:], np.quantile(moved, MOST, axis=1) / level[1:]
    after_blank = np.diff(numbers) > 1
    shots: list[Shot] = []
    kept: list[int] = [0]
    steps: list[int] = []
    candidates = ((change > CANDIDATE) | after_blank).tolist()

    def cut() -> None:
        nonlocal kept, steps
        shots.append(Shot(np.array(kept), tuple(steps)))
        kept, steps = [], []

    t = 1
    while t < len(cells):
        if candidates[t - 1] and not _alike(cells[kept[-1]], cells[t], OTHER_STRUCTURE):
            back = _back(cells, times_s, kept[-1], t)
            if back is not None:
                t = back
            elif _structure(cells[kept[-1]], cells[t]) < OTHER_STRUCTURE:
                steps.append(len(kept))
            elif after_blank[t - 1] or all(
                part[t - 1] > least * _usual(part, times_s, t - 1)
                for part, least in ((change, ABRUPT), (most, ABRUPT / 2))
            ):
                cut()
        elif after_blank[t - 1] and times_s[t] - times_s[t - 1] > FLASH_S:
            cut()
        kept.append(t)
        t += 1
    return [*shots, Shot(np.array(kept), tuple(steps))]


def same_view(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether two frames (S, S), S a multiple of 32, show the same view, but for what moves in a third of a second."""
    a, b = _cells(np.stack([before, after]))
    return _structure(a, b) < BACK_STRUCTURE


def followable(grey: NDArray[np.uint8]) -> bool:
    """Whether neighbouring frames of (T, S, S) have a structure in common: not in a flat picture, nor where the dark
    leaves only noise. Asked of a few pairs of frames; False for a single frame."""
    if len(grey) < 2:
        return False
    first = np.unique(np.linspace(0, len(grey) - 2, SAMPLES).astype(int))
    before, after = _cells(grey[first]), _cells(grey[first + 1])
    return float(np.median([_structure(a, b) for a, b in zip(before, after)])) < NOTHING_IN_COMMON


def _cells(grey: NDArray[np.uint8]) -> Floats:
    import cv2

    return np.stack([cv2.resize(frame, (CELLS, CELLS), interpolation=cv2.INTER_AREA) for frame in grey]).astype(
        np.float32
    )


def _back(cells: Floats, times_s: NDArray[np.float64], before: int, t: int) -> int | None:
    """The first frame after `t`, at most a third of a second later, that looks as `before` did; None for none."""
    for later in range(t + 1, len(cells)):
        if times_s[later] - times_s[t] > FLASH_S:
            return None
        if _alike(cells[before], cells[later], BACK_STRUCTURE):
            return later
    return None


def _usual(change: Floats, times_s: NDArray[np.float64], at: int) -> float:
    """The median change from frame to frame around the step `at`, that step left out: the larger of that in the half
    second around it and that of its four neighbours."""
    near = np.abs(times_s[1:] - times_s[at + 1]) <= AROUND_S
    near[at] = False
    if not near.any():
        return 0.0
    beside = np.delete(change[max(at - 2, 0) : at + 3], min(at, 2))
    return float(max(np.median(change[near]), np.median(beside) if len(beside) else 0.0))


def _alike(a: Floats, b: Floats, other: float) -> bool:
    light = np.median(np.abs(np.log((b + 8) / (a + 8))))
    return bool(light < OTHER_LIGHT) and _structure(a, b) < other


def _structure(a: Floats, b: Floats) -> float:
    """1 - correlation of two frames' local structure: 0 the same, 1 unrelated."""
    first, second = (_local(cells) for cells in (a, b))
    return 1.0 - float((first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum() + 1e-9))


def _local(cells: Floats) -> Floats:
    import cv2

    log = np.log(cells + 8)
    detail = log - cv2.blur(log, (9, 9))
    scaled = detail / np.sqrt(cv2.blur(detail * detail, (9, 9)) + 0.02**2)
    return scaled - scaled.mean()
