"""What is below the head: shoulders, chest and arms in the person's shirt, painted once and pasted under the head."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.synthetic.identity import Identity
from emotrain.synthetic.plane import MIDDLE, noise

Image = NDArray[np.uint8]

LEFT, RIGHT, TOP, BOTTOM = -0.75, 1.75, 0.98, 6.2
"""The part of the plane that a torso is painted on, in crop fractions of the head above it."""

# Half widths of the trunk with its arms at heights below the chin: neck, shoulders, elbows, hips, knees.
_HEIGHT = (0.98, 1.06, 1.12, 1.22, 1.34, 1.55, 2.10, 2.90, 3.60, 4.40, 6.20)
_HALF = (0.21, 0.25, 0.42, 0.70, 0.90, 0.97, 0.99, 0.96, 0.92, 0.62, 0.56)
_ARM = ((0.80, 1.62), (0.73, 2.30), (0.70, 3.40))
_WAIST = 3.5


def paint_torso(identity: Identity, per_unit: float, bottom: float = BOTTOM) -> Image:
    """(H, W, 4) uint8 RGBA, colour multiplied by alpha, of LEFT..RIGHT x TOP..`bottom` at `per_unit` pixels a crop."""
    width, height = round((RIGHT - LEFT) * per_unit), max(2, round((bottom - TOP) * per_unit))
    rng = np.random.default_rng([identity.seed, 5])
    rows = TOP + (np.arange(height) + 0.5) / per_unit
    x = LEFT + (np.arange(width, dtype=np.float32)[None] + 0.5) / np.float32(per_unit) - MIDDLE
    y = np.broadcast_to(rows[:, None], (height, width)).astype(np.float32)
    half = np.interp(rows, _HEIGHT, _HALF).astype(np.float32)[:, None]
    half = cv2.GaussianBlur(half, (1, 0), 0, sigmaY=0.05 * per_unit, borderType=cv2.BORDER_REPLICATE)
    alpha = np.clip((half - np.abs(x)) * per_unit / 1.5 + 0.5, 0, 1)

    colour = np.where(y[..., None] < _WAIST, _cloth(identity, rng, x, y), np.array(identity.hair) * 0.4 + 30)
    round_ = np.sqrt(np.clip(1 - (np.abs(x) / (half + 0.12)) ** 2, 0.05, 1))
    light = 0.55 + 0.5 * round_ + 0.10 * x * rng.choice([-1, 1])
    side = max(height, width)
    light += 0.05 * noise(rng, side, (0.10 * per_unit, 0.35 * per_unit))[:height, :width]
    light += 0.02 * noise(rng, side, (2.0, 2.0))[:height, :width]
    arm = np.interp(rows, [at for _, at in _ARM], [away for away, _ in _ARM])[:, None]
    crease = np.exp(-0.5 * ((np.abs(x) - arm) / 0.018) ** 2) * np.clip((y - 1.6) / 0.3, 0, 1) * (y < 3.6)
    under_chin = np.exp(-0.5 * ((y - 1.06) / 0.10) ** 2 - 0.5 * (x / 0.25) ** 2)
    colour = colour * (light * (1 - 0.45 * crease) * (1 - 0.35 * under_chin))[..., None]
    picture = np.dstack([colour * alpha[..., None], 255 * alpha])
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def _cloth(identity: Identity, rng: np.random.Generator, x: NDArray, y: NDArray) -> NDArray[np.float32]:
    """The shirt: plain, striped or checked, with a collar or a buttoned front now and then."""
    shirt = np.array(identity.shirt, np.float32)
    second = np.clip(shirt + rng.choice([-1, 1]) * rng.uniform(25, 90) + rng.normal(0, 25, 3), 5, 250)
    mix = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    pattern, period = rng.choice(["plain", "stripes", "hoops", "checks"]), float(rng.uniform(0.10, 0.28))
    if pattern in ("stripes", "checks"):
        mix = mix + (np.sin(2 * np.pi * x / period) > 0.2)
    if pattern in ("hoops", "checks"):
        mix = mix + (np.sin(2 * np.pi * y / period) > 0.2)
    cloth = shirt + (second - shirt) * (0.5 * mix)[..., None]
    if rng.random() < 0.5:
        open_front = np.abs(x) < 0.02 + 0.12 * np.clip(1.5 - y, 0, 0.4)
        cloth = np.where(open_front[..., None], second * 0.9 + 10, cloth)
    if rng.random() < 0.4:  # a jacket over it
        jacket = np.abs(x) > 0.05 + 0.22 * np.clip(2.4 - y, 0, 1.3) / 1.3
        cloth = np.where(jacket[..., None], np.clip(second * 0.6, 8, 255), cloth)
    return np.asarray(cloth, np.float32)
