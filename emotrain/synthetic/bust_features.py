"""Eyes and mouth of the held-back style: a ball behind two lids, and lips as a ring that opens."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP
from emotrain.synthetic.action_units import INDEX
from emotrain.synthetic.identity import Identity
from emotrain.synthetic.look import Image
from emotrain.synthetic.plane import MIDDLE, Plane

_BITS = 4
_ANGLES = np.linspace(0, np.pi, 21)


class BustEyes:
    """Eyeballs with lids of skin that close over them; the upper lid throws a shadow, and there are no drawn lashes."""

    def __init__(self, plane: Plane, identity: Identity, painted: Image, rng: np.random.Generator) -> None:
        self.plane, self.identity = plane, identity
        self.half = 0.064 * float(rng.uniform(0.88, 1.14))
        self.open_up, self.open_low = 0.027 * float(rng.uniform(0.8, 1.25)), 0.019 * float(rng.uniform(0.85, 1.2))
        self.cant = float(rng.uniform(-0.004, 0.010))
        self.iris = 0.026 * float(rng.uniform(0.92, 1.1))
        self.places = []
        for side in (-1.0, 1.0):
            at = np.array([MIDDLE + side * (ALIGNED_CROP.left_eye[0] - MIDDLE), ALIGNED_CROP.left_eye[1]])
            low, high = (np.round(plane.points(at + np.multiply(sign, (0.088, 0.056)))).astype(int) for sign in (-1, 1))
            box = (slice(low[1], high[1]), slice(low[0], high[0]))
            self.places.append((side, box, painted[box].copy(), plane.points(at) - low))

    def draw(self, canvas: Image, units: NDArray[np.floating], gaze: tuple[float, float]) -> None:
        """Redraw both eyes; `gaze` shifts the irises in crop fractions."""
        u5, u6, u7, shut = (float(units[INDEX[name]]) for name in ("5", "6", "7", "45"))
        low = self.open_low * (1 - 0.65 * min(1.0, u7 + 0.6 * u6))
        up = self.open_up * (1 + 0.55 * u5 - 0.22 * u7)
        up = up * (1 - shut) - 0.85 * low * shut
        unit = self.plane.per_unit
        for side, box, rest, centre in self.places:
            patch = rest.copy()
            x = self.half * np.cos(_ANGLES) * side
            tilt = -self.cant * np.cos(_ANGLES)
            upper = np.stack([x, tilt - up * np.sin(_ANGLES) ** 0.8], 1) * unit + centre
            lower = np.stack([x, tilt + low * np.sin(_ANGLES) ** 1.2], 1) * unit + centre
            lower[:, 1] = np.maximum(lower[:, 1], upper[:, 1])
            if shut < 0.93:
                self._ball(patch, upper, lower, centre, gaze)
            crease = upper[3:-3] - [0, (0.016 - 0.008 * u5 + 0.008 * shut) * unit]
            skin = [float(c) * 0.62 for c in self.identity.skin]
            cv2.polylines(patch, [_fixed(crease)], False, skin, 1, cv2.LINE_AA, _BITS)
            dark = [float(c) * 0.32 for c in self.identity.skin]
            cv2.polylines(patch, [_fixed(upper)], False, dark, max(1, round(0.006 * unit)), cv2.LINE_AA, _BITS)
            cv2.polylines(patch, [_fixed(lower)], False, skin, 1, cv2.LINE_AA, _BITS)
            canvas[box] = patch

    def _ball(self, patch: Image, upper: NDArray, lower: NDArray, centre: NDArray, gaze: tuple[float, float]) -> None:
        unit = self.plane.per_unit
        ball = np.full(patch.shape, (226, 220, 214), np.uint8)
        at = centre + np.array(gaze) * unit - [0, 0.003 * unit]

        def disc(offset: tuple[float, float], radius: float, colour: tuple[float, ...]) -> None:
            middle = _fixed(at + np.array(offset) * unit)
            cv2.circle(
                ball, [int(v) for v in middle], round(radius * unit * (1 << _BITS)), colour, -1, cv2.LINE_AA, _BITS
            )

        rim = tuple(c * 0.45 for c in self.identity.iris)
        disc((0, 0), self.iris, rim)
        disc((0, 0.001), self.iris * 0.82, self.identity.iris)
        disc((0, 0), self.iris * 0.40, (10.0, 9.0, 9.0))
        disc((-0.010, -0.008), self.iris * 0.20, (245.0, 245.0, 245.0))
        shadow = np.clip((np.arange(len(ball)) - upper[:, 1].min()) / (0.022 * unit), 0.45, 1)[:, None, None]
        ball = (ball * shadow).astype(np.uint8)
        hole = np.zeros(patch.shape[:2], np.uint8)
        cv2.fillPoly(hole, [_fixed(np.concatenate([upper, lower[::-1]]))], 255, cv2.LINE_AA, _BITS)
        weight = hole.astype(np.float32) / np.float32(255)
        patch[:] = cv2.blendLinear(ball, patch, weight, 1 - weight)


class BustMouth:
    """Lips as two bows that part; jaw drop, tightening and a raised chin change the bows, the skin does the rest."""

    def __init__(self, plane: Plane, identity: Identity, painted: Image, rng: np.random.Generator) -> None:
        self.plane, self.identity = plane, identity
        at = np.array(ALIGNED_CROP.mouth)
        low = np.round(plane.points(at - np.array([0.19, 0.075]))).astype(int)
        high = np.round(plane.points(at + np.array([0.19, 0.150]))).astype(int)
        self.box = (slice(low[1], high[1]), slice(low[0], high[0]))
        self.rest, self.centre = painted[self.box].copy(), plane.points(at) - low
        self.half = 0.128 * float(rng.uniform(0.86, 1.12))
        self.upper, self.lower = 0.022 * float(rng.uniform(0.6, 1.5)), 0.029 * float(rng.uniform(0.65, 1.45))
        self.sag = float(rng.uniform(-0.006, 0.006))
        self.colours = [[float(c) * share for c in identity.lips] for share in (0.82, 1.0, 0.40)]

    def draw(self, canvas: Image, units: NDArray[np.floating]) -> None:
        """Redraw the mouth."""
        u = {name: float(units[INDEX[name]]) for name in ("10", "15", "17", "20", "23", "25", "26")}
        unit, t = self.plane.per_unit, np.linspace(-1, 1, 27)
        arch = np.clip(1 - np.abs(t) ** 2.6, 0, 1)
        part = 0.021 * u["25"] + 0.066 * u["26"]
        thin = 1 - 0.55 * u["23"] - 0.15 * u["17"]
        middle = self.sag * (1 - t**2) - 0.010 * u["17"] * (1 - t**2)
        top = middle - (0.18 * part + 0.006 * u["10"]) * arch
        low = middle + 0.82 * part * arch
        bow = np.clip(1 - np.abs(t) ** 1.4, 0, 1) * (1 - 0.28 * np.exp(-((t / 0.13) ** 2)))
        half = self.half * (1 - 0.20 * u["26"])

        def curve(y: NDArray) -> NDArray:
            return np.stack([t * half, y], 1) * unit + self.centre

        patch = self.rest.copy()
        soft = patch.copy()
        above, below = curve(top - self.upper * thin * bow), curve(low + self.lower * thin * np.sqrt(arch))
        cv2.fillPoly(soft, [_fixed(np.concatenate([above, curve(top)[::-1]]))], self.colours[0], cv2.LINE_AA, _BITS)
        cv2.fillPoly(soft, [_fixed(np.concatenate([curve(low), below[::-1]]))], self.colours[1], cv2.LINE_AA, _BITS)
        patch = cv2.addWeighted(cv2.GaussianBlur(soft, (3, 3), 0), 0.9, patch, 0.1, 0)
        if part * unit > 0.8:
            hole = np.concatenate([curve(top), curve(low)[::-1]])
            cv2.fillPoly(patch, [_fixed(hole)], (40.0, 14.0, 16.0), cv2.LINE_AA, _BITS)
            reach = min(0.5, 0.016 / max(part, 1e-6)) * (0.4 + 0.6 * max(u["10"], u["20"], u["25"]))
            teeth = np.concatenate([curve(top)[4:-4], curve(top + reach * (low - top))[4:-4][::-1]])
            cv2.fillPoly(patch, [_fixed(teeth)], (214.0, 208.0, 192.0), cv2.LINE_AA, _BITS)
        cv2.polylines(
            patch, [_fixed(curve(top))], False, self.colours[2], max(1, round(0.006 * unit)), cv2.LINE_AA, _BITS
        )
        canvas[self.box] = patch


def _fixed(points: NDArray) -> NDArray[np.int32]:
    return np.round(np.asarray(points) * (1 << _BITS)).astype(np.int32)
