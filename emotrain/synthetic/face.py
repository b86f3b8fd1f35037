"""A person's face in any expression, pose and light: one small image warp a frame.

What can be computed once for each identity is: the painted face at twice the crop's resolution, the displacement field
and the folds of every action unit. A frame then costs a weighted sum of the fields that are in use, one warp that also
carries the head pose, and two or three small drawings (eyes and mouth) when their units changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.synthetic.action_units import AUS, INDEX
from emotrain.synthetic.eyes import EYE_UNITS, Eyes
from emotrain.synthetic.identity import Identity
from emotrain.synthetic.mouth import MOUTH_UNITS, Mouth
from emotrain.synthetic.muscles import displacements, folds, move_weights
from emotrain.synthetic.plane import MARGIN, MIDDLE, Floats, Plane, pair, spot, with_margin
from emotrain.synthetic.skin import paint

Image = NDArray[np.uint8]

CENTRE = (0.5, 0.55)
"""The point, in crop fractions, that a head rolls and grows about."""

_FIELD_PER_CROP, _LEAST = 64, 0.002
_EYE_UNITS = [INDEX[name] for name in EYE_UNITS]
_MOUTH_UNITS = [i for i, name in enumerate(AUS) if name.lstrip("LR") in MOUTH_UNITS]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the head is: shift in crop fractions, roll in degrees (clockwise), size factor.

    `yaw` moves the nose against the ears (crop fractions, positive to the right of the picture); `gaze_x` and `gaze_y`
    shift the irises (crop fractions).
    """

    dx: float = 0.0
    dy: float = 0.0
    roll: float = 0.0
    scale: float = 1.0
    yaw: float = 0.0
    gaze_x: float = 0.0
    gaze_y: float = 0.0


@dataclass(frozen=True, slots=True)
class Light:
    """Exposure as a factor, and how much brighter the right and the lower edge are than the middle (shares)."""

    gain: float = 1.0
    slope_x: float = 0.0
    slope_y: float = 0.0


