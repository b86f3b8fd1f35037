"""The eyes, drawn afresh whenever lids or gaze change: eyeball and iris behind an opening that the lids cut out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP
from emotrain.synthetic.action_units import INDEX
from emotrain.synthetic.identity import Colour, Identity
from emotrain.synthetic.plane import MIDDLE, Plane, fixed_point

Image = NDArray[np.uint8]

EYE_UNITS = ("5", "6", "7", "45")
"""What the drawing depends on, besides the gaze."""

_AWAY = ALIGNED_CROP.left_eye[0] - MIDDLE
HEIGHT = 0.004
"""The opening of the lids lies so much below the eye's place (crop fractions)."""

_HALF = (0.096, 0.066)
_T = np.linspace(-1.0, 1.0, 15)


class Eyes:
    """Draws both eyes of an identity onto a copy of its painted face."""

    def __init__(self, plane: Plane, identity: Identity, painted: Image) -> None:
        self.identity, self.unit = identity, plane.per_unit
        self.half_width, self.upper, self.lower = 0.071 * identity.eye_width, 0.033 * identity.eye_open, 0.0185
        self.sides = (-1.0, 1.0)
        self.lash = _shade(identity.hair, 0.35)
        self.rim = _shade(identity.skin, 0.55)
        self.boxes, self.rest, self.centres = [], [], []
        for side in self.sides:
            at = np.array([MIDDLE + side * _AWAY, ALIGNED_CROP.left_eye[1] + identity.eye_shift])
            low, high = (np.round(plane.points(at + np.multiply(sign, _HALF))).astype(int) for sign in (-1, 1))
            box = (slice(low[1], high[1]), slice(low[0], high[0]))
            self.boxes.append(box)
            self.rest.append(painted[box].copy())
            self.centres.append(plane.points(at) - low)
        height, width = self.rest[0].shape[:2]
        # So many pixels the iris can be shifted: the eyeball is drawn that much larger than the eye.
        self.brim = max(8, round(0.031 * self.unit))
        self.ball = _eyeball(height + 2 * self.brim, width + 2 * self.brim, self.unit, identity)

    def draw(self, canvas: Image, units: NDArray[np.floating], gaze: tuple[float, float]) -> None:
        """Redraw both eyes in place; `gaze` is the shift of the iris in crop fractions (right of the picture, down)."""
        u5, u6, u7, blink = (float(units[INDEX[name]]) for name in EYE_UNITS)
        upper = self.upper * (1 + 0.62 * u5 - 0.30 * u7 - 0.15 * u6)
        lower = self.lower * (1 + 0.15 * u5 - 0.75 * min(1.0, u7 + 0.7 * u6))
        lid = -upper + blink * (upper + 0.92 * lower)
        brim = self.brim
        shift = np.round(np.clip(np.array(gaze) * self.unit, -brim, brim)).astype(int)
        for side, box, rest, centre in zip(self.sides, self.boxes, self.rest, self.centres):
            tilt = -0.004 * side * _T
            # The lid's highest point lies a little towards the nose.
            arch = (1 - np.abs(_T) ** 2.3) * (1 - 0.10 * side * _T)
            x = centre[0] + _T * self.half_width * self.unit
            top = centre[1] + (lid * arch + tilt + HEIGHT) * self.unit
            bottom = centre[1] + (lower * (1 - _T**2) * (1 + 0.12 * side * _T) + tilt + HEIGHT) * self.unit
            bottom = np.maximum(bottom, top)
            above, below = np.stack([x, top], 1), np.stack([x, bottom], 1)
            patch = rest.copy()
            if blink < 0.95:
                opening = np.zeros(rest.shape[:2], np.uint8)
                cv2.fillPoly(opening, [fixed_point(np.concatenate([above, below[::-1]]))], 255, cv2.LINE_AA, 4)
                h, w = len(opening), len(opening[0])
                ball = self.ball[brim - shift[1] : brim - shift[1] + h, brim - shift[0] : brim - shift[0] + w]
                weight = opening.astype(np.float32) * np.float32(1 / 255)
                patch = cv2.blendLinear(np.ascontiguousarray(ball), patch, weight, 1 - weight)
            thick = max(1, round(self.unit * 0.0085))
            cv2.polylines(patch, [fixed_point(below[1:-1])], False, self.rim, max(1, thick // 2), cv2.LINE_AA, 4)
            cv2.polylines(patch, [fixed_point(above)], False, self.lash, thick, cv2.LINE_AA, 4)
            canvas[box] = patch


def _eyeball(height: int, width: int, unit: float, identity: Identity) -> Image:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x - width / 2) / unit, (y - height / 2) / unit
    white = np.array([232, 226, 222], np.float32) * (1 - 0.35 * np.clip(-y / 0.03, 0, 1) - 5.0 * np.abs(x))[..., None]
    radius = np.hypot(x, y + 0.002)
    soft = 1.2 / unit
    iris = np.clip((0.0295 - radius) / soft + 0.5, 0, 1)[..., None]
    ring = np.clip((radius - 0.021) / 0.008, 0, 1)[..., None]
    colour = np.array(identity.iris, np.float32) * (1.15 - 0.75 * ring)
    pupil = np.clip((0.0115 - radius) / soft + 0.5, 0, 1)[..., None]
    glint = np.clip((0.0058 - np.hypot(x - 0.009, y + 0.012)) / soft + 0.5, 0, 1)[..., None]
    ball = white * (1 - iris) + colour * iris
    ball = ball * (1 - pupil) + 12 * pupil
    ball = ball * (1 - 0.9 * glint) + 250 * 0.9 * glint
    return np.clip(ball, 0, 255).astype(np.uint8)


def _shade(colour: Colour, share: float) -> Colour:
    return colour[0] * share, colour[1] * share, colour[2] * share
