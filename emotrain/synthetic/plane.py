"""The plane a face is painted on: crop fractions, pixel grids, soft spots and smooth noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MARGIN = 0.2
"""The painted plane reaches this far (in crop fractions) past every edge of the crop, so that the head can move."""

MIDDLE = 0.5


@dataclass(frozen=True, slots=True)
class Plane:
    """A square grid of `pixels` x `pixels` that covers `low`..`high` crop fractions in both directions."""

    pixels: int
    low: float
    high: float

    @property
    def per_unit(self) -> float:
        """Pixels per crop width."""
        return self.pixels / (self.high - self.low)

    def grid(self) -> tuple[Floats, Floats]:
        """Crop fractions x and y of every pixel centre, each (pixels, pixels) float32."""
        ticks = self.low + (np.arange(self.pixels, dtype=np.float32) + 0.5) / np.float32(self.per_unit)
        x, y = np.meshgrid(ticks, ticks)
        return x, y

    def points(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Pixel positions of crop fractions (..., 2)."""
        return (np.asarray(xy, np.float64) - self.low) * self.per_unit - 0.5


def with_margin(per_crop: int, margin: float = MARGIN) -> Plane:
    """The plane with `margin` crop fractions on every side, at `per_crop` pixels per crop width."""
    return Plane(round(per_crop * (1 + 2 * margin)), -margin, 1 + margin)


def spot(x: Floats, y: Floats, at: tuple[float, float], spread: tuple[float, float]) -> Floats:
    """A Gaussian of height 1 at `at` with standard deviations `spread`, all in crop fractions."""
    return np.exp(-0.5 * (((x - at[0]) / spread[0]) ** 2 + ((y - at[1]) / spread[1]) ** 2)).astype(np.float32)


def pair(x: Floats, y: Floats, at: tuple[float, float], spread: tuple[float, float]) -> Floats:
    """Two mirrored spots, `at[0]` being the distance from the middle line."""
    return spot(np.abs(x - MIDDLE), y, at, spread)


def noise(rng: np.random.Generator, pixels: int, grain: tuple[float, float]) -> Floats:
    """Smooth noise of unit variance, (pixels, pixels); `grain` is its coarseness in pixels along x and y."""
    width, height = (max(4, int(np.ceil(pixels / max(g, 1.0))) + 2) for g in grain)
    coarse = rng.standard_normal((height, width), dtype=np.float32)
    field = cv2.resize(coarse, (pixels, pixels), interpolation=cv2.INTER_CUBIC)
    return (field - field.mean()) / (field.std() + 1e-6)


def step(value: Floats, edge: float) -> Floats:
    """0 below -edge/2, 1 above edge/2, a smooth step between."""
    t = np.clip(value / edge + 0.5, 0.0, 1.0)
    return t * t * (3 - 2 * t)


def fixed_point(points: NDArray[np.floating], bits: int = 4) -> NDArray[np.int32]:
    """Pixel positions as OpenCV's fixed-point integers with `bits` fractional bits."""
    return np.round(np.asarray(points) * (1 << bits)).astype(np.int32)
