"""Films of rendered faces whose movements are known, as grey frames and times."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from emotrain.synthetic.action_units import AUS, INDEX
from emotrain.synthetic.face import Face, Pose
from emotrain.synthetic.identity import sample_identity

SIZE = 128


@lru_cache(maxsize=4)
def somebody(seed: int, size: int = SIZE) -> Face:
    """One of any number of people."""
    return Face(sample_identity(np.random.default_rng(seed)), size)


def burst(times_s: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    """0..1 over time: a smooth rise and fall between the two times."""
    return np.sin(np.pi * np.clip((times_s - start_s) / (end_s - start_s), 0, 1)) ** 2


def film(face: Face, units: dict[str, np.ndarray], times_s: np.ndarray, noise: float = 1.5) -> np.ndarray:
    """(T, S, S) uint8 frames of a face that sways a little and shows `units`, each (T,) intensities."""
    rng = np.random.default_rng(0)
    frames = []
    for t, time_s in enumerate(times_s.tolist()):
        intensities = np.zeros(len(AUS), np.float32)
        for name, course in units.items():
            intensities[INDEX[name]] = course[t]
        wave = np.sin(2 * np.pi * time_s / 1.7)
        pose = Pose(0.01 * wave, 0.008 * np.sin(3 * time_s), 1.5 * wave, 1 + 0.01 * wave)
        grey = cv2.cvtColor(face.render(intensities, pose), cv2.COLOR_RGB2GRAY)
        frames.append(np.clip(grey + rng.normal(0, noise, grey.shape), 0, 255).astype(np.uint8))
    return np.stack(frames)
