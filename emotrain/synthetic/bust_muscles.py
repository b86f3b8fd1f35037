"""The muscles of the held-back style: landmarks moved by hand-set offsets, and the skin splined between them.

Nothing here is taken from `muscles`: offsets follow the descriptions of the FACS manual (Ekman, Friesen & Hager 2002)
landmark by landmark, a thin-plate spline carries them over the skin, and what it compresses folds.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from emotrain.synthetic.action_units import AUS
from emotrain.synthetic.look import FIELD
from emotrain.synthetic.muscles import MOVES
from emotrain.synthetic.plane import MIDDLE, Floats

# Landmarks on one side, or on the midline where the first number is 0: distance from the middle and y, crop fractions.
_AT: dict[str, tuple[float, float]] = {
    "brow in": (0.072, 0.330),
    "brow mid": (0.155, 0.305),
    "brow out": (0.248, 0.330),
    "forehead in": (0.075, 0.205),
    "forehead out": (0.225, 0.215),
    "glabella": (0.0, 0.345),
    "hairline": (0.0, 0.09),
    "hairline side": (0.24, 0.11),
    "temple": (0.365, 0.36),
    "canthus in": (0.105, 0.427),
    "canthus out": (0.232, 0.422),
    "lid up": (0.165, 0.388),
    "lid low": (0.165, 0.452),
    "bag": (0.165, 0.492),
    "cheek": (0.215, 0.565),
    "cheek in": (0.125, 0.560),
    "ear": (0.40, 0.50),
    "bridge": (0.0, 0.455),
    "bridge side": (0.045, 0.50),
    "tip": (0.0, 0.595),
    "wing": (0.062, 0.608),
    "philtrum": (0.0, 0.668),
    "fold": (0.130, 0.672),
    "lip up": (0.0, 0.728),
    "lip up side": (0.068, 0.735),
    "corner": (0.138, 0.757),
    "lip low": (0.0, 0.792),
    "lip low side": (0.066, 0.784),
    "under corner": (0.145, 0.825),
    "boss": (0.0, 0.868),
    "boss side": (0.085, 0.868),
    "chin": (0.0, 0.945),
    "jaw": (0.235, 0.835),
    "jaw up": (0.350, 0.660),
    "mid cheek": (0.245, 0.700),
}

# Unit: landmark -> (outward, down), crop fractions at full intensity.
_OFFSETS: dict[str, dict[str, tuple[float, float]]] = {
    "1": {"brow in": (-0.004, -0.047), "brow mid": (0.0, -0.020), "forehead in": (0.0, -0.022),
          "glabella": (0.0, -0.018)},
    "2": {"brow out": (0.003, -0.045), "brow mid": (0.0, -0.027), "forehead out": (0.0, -0.022)},
    "4": {"brow in": (-0.022, 0.006), "brow mid": (-0.012, 0.0), "glabella": (0.0, 0.004)},
    "4 lower": {"brow in": (0.0, 0.032), "brow mid": (0.0, 0.020), "glabella": (0.0, 0.024),
                "forehead in": (0.0, 0.010)},
    "5": {"lid up": (0.0, -0.012)},
    "6": {"cheek": (0.004, -0.030), "bag": (0.0, -0.016), "cheek in": (0.0, -0.016), "canthus out": (-0.006, 0.002)},
    "7": {"lid low": (0.0, -0.013), "lid up": (0.0, 0.005), "canthus out": (-0.003, 0.0)},
    "9": {"wing": (0.006, -0.026), "bridge side": (0.0, -0.020), "glabella": (0.0, 0.022), "brow in": (-0.008, 0.024),
          "lip up": (0.0, -0.010), "lip up side": (0.0, -0.015), "fold": (0.0, -0.018), "tip": (0.0, -0.008)},
    "10": {"lip up": (0.0, -0.017), "lip up side": (0.0, -0.028), "fold": (0.008, -0.022), "philtrum": (0.0, -0.010),
           "wing": (0.004, -0.006)},
    "12": {"corner": (0.036, -0.046), "fold": (0.018, -0.028), "cheek": (0.006, -0.018), "lip up side": (0.016, -0.018),
           "lip low side": (0.016, -0.020), "mid cheek": (0.016, -0.016), "under corner": (0.016, -0.020)},
    "14": {"corner": (0.026, -0.006), "mid cheek": (-0.012, 0.0), "lip up side": (0.010, 0.0),
           "lip low side": (0.010, 0.0)},
    "15": {"corner": (0.006, 0.042), "under corner": (0.004, 0.022), "lip up side": (0.0, 0.014),
           "lip low side": (0.0, 0.016)},
    "17": {"boss": (0.0, -0.030), "boss side": (0.0, -0.022), "lip low": (0.0, -0.020), "lip low side": (0.0, -0.013),
           "lip up": (0.0, -0.006)},
    "20": {"corner": (0.048, 0.014), "under corner": (0.030, 0.010), "lip up side": (0.024, 0.004),
           "lip low side": (0.024, 0.008), "mid cheek": (0.016, 0.006)},
    "23": {"corner": (-0.020, 0.0), "lip up": (0.0, 0.007), "lip low": (0.0, -0.009), "lip up side": (-0.012, 0.004),
           "lip low side": (-0.012, -0.005)},
    "25": {"lip low": (0.0, 0.006), "lip up": (0.0, -0.004)},
    "26": {"chin": (0.0, 0.058), "boss": (0.0, 0.052), "boss side": (0.0, 0.050), "jaw": (0.0, 0.026),
           "under corner": (-0.004, 0.030), "mid cheek": (-0.004, 0.010)},
    "45": {"lid up": (0.0, 0.012), "bag": (0.0, -0.003)},
}  # fmt: skip


@lru_cache(maxsize=1)
def bust_fields() -> Floats:
    """Displacement of every move, (20, F, F, 2) crop fractions on FIELD, in the order of `muscles.MOVES`."""
    points = np.array([(MIDDLE + side * x, y) for x, y in _AT.values() for side in _sides(x)])
    rim = np.linspace(-0.2, 1.2, 8)
    still = np.array(
        [*((-0.2, v) for v in rim), *((1.2, v) for v in rim), *((v, -0.2) for v in rim), *((v, 1.25) for v in rim)]
    )
    x, y = FIELD.grid()
    spline = _Spline(np.concatenate([points, still]), np.stack([x, y], -1).reshape(-1, 2).astype(np.float64))
    return np.stack([spline(_offsets(move)) for move in MOVES]).reshape(-1, *x.shape, 2).astype(np.float32)


def bust_folds(fields: Floats, pixels: int, depth: float) -> Floats:
    """Shading to add, (19, pixels, pixels): dark where a unit compresses the skin, bright where it stretches it."""
    maps = []
    for field in fields[: len(AUS)]:
        squeeze = -(np.gradient(field[..., 0], axis=1) + np.gradient(field[..., 1], axis=0)) * FIELD.per_unit
        fine = cv2.resize(cv2.GaussianBlur(squeeze, (0, 0), 1.2), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        crop = FIELD.points(np.array([0.0, 1.0])) * 2
        low, high = round(float(crop[0])), round(float(crop[1]))
        maps.append(cv2.resize(np.clip(fine[low:high, low:high], -0.4, 1.2), (pixels, pixels)) * -depth)
    return np.asarray(maps, np.float32)


def _sides(x: float) -> tuple[float, ...]:
    return (1.0,) if x == 0 else (1.0, -1.0)


def _offsets(move: str) -> np.ndarray:
    """(points, 2) of one move, the fixed rim left out: L and R act on the subject's own side alone, at larger x."""
    acting = {"L": (1.0,), "R": (-1.0,)}.get(move[0], (1.0, -1.0))
    offsets = _OFFSETS[move.lstrip("LR")]
    rows = []
    for name, (x, _) in _AT.items():
        outward, down = offsets.get(name, (0.0, 0.0))
        rows += [(side * outward, down) if side in acting or x == 0 else (0.0, 0.0) for side in _sides(x)]
    return np.array(rows)


class _Spline:
    """Thin-plate interpolation (Duchon 1977) from points to places, smoothed a little."""

    def __init__(self, points: np.ndarray, places: np.ndarray, smooth: float = 2e-4) -> None:
        n = len(points)
        self.count = n
        plane = np.concatenate([np.ones((n, 1)), points], axis=1)
        system = np.block([[_kernel(points, points) + smooth * np.eye(n), plane], [plane.T, np.zeros((3, 3))]])
        reach = np.concatenate([_kernel(places, points), np.ones((len(places), 1)), places], axis=1)
        self.matrix = np.linalg.solve(system.T, reach.T).T

    def __call__(self, offsets: np.ndarray) -> np.ndarray:
        values = np.zeros((self.count + 3, 2))
        values[: len(offsets)] = offsets
        return np.asarray(self.matrix @ values)


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squared = ((a[:, None] - b[None]) ** 2).sum(-1)
    return 0.5 * squared * np.log(np.maximum(squared, 1e-12))
