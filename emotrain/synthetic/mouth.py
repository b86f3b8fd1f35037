"""The mouth, drawn afresh whenever its units change: lips, the line or gap between them, teeth and tongue.

The corners, the chin and the skin around the mouth are moved by the displacement fields; what is drawn here is only
what a smooth field cannot do: parting lips, thinning lips and the arch of a pushed-up lower lip.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP
from emotrain.synthetic.action_units import INDEX
from emotrain.synthetic.identity import Identity
from emotrain.synthetic.plane import MIDDLE, Plane, fixed_point, noise

Image = NDArray[np.uint8]

_T = np.linspace(-1.0, 1.0, 25)
_ARCH, _BOW = 1 - _T**2, (1 - np.abs(_T) ** 1.7) * (1 - 0.22 * np.exp(-((_T / 0.16) ** 2)))
_DARK, _TEETH, _TONGUE = (48.0, 16.0, 18.0), (232.0, 226.0, 214.0), (150.0, 62.0, 64.0)
_UNITS = ("10", "15", "17", "20", "23", "25", "26")
MOUTH_UNITS = (*_UNITS, "12", "14")
"""What the drawing depends on, both sides together; anything else leaves it as it is."""


class Mouth:
    """Draws the mouth of an identity onto a copy of its painted face."""

    def __init__(self, plane: Plane, identity: Identity, painted: Image) -> None:
        self.identity, self.unit = identity, plane.per_unit
        at = np.array([MIDDLE, ALIGNED_CROP.mouth[1] + identity.mouth_shift])
        low = np.round(plane.points(at - np.array([0.175, 0.065]))).astype(int)
        high = np.round(plane.points(at + np.array([0.175, 0.150]))).astype(int)
        self.box = (slice(low[1], high[1]), slice(low[0], high[0]))
        self.rest = painted[self.box].copy()
        self.centre = plane.points(at) - low
        grain = noise(np.random.default_rng(identity.seed + 2), max(self.rest.shape[:2]), (2.0, 9.0))
        height, width = self.rest.shape[:2]
        red = np.array(identity.lips, np.float32) * (1 + 0.05 * grain[:height, :width, None])
        self.upper_red = np.clip(red * 0.84, 0, 255).astype(np.uint8)
        self.lower_red = np.clip(red * 1.04, 0, 255).astype(np.uint8)

    def draw(self, canvas: Image, units: NDArray[np.floating]) -> None:
        """Redraw the mouth in place."""
        u = {name: float(units[INDEX[name]]) for name in _UNITS}
        dimple = float(units[INDEX["L14"]] + units[INDEX["R14"]]) / 2
        thin = (1 - 0.62 * u["23"]) * (1 - 0.25 * dimple)
        full = self.identity.lip_full
        drop = 0.026 * u["25"] + 0.078 * u["26"]
        lift = 0.007 * u["25"] + 0.004 * u["26"] + 0.006 * u["10"] * min(1.0, u["25"] * 2)
        middle = (-0.012 * u["17"] - 0.006 * u["15"]) * _ARCH + 0.003 * _ARCH * (1 - u["17"])
        # A dropped jaw rounds the mouth: it narrows, and the corners sink with the jaw.
        middle = middle + 0.45 * 0.078 * u["26"] * (1 - _ARCH)
        half = ALIGNED_CROP.mouth_half_width * self.identity.mouth_width * (1 - 0.24 * u["26"])
        x = self.centre[0] + self.unit * half * _T
        inner_top = middle - lift * _ARCH
        inner_low = middle + drop * _ARCH**0.7
        outer_top = inner_top - 0.026 * full * thin * (1 - 0.15 * u["10"]) * _BOW
        outer_low = inner_low + 0.034 * full * thin * (1 + 0.18 * u["17"]) * _ARCH**0.85
        top, low, lip_top, lip_low = (
            np.stack([x, self.centre[1] + self.unit * curve], 1)
            for curve in (inner_top, inner_low, outer_top, outer_low)
        )
        patch = self._lips(lip_top, low, lip_low, top)
        gap = self.unit * (drop + lift)
        if gap > 0.8:
            bared = max(u["10"], u["20"] * 0.8, float(units[INDEX["L12"]] + units[INDEX["R12"]]) / 2)
            self._inside(patch, top, low, gap, bared)
        seam = (self.identity.lips[0] * 0.42, self.identity.lips[1] * 0.30, self.identity.lips[2] * 0.30)
        thick = max(1, round(self.unit * 0.0075))
        cv2.polylines(patch, [fixed_point(top)], False, seam, thick, cv2.LINE_AA, 4)
        canvas[self.box] = patch

    def _lips(self, lip_top: NDArray, low: NDArray, lip_low: NDArray, top: NDArray) -> Image:
        lower = np.zeros(self.rest.shape[:2], np.uint8)
        both = lower.copy()
        cv2.fillPoly(both, [fixed_point(np.concatenate([lip_top, lip_low[::-1]]))], 255, cv2.LINE_AA, 4)
        cv2.fillPoly(lower, [fixed_point(np.concatenate([low, lip_low[::-1]]))], 255, cv2.LINE_8, 4)
        red = self.upper_red.copy()
        cv2.copyTo(self.lower_red, lower, red)
        shine = (low + 0.45 * (lip_low - low))[9:16]
        tone = [min(255.0, c * 1.16 + 14) for c in self.identity.lips]
        cv2.polylines(red, [fixed_point(shine)], False, tone, max(1, round(self.unit * 0.008)), cv2.LINE_AA, 4)
        weight = cv2.blur(both, (3, 3)).astype(np.float32) * np.float32(0.92 / 255)
        return np.asarray(cv2.blendLinear(red, self.rest, weight, 1 - weight), np.uint8)

    def _inside(self, patch: Image, top: NDArray, low: NDArray, gap: float, bared: float) -> None:
        hole = fixed_point(np.concatenate([top, low[::-1]]))
        cv2.fillPoly(patch, [hole], _DARK, cv2.LINE_AA, 4)
        opening = low - top
        if gap > 0.05 * self.unit:
            tongue = np.concatenate([(top + 0.72 * opening)[6:19], (low - 0.04 * opening)[6:19][::-1]])
            cv2.fillPoly(patch, [fixed_point(tongue)], _TONGUE, cv2.LINE_AA, 4)
        reach = min((0.007 + 0.017 * bared) * self.unit, 0.75 * gap) / gap
        teeth = np.concatenate([top[3:22], (top + reach * opening)[3:22][::-1]])
        cv2.fillPoly(patch, [fixed_point(teeth)], _TEETH, cv2.LINE_AA, 4)
