"""Measure the action-unit templates of the motion summariser on rendered faces and write the table that ships.

    make action-units        (python -m emotrain.motion.action_unit_fit --people 60 --looks 40 --seed 7000)

Every person shows random mixtures of units with random pose, gaze, light and noise. A linear model of the tracks gives
each unit's response; what it leaves over (people differ, heads turn, units interact) gives the covariance.
"""

from __future__ import annotations

import argparse
import json

import cv2
import numpy as np

from emotrain.atomic_files import write_text
from emotrain.motion.action_units import FEATURES, TEMPLATES, features
from emotrain.motion.face_motion import face_motion
from emotrain.progress import track
from emotrain.synthetic.action_units import AUS
from emotrain.synthetic.face import Face, Light, Pose
from emotrain.synthetic.identity import sample_identity

STEPS = 4


def look(rng: np.random.Generator) -> np.ndarray:
    """Random intensities (19,): one to five units, drawn without regard to any class."""
    units = np.zeros(len(AUS), np.float32)
    chosen = rng.choice(len(AUS), size=rng.integers(0, 6), replace=False)
    units[chosen] = rng.uniform(0.2, 1.0, len(chosen))
    for side in ("12", "14"):
        if rng.random() < 0.6:
            units[AUS.index(f"R{side}")] = units[AUS.index(f"L{side}")] = units[AUS.index(f"L{side}")]
    return units


def shown(face: Face, units: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The tracks (F,) after the face went from rest to `units` with a little of everything else."""
    dx, dy, roll, scale, yaw, gaze_x, gaze_y, gain, slope_x, slope_y = rng.normal(size=10) * (
        0.008, 0.008, 1.0, 0.008, 0.008, 0.003, 0.002, 0.02, 0.02, 0.02
    )  # fmt: skip
    frames = []
    for share in (0.0, *np.linspace(0, 1, STEPS + 1)[1:], 1.0):
        pose = Pose(
            dx * share, dy * share, roll * share, 1 + scale * share, yaw * share, gaze_x * share, gaze_y * share
        )
        light = Light(1 + gain * share, slope_x * share, slope_y * share)
        grey = cv2.cvtColor(face.render(units * np.float32(share), pose, light), cv2.COLOR_RGB2GRAY)
        frames.append(np.clip(grey + rng.normal(0, 1.2, grey.shape), 0, 255).astype(np.uint8))
    tracks = features(face_motion(np.stack(frames), np.arange(len(frames)) / 30), relative_to=0)
    return tracks[-2:].mean(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--looks", type=int, default=40, help="mixtures of units a person")
    parser.add_argument("--seed", type=int, default=7000)
    arguments = parser.parse_args()
    cv2.setNumThreads(0)
    given, seen = [], []
    with track("looks", arguments.people) as advance:
        for person in range(arguments.people):
            rng = np.random.default_rng([arguments.seed, person])
            face = Face(sample_identity(rng), 128)
            for _ in range(arguments.looks):
                units = look(rng)
                given.append(units)
                seen.append(shown(face, units, rng))
            advance(1)
    x, y = np.array(given, np.float64), np.array(seen, np.float64)
    response = np.linalg.solve(x.T @ x + 0.5 * np.eye(len(AUS)), x.T @ y)
    covariance = np.cov(y - x @ response, rowvar=False)
    rows = [f"  {json.dumps(unit)}: {_numbers(row)}" for unit, row in zip(AUS, response)]
    quiet = np.cov(y[x.max(1) == 0], rowvar=False)
    text = '{"features": ' + json.dumps(FEATURES) + ',\n"response": {\n' + ",\n".join(rows)
    text += '\n},\n"covariance": [\n' + _lower(covariance) + '\n],\n"quiet": [\n' + _lower(quiet) + "\n]}\n"
    write_text(text, TEMPLATES)
    print(f"{len(x)} looks; wrote {TEMPLATES}")


def _lower(matrix: np.ndarray) -> str:
    return ",\n".join(f"  {_numbers(matrix[i, : i + 1])}" for i in range(len(matrix)))


def _numbers(values: np.ndarray) -> str:
    return json.dumps([float(f"{value:.3g}") for value in values], separators=(",", ":"))


if __name__ == "__main__":
    main()
