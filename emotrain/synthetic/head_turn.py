"""A head that turns in space: where on the painted face each place of the picture looks, parallax and all.

The face is a relief over its painted plane. Turned, it is seen through a camera some crop widths away; for every place
of the picture the place on the plane is found by fixed-point iteration, which converges while the relief's slope stays
under cot(angle): about 2 at 25 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.synthetic.plane import Floats, Plane

MOST_DEGREES = 25.0
PIVOT = (0.5, 0.52)
_STEPS = 5


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Where the head is. Shifts are crop fractions, angles degrees, `scale` a size factor.

    `yaw` turns the nose to the right of the picture, `pitch` down, `roll` is clockwise; `gaze_x` and `gaze_y` shift the
    irises (crop fractions); `distance` is that of the camera in crop widths.
    """

    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    gaze_x: float = 0.0
    gaze_y: float = 0.0
    distance: float = 4.0

    @property
    def rotation(self) -> NDArray[np.float64]:
        """(3, 3): from the head's axes to the camera's; x right, y down, z to the viewer."""
        (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in np.deg2rad([self.yaw, self.pitch, self.roll]))
        yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
        roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        return np.asarray(roll @ pitch @ yaw)


@dataclass(frozen=True, slots=True)
class Relief:
    """How far each place of a plane stands out over the pivot, and how fast that changes: in crop widths.

    `height` and `slope` (2 planes) are (pixels, pixels) of `plane`; no slope exceeds what a turn can be solved for.
    """

    plane: Plane
    height: Floats
    slope: Floats

    @classmethod
    def of(cls, plane: Plane, height: Floats, most: float = 1.7) -> Relief:
        """The relief of a height map; its steepest parts are flattened."""
        low = float(np.interp(PIVOT[1], plane.grid()[1][:, 0], height[:, plane.pixels // 2])) - 0.06
        gentle = np.asarray(height - low, np.float32)
        for _ in range(12):
            down, along = np.gradient(gentle, 1 / plane.per_unit)
            steep = np.hypot(along, down)
            if steep.max() <= most:
                break
            soft = cv2.GaussianBlur(gentle, (0, 0), 1.5)
            gentle = np.where(cv2.dilate((steep > most).astype(np.uint8), np.ones((5, 5))) > 0, soft, gentle)
        down, along = np.gradient(gentle, 1 / plane.per_unit)
        return cls(plane, gentle, np.stack([along, down]).astype(np.float32))

    @property
    def normals(self) -> Floats:
        """Unit normals in the head's axes, (pixels, pixels, 3)."""
        toward = np.dstack([-self.slope[0], -self.slope[1], np.ones_like(self.height)])
        return np.asarray(toward / np.linalg.norm(toward, axis=2, keepdims=True), np.float32)


def seen_from(pose: HeadPose, relief: Relief, seen: Plane) -> tuple[Floats, NDArray[np.float64]]:
    """Places on the face's plane (pixels, pixels, 2) that the pixels of `seen` show, in crop fractions.

    With it comes (2,): how far these places lie apart for something that stands one crop width out from the skin.
    """
    x, y = seen.grid()
    u = np.stack([(x - PIVOT[0] - pose.dx) / pose.scale, (y - PIVOT[1] - pose.dy) / pose.scale], axis=-1)
    r = pose.rotation
    back = np.linalg.inv(r[:2, :2])
    away = back @ r[:2, 2]
    flat = (u @ back.T).astype(np.float32)
    place, distance = flat, np.float32(pose.distance)
    height = np.zeros(x.shape, np.float32)
    for _ in range(_STEPS):
        height = look_up(relief.height, relief.plane, place)
        depth = (
            np.float32(r[2, 0]) * (place[..., 0]) + np.float32(r[2, 1]) * place[..., 1] + np.float32(r[2, 2]) * height
        )
        # Nearer parts look larger: the camera is not infinitely far away.
        nearer = (distance - depth) / distance
        place = flat * nearer[..., None] - away.astype(np.float32) * height[..., None]
    return np.asarray(place + np.array(PIVOT, np.float32), np.float32), -away


def look_up(values: Floats, plane: Plane, place: Floats) -> Floats:
    """`values` on `plane` at places (..., 2) relative to the pivot, in crop fractions."""
    at = (place + np.array(PIVOT, np.float32) - np.float32(plane.low)) * np.float32(plane.per_unit) - np.float32(0.5)
    return np.asarray(cv2.remap(values, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