class Face:
    """Renders one identity at one size. Holds the drawing state, so use one object per thread.

    `size` are the pixels of the crop's width. `margin` (crop fractions) is painted around the crop for the head to move
    in; with `whole` the margin is rendered too: frames are then `round(size * (1 + 2 * margin))` pixels wide.
    """

    def __init__(self, identity: Identity, size: int = 128, margin: float = MARGIN, whole: bool = False) -> None:
        if size < 48:
            raise ValueError(f"Face size {size}: at least 48 pixels are needed to draw an eye")
        self.identity, self.size = identity, size
        plane = with_margin(2 * size, margin)
        self.window = with_margin(size, margin) if whole else Plane(size, 0.0, 1.0)
        self.unit, self.low = plane.per_unit, plane.low
        self.canvas: Image = np.clip(paint(plane, identity), 0, 255).astype(np.uint8)
        self.eyes, self.mouth = Eyes(plane, identity, self.canvas), Mouth(plane, identity, self.canvas)
        self.fields, self.depth, self.field_plane = _fields(2 * size)
        self.folds = folds(Plane(size, 0.0, 1.0), identity)
        ticks = (np.arange(self.window.pixels, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
        self.x, self.y = np.meshgrid(ticks + np.float32(self.window.low), ticks + np.float32(self.window.low))
        self._drawn_eyes: object = None
        self._drawn_mouth: object = None

    def render(self, units: NDArray[np.floating], pose: Pose = Pose(), light: Light = Light()) -> Image:
        """The face with `units` (19,) in 0..1, order AUS: (pixels, pixels, 3) uint8 RGB, `size` unless `whole`."""
        if units.shape != (len(AUS),):
            raise ValueError(f"Face.render: units have shape {units.shape}, expected ({len(AUS)},) in the order of AUS")
        self._redraw(units, pose)
        active = [i for i in range(len(AUS)) if units[i] > _LEAST]
        source = self._source(units, pose)
        frame = cv2.remap(self.canvas, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        shade = self._shade(units, active, source, light)
        return np.asarray(cv2.multiply(frame, cv2.cvtColor(shade, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_8U), np.uint8)

    def _redraw(self, units: NDArray[np.floating], pose: Pose) -> None:
        gaze = (pose.gaze_x, pose.gaze_y)
        shift = tuple(round(g * self.unit) for g in gaze)
        eyes = (units[_EYE_UNITS].tobytes(), shift)
        if eyes != self._drawn_eyes:
            self.eyes.draw(self.canvas, units, gaze)
            self._drawn_eyes = eyes
        mouth = units[_MOUTH_UNITS].tobytes()
        if mouth != self._drawn_mouth:
            self.mouth.draw(self.canvas, units)
            self._drawn_mouth = mouth

    def _source(self, units: NDArray[np.floating], pose: Pose) -> Floats:
        """Where on the painted face each pixel of the frame looks, (size, size, 2) in painted pixels."""
        angle = np.deg2rad(pose.roll)
        cos, sin = np.cos(angle) / pose.scale, np.sin(angle) / pose.scale
        x0, y0 = -CENTRE[0] - pose.dx, -CENTRE[1] - pose.dy
        a = np.array([[cos, sin, cos * x0 + sin * y0 + CENTRE[0]], [-sin, cos, -sin * x0 + cos * y0 + CENTRE[1]]])
        moved = self.depth * np.float32(pose.yaw * self.unit)
        weights = move_weights(units)
        for i in np.flatnonzero(weights > _LEAST):
            cv2.scaleAdd(self.fields[i], float(weights[i]), moved, moved)
        grid, size = self.field_plane, self.size
        to_grid = a.copy()
        # Output pixel (i) lies at crop fraction low + (i + 0.5) / size, low being that of the window; grid pixel g at
        # low + (g + 0.5) / per_unit, low being the grid's.
        to_grid[:, :2] *= grid.per_unit / size
        first = self.window.low + 0.5 / size
        to_grid[:, 2] = (a[:, :2].sum(1) * first + a[:, 2] - grid.low) * grid.per_unit - 0.5
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        pixels = self.window.pixels
        shift = cv2.warpAffine(moved, to_grid, (pixels, pixels), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        source = np.empty((pixels, pixels, 2), np.float32)
        for k in range(2):
            along, down, offset = (a[k] * self.unit).astype(np.float32)
            source[..., k] = along * self.x + down * self.y + (offset - np.float32(self.low * self.unit + 0.5))
        return np.asarray(cv2.subtract(source, shift), np.float32)

    def _shade(self, units: NDArray[np.floating], active: list[int], source: Floats, light: Light) -> Floats:
        if active:
            fold = self.folds[active[0]] * np.float32(units[active[0]])
            for i in active[1:]:
                cv2.scaleAdd(self.folds[i], float(units[i]), fold, fold)
            at = source * np.float32(self.size / self.unit)
            at += np.float32((self.low + 0.5 / self.unit) * self.size - 0.5)
            shade = 1 + cv2.remap(fold, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        else:
            shade = np.ones(self.x.shape, np.float32)
        exposure = self.x * np.float32(2 * light.slope_x) + self.y * np.float32(2 * light.slope_y)
        exposure += np.float32(1 - light.slope_x - light.slope_y)
        return np.asarray(shade * exposure * np.float32(light.gain), np.float32)


@lru_cache(maxsize=4)
def _fields(painted_per_crop: int) -> tuple[Floats, Floats, Plane]:
    """Displacement of each unit and of one unit of yaw, in painted pixels, on a coarse grid that all share."""
    plane = with_margin(_FIELD_PER_CROP)
    x, y = plane.grid()
    return displacements(x, y) * np.float32(painted_per_crop), _nearness(x, y), plane


def skin_moves(
    points: NDArray[np.float64], units: NDArray[np.floating], yaw: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far the skin seen at `points` (T, N, 2) has come by units (T, 19) and yaw (T,): (T, N, 2) crop fractions."""
    x, y = (np.asarray(points[..., k], np.float32) for k in range(2))
    moved = np.einsum("tm,mtnk->tnk", move_weights(units), displacements(x, y))
    return np.asarray(moved + _nearness(x, y) * yaw[:, None, None], np.float64)


def _nearness(x: Floats, y: Floats) -> Floats:
    """How much of a unit of yaw the skin at (x, y) moves, (*shape, 2): the nose most, the ears backwards."""
    near = spot(x, y, (MIDDLE, 0.52), (0.26, 0.34)) + 0.55 * spot(x, y, (MIDDLE, 0.59), (0.055, 0.09))
    near -= 0.25 * pair(x, y, (0.42, 0.5), (0.07, 0.4))
    return np.stack([near, np.zeros_like(near)], axis=-1).astype(np.float32)
