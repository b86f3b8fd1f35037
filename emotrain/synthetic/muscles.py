"""What each action unit does to the skin: where it moves and where it folds.

Movements are smooth displacement fields, made of Gaussian spots; folds are multiplicative shading maps (wrinkles, the
nasolabial fold, a raised cheek). Both are linear in the intensities, so a face is a weighted sum of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP
from emotrain.synthetic.action_units import AUS, INDEX
from emotrain.synthetic.identity import Identity
from emotrain.synthetic.plane import MIDDLE, Floats, Plane, noise, pair, spot, step

# Unit: (distance from the middle, y), (spread x, spread y), (outward, down), all in crop fractions.
_Push = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]

_PAIRED: dict[str, tuple[_Push, ...]] = {
    "1": (((0.085, 0.300), (0.060, 0.060), (-0.006, -0.060)), ((0.07, 0.20), (0.08, 0.06), (0.0, -0.018))),
    "2": (((0.225, 0.300), (0.060, 0.055), (0.004, -0.058)), ((0.21, 0.20), (0.09, 0.06), (0.0, -0.018))),
    "4": (((0.080, 0.305), (0.060, 0.055), (-0.026, 0.0)), ((0.18, 0.305), (0.06, 0.05), (-0.012, 0.0))),
    "4 lower": (((0.080, 0.325), (0.055, 0.050), (0.0, 0.050)), ((0.18, 0.32), (0.06, 0.045), (0.0, 0.022))),
    "5": (((0.165, 0.375), (0.060, 0.022), (0.0, -0.014)),),
    "6": (((0.200, 0.560), (0.085, 0.055), (0.0, -0.034)), ((0.175, 0.470), (0.06, 0.03), (0.0, -0.012))),
    "7": (((0.165, 0.462), (0.060, 0.024), (0.0, -0.016)), ((0.165, 0.385), (0.06, 0.02), (0.0, 0.006))),
    "9": (((0.045, 0.560), (0.045, 0.050), (0.004, -0.036)), ((0.07, 0.34), (0.05, 0.05), (-0.012, 0.030))),
    "10": (((0.065, 0.700), (0.055, 0.040), (0.0, -0.030)), ((0.12, 0.64), (0.05, 0.05), (0.004, -0.016))),
    "15": (((0.135, 0.775), (0.048, 0.050), (0.010, 0.060)),),
    "20": (((0.145, 0.765), (0.070, 0.055), (0.062, 0.024)),),
    "23": (((0.110, 0.755), (0.045, 0.030), (-0.024, 0.0)),),
    "45": (((0.165, 0.385), (0.060, 0.020), (0.0, 0.010)),),
}
_SMILE: tuple[_Push, ...] = (
    ((0.150, 0.745), (0.055, 0.055), (0.042, -0.062)),
    ((0.200, 0.620), (0.085, 0.065), (0.012, -0.026)),
)
_DIMPLE: tuple[_Push, ...] = (((0.150, 0.755), (0.045, 0.042), (0.032, -0.012)),)
_MIDLINE: dict[str, tuple[_Push, ...]] = {
    "9": (((0.0, 0.70), (0.07, 0.035), (0.0, -0.016)),),
    "10": (((0.0, 0.70), (0.06, 0.035), (0.0, -0.018)),),
    "17": (((0.0, 0.855), (0.085, 0.050), (0.0, -0.034)), ((0.0, 0.775), (0.055, 0.035), (0.0, -0.026))),
    "26": (((0.0, 0.955), (0.26, 0.095), (0.0, 0.070)),),
}
_BROW_REACH = {"1": (0.265, 0.395), "2": (0.265, 0.395), "4": (0.345, 0.405), "4 lower": (0.355, 0.405)}
"""Between these heights the movement of a brow fades; a rise is spread wide, or it would tear the lids open."""


MOVES: tuple[str, ...] = (*AUS, "4 lower")
"""The displacement fields. Unit 4 has two: it draws the brows together and, unless unit 1 resists, lowers them."""


def move_weights(units: NDArray[np.floating]) -> Floats:
    """Weights (..., 20) of the displacement fields: the units (..., 19), and 4 lower, which 1 cancels."""
    # 1+4 is not additive: the inner brows go up together with being drawn together.
    lower = units[..., INDEX["4"]] * (1 - np.minimum(1.0, 1.4 * units[..., INDEX["1"]].astype(np.float64)))
    return np.concatenate([units, lower[..., None]], axis=-1).astype(np.float32)


def displacements(x: Floats, y: Floats) -> Floats:
    """How far the skin seen at (x, y) has come at full intensity: (20, *shape, 2) float32 in crop fractions."""
    fields = np.zeros((len(MOVES), *x.shape, 2), np.float32)
    for i, name in enumerate(MOVES):
        for side in _sides(name):
            for at, spread, push in _pushes(name):
                weight = spot(side * (x - MIDDLE), y, at, spread)
                fields[i, ..., 0] += weight * side * push[0]
                fields[i, ..., 1] += weight * push[1]
        for at, spread, push in _MIDLINE.get(name, ()):
            fields[i, ..., 1] += spot(x, y, (MIDDLE + at[0], at[1]), spread) * push[1]
        if name in _BROW_REACH:
            # Brows slide over the eyeball; next to nothing of their movement reaches the lids.
            low, high = _BROW_REACH[name]
            fields[i] *= (1 - 0.95 * step(y - (low + high) / 2, high - low))[..., None]
    return fields


def peak_motion(units: NDArray[np.floating]) -> float:
    """Largest movement of the skin at these intensities, in percent of the inter-ocular distance."""
    moved = np.tensordot(move_weights(units), _coarse_displacements(), axes=1)
    return float(100 * np.hypot(moved[..., 0], moved[..., 1]).max() / ALIGNED_CROP.inter_ocular)


@lru_cache(maxsize=1)
def _coarse_displacements() -> Floats:
    return displacements(*Plane(64, 0.0, 1.0).grid())


def _sides(name: str) -> tuple[float, ...]:
    # The subject's own left lies at larger x.
    return (1.0,) if name.startswith("L") else (-1.0,) if name.startswith("R") else (1.0, -1.0)


def _pushes(name: str) -> tuple[_Push, ...]:
    if name in ("L12", "R12"):
        return _SMILE
    return _DIMPLE if name in ("L14", "R14") else _PAIRED.get(name, ())


_Line = tuple[Sequence[tuple[float, float]], float, float]
"""Points (distance from the middle, y), depth of the shade, half width in crop fractions."""

_NASOLABIAL: Sequence[tuple[float, float]] = ((0.062, 0.595), (0.105, 0.625), (0.150, 0.675), (0.180, 0.730))
_FOLDS: dict[str, tuple[_Line, ...]] = {
    "1": tuple((((0.0, y), (0.06, y - 0.004), (0.12, y + 0.014)), 0.26, 0.006) for y in (0.165, 0.205, 0.245)),
    "2": tuple((((0.12, y + 0.02), (0.20, y - 0.012), (0.29, y + 0.022)), 0.26, 0.006) for y in (0.165, 0.205, 0.245)),
    "4": (
        (((0.022, 0.255), (0.018, 0.30), (0.026, 0.350)), 0.50, 0.0065),
        (((0.045, 0.275), (0.040, 0.33)), 0.25, 0.006),
        (((0.030, 0.365), (0.075, 0.385)), 0.28, 0.010),
    ),
    "6": (
        (((0.245, 0.428), (0.285, 0.412)), 0.35, 0.005),
        (((0.245, 0.442), (0.290, 0.448)), 0.35, 0.005),
        (((0.242, 0.456), (0.280, 0.480)), 0.30, 0.005),
        (((0.085, 0.475), (0.16, 0.502), (0.235, 0.482)), 0.30, 0.007),
    ),
    "7": ((((0.095, 0.462), (0.165, 0.482), (0.235, 0.462)), 0.28, 0.006),),
    "9": (
        (((0.0, 0.405), (0.04, 0.400)), 0.42, 0.006),
        (((0.0, 0.435), (0.045, 0.428)), 0.42, 0.006),
        (((0.02, 0.475), (0.06, 0.452)), 0.40, 0.006),
        (((0.03, 0.51), (0.075, 0.482)), 0.32, 0.006),
        (((0.060, 0.575), (0.095, 0.60), (0.125, 0.655)), 0.42, 0.010),
    ),
    "10": ((_NASOLABIAL[:3], 0.45, 0.011),),
    "12": ((_NASOLABIAL, 0.48, 0.011), (((0.190, 0.715), (0.200, 0.765)), 0.25, 0.010)),
    "14": ((((0.158, 0.722), (0.176, 0.755), (0.160, 0.792)), 0.60, 0.010),),
    "15": ((((0.138, 0.775), (0.152, 0.815), (0.150, 0.855)), 0.48, 0.009),),
    "17": ((((0.0, 0.832), (0.05, 0.838), (0.085, 0.862)), 0.42, 0.010),),
    "20": tuple((((d, 0.715), (d + 0.012, 0.755), (d, 0.80)), 0.24, 0.007) for d in (0.205, 0.235)),
    "23": tuple((((d, 0.700), (d * 1.05, 0.728)), 0.20, 0.005) for d in (0.03, 0.07)),
    "26": ((((0.175, 0.66), (0.205, 0.76), (0.19, 0.85)), 0.20, 0.014),),
}
_BULGES: dict[str, tuple[tuple[tuple[float, float], tuple[float, float], float], ...]] = {
    "4": (((0.075, 0.350), (0.05, 0.030), -0.16),),
    "6": (((0.200, 0.545), (0.060, 0.035), 0.12), ((0.17, 0.60), (0.08, 0.03), -0.05)),
    "12": (((0.195, 0.590), (0.055, 0.040), 0.12), ((0.125, 0.690), (0.03, 0.03), -0.05)),
    "15": (((0.150, 0.800), (0.035, 0.030), -0.12),),
    "20": (((0.0, 0.99), (0.14, 0.03), -0.10),),
    "26": (((0.215, 0.700), (0.035, 0.10), -0.12),),
}


def folds(plane: Plane, identity: Identity) -> Floats:
    """Shading added to 1 at full intensity: (19, pixels, pixels) float32; older faces fold deeper."""
    maps = _common_folds(plane) * np.float32(0.75 + 0.55 * identity.age)
    x, y = plane.grid()
    pits = noise(np.random.default_rng(identity.seed + 1), plane.pixels, (0.028 * plane.per_unit,) * 2)
    maps[AUS.index("17")] += (0.13 * pits - 0.03) * spot(x, y, (MIDDLE, 0.89), (0.055, 0.032))
    return maps


@lru_cache(maxsize=8)
def _common_folds(plane: Plane) -> Floats:
    x, y = plane.grid()
    maps = np.zeros((len(AUS), plane.pixels, plane.pixels), np.float32)
    for i, name in enumerate(AUS):
        key = name.lstrip("LR")
        for side in _sides(name):
            for points, shade, width in _FOLDS.get(key, ()):
                maps[i] -= shade * _stroke(plane, points, side, width)
            for at, spread, shade in _BULGES.get(key, ()):
                maps[i] += shade * spot(side * (x - MIDDLE), y, at, spread) * (0.5 if at[0] == 0.0 else 1.0)
    return maps


def _stroke(plane: Plane, points: Sequence[tuple[float, float]], side: float, width: float) -> Floats:
    """A soft fold: a dark line, tapering into a light rim below it."""
    fine = Plane(plane.pixels * 2, plane.low, plane.high)
    curve = _smooth(np.asarray(points, np.float64))
    at = fine.points(np.stack([MIDDLE + side * curve[:, 0], curve[:, 1]], axis=1))
    line = np.zeros((fine.pixels, fine.pixels), np.float32)
    radius = max(1, round(width * fine.per_unit))
    cv2.polylines(line, [np.round(at * 16).astype(np.int32)], False, 1.0, radius, cv2.LINE_8, 4)
    soft = cv2.GaussianBlur(line, (0, 0), max(width * fine.per_unit * 0.7, 0.8))
    soft /= max(float(soft.max()), 1e-6)
    shift = np.array([[1, 0, 0], [0, 1, 1.6 * width * fine.per_unit]], np.float32)
    rim = cv2.warpAffine(soft, shift, (fine.pixels, fine.pixels))
    small = cv2.resize(soft - 0.35 * rim, (plane.pixels, plane.pixels), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _smooth(points: np.ndarray) -> np.ndarray:
    """A curve through two or three or more points (piecewise parabolic, 24 samples)."""
    t = np.linspace(0, 1, len(points))
    at = np.linspace(0, 1, 24)
    degree = min(len(points) - 1, 3)
    return np.stack([np.polyval(np.polyfit(t, points[:, k], degree), at) for k in range(2)], axis=1)


def resting_lines(plane: Plane, identity: Identity) -> Floats:
    """Folds of the face at rest, shading to multiply: what age leaves of a life's expressions, (pixels, pixels)."""
    maps = folds(plane, identity)
    shares = {"1": 0.25, "4": 0.18, "6": 0.3, "7": 0.25, "10": 0.3, "L12": 0.15, "R12": 0.15, "15": 0.15, "17": 0.12}
    total = sum(maps[AUS.index(name)] * share for name, share in shares.items())
    x, y = plane.grid()
    bags = pair(x, y, (0.165, 0.485), (0.055, 0.012)) * 0.08
    return np.asarray(1.0 + (total - bags) * (0.15 + identity.age), np.float32)
