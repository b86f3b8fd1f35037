"""Single rendered frames with their true action units, endless: what a vision tower learns to read faces from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from emotrain.synthetic.action_units import AUS, INDEX, PROTOTYPES, sample_units
from emotrain.synthetic.face import Face, Light, Pose
from emotrain.synthetic.identity import sample_identity
from emotrain.synthetic.performance import DISTURBANCE, Level
from emotrain.synthetic.sensor import Sensor

POOL, USES = 8, 48
"""Frames show one of so many people at a time; after so many frames one of them makes way for a new one."""


def render_training_frames(
    n: int, seed: int = 0, size: int = 128, level: Level = "hard"
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Yield `n` frames (size, size, 3) uint8 RGB with their units (19,) float32, a pure function of the arguments.

    Half of the frames show a class's prototype at any strength, a third random subsets of units, the rest a face at
    rest; one in eight has lids on their way down. No label is given.
    """
    rng = np.random.default_rng([seed, 77])
    sensor = Sensor(size, DISTURBANCE[level].noise, np.random.default_rng([seed, 78]))
    faces = [Face(sample_identity(rng), size) for _ in range(min(POOL, n))]
    for i in range(n):
        if i and i % USES == 0:
            faces[i // USES % len(faces)] = Face(sample_identity(rng), size)
        units = _units(rng)
        face = faces[rng.integers(len(faces))]
        yield sensor(face.render(units, _pose(level, rng), _light(level, rng))), units


def _units(rng: np.random.Generator) -> NDArray[np.float32]:
    draw = rng.random()
    labels = list(PROTOTYPES)
    if draw < 0.5:
        units = sample_units(labels[rng.integers(len(labels))], float(rng.uniform(0.15, 1.0)), rng)
    elif draw < 0.85:
        units = ((rng.random(len(AUS)) < 0.2) * rng.uniform(0.1, 1.0, len(AUS))).astype(np.float32)
    else:
        units = np.zeros(len(AUS), np.float32)
    units[INDEX["45"]] = rng.uniform(0.2, 1.0) if rng.random() < 0.125 else 0.0
    return units


def _pose(level: Level, rng: np.random.Generator) -> Pose:
    d = DISTURBANCE[level]
    dx, dy, roll, scale, yaw = rng.normal(0, 1, 5) * (d.shift, d.shift, d.roll, d.scale, d.yaw)
    gaze = rng.uniform(-1, 1, 2) * (0.012, 0.004)
    return Pose(float(dx), float(dy), float(roll), 1 + float(scale), float(yaw), float(gaze[0]), float(gaze[1]))


def _light(level: Level, rng: np.random.Generator) -> Light:
    d = DISTURBANCE[level]
    return Light(1 + d.gain * float(rng.normal()), *(d.slope * float(v) for v in rng.uniform(-1.3, 1.3, 2)))
