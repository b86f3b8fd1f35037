"""How much disturbs a styled clip, in grades: head and camera, lamp, sensor, compression, and a mouth that talks.

`still` disturbs nothing but by sensor noise; `mixed` draws for every clip how much of everything there is; `hard` is a
head turned by up to 25 degrees and never at rest under a wandering lamp, noise of 5 grey levels and crf 26; `talking`
is `mixed` with a mouth that speaks, which is motion of the face and no event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from emotrain.synthetic.action_units import INDEX
from emotrain.synthetic.head_turn import MOST_DEGREES, HeadPose
from emotrain.synthetic.performance import FPS, Floats, Script, blinks, drift, expressed, glances
from emotrain.synthetic.portrait import Lamp

GradeName = Literal["still", "mixed", "hard", "talking"]
GRADES: tuple[GradeName, ...] = get_args(GradeName)

STRENGTHS = ((0.25, 0.75), (0.5, 1.0))
"""Intensities of micro- and macro-expressions in styled clips."""


@dataclass(frozen=True, slots=True)
class Grade:
    """Limits of what a clip draws. `amount` scales head, camera and lamp; angles are degrees, shifts crop fractions.

    `facing` is how far the head is turned throughout (yaw; pitch 0.6, roll 0.4 of it), `turning` the standard deviation
    of its motion (yaw; pitch 0.7, roll 0.6), `shift` that of its place and `shake` that of the hand that holds the
    camera. `lamp` is how far the lamp wanders, `gain` the exposure. `noise` in grey levels, `blur` in pixels.
    """

    amount: tuple[float, float]
    facing: float
    turning: float
    shift: float
    shake: float
    lamp: float
    gain: float
    noise: tuple[float, float]
    blur: tuple[float, float]
    crf: tuple[int, int]
    talking: float


_MIXED = Grade((0.0, 1.0), 15.0, 3.5, 0.010, 0.0012, 0.25, 0.05, (1.0, 4.0), (0.0, 0.6), (18, 24), 0.0)

GRADE: dict[GradeName, Grade] = {
    "still": Grade((0.0, 0.0), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, (1.5, 2.5), (0.0, 0.3), (18, 18), 0.0),
    "mixed": _MIXED,
    "hard": Grade((0.7, 1.0), 25.0, 5.0, 0.018, 0.0020, 0.45, 0.10, (5.0, 5.0), (0.0, 0.7), (26, 26), 0.0),
    "talking": Grade((0.0, 1.0), 15.0, 3.5, 0.010, 0.0012, 0.25, 0.05, (1.0, 4.0), (0.0, 0.6), (18, 24), 1.0),
}


@dataclass(frozen=True, slots=True)
class Filmed:
    """A played and filmed script: `units` (T, 19) and `time_s` (T,) float32, one pose and lamp a frame, and how the
    camera saw it: `noise` in grey levels, `blur` in pixels, `crf` of the compression."""

    units: Floats
    time_s: Floats
    poses: tuple[HeadPose, ...]
    lamps: tuple[Lamp, ...]
    noise: float
    blur: float
    crf: int


def film(script: Script, name: GradeName, rng: np.random.Generator) -> Filmed:
    """Play a script under the disturbances of a grade: a pure function of its arguments and the state of `rng`."""
    if name not in GRADE:
        raise ValueError(f"grade {name!r}: expected one of {', '.join(GRADES)}")
    grade, n = GRADE[name], script.n_frames
    time = np.asarray(np.arange(n) / FPS, np.float32)
    amount = float(rng.uniform(*grade.amount))
    tremor = 1 + 0.05 * drift(rng, n, 0.25) if script.kind == "macro" else np.ones(n)
    units = np.asarray(expressed(script, time, tremor), np.float32)
    if rng.random() < grade.talking:
        units = np.maximum(units, _talk(script, time, rng))
    restless = script.label == "anxiety" and script.kind == "macro"
    units[:, INDEX["45"]] = np.maximum(units[:, INDEX["45"]], blinks(script, time, restless, rng))
    gaze = glances(script, time, restless, rng) if name != "still" or restless else np.zeros((2, n))
    return Filmed(
        np.clip(units, 0, 1).astype(np.float32),
        time,
        _poses(grade, amount, gaze, rng),
        _lamps(grade, amount, n, rng),
        float(rng.uniform(*grade.noise)),
        float(rng.uniform(*grade.blur)),
        int(rng.integers(grade.crf[0], grade.crf[1] + 1)),
    )


def _poses(grade: Grade, amount: float, gaze: NDArray[np.float64], rng: np.random.Generator) -> tuple[HeadPose, ...]:
    n = gaze.shape[1]
    facing = rng.uniform(-1, 1, 3) * np.array([1.0, 0.6, 0.4]) * grade.facing * amount
    turning = np.array([1.0, 0.7, 0.6]) * grade.turning * amount
    angles = facing[:, None] + turning[:, None] * np.stack([drift(rng, n, 0.40) for _ in range(3)])
    yaw, pitch, roll = np.clip(angles, -MOST_DEGREES, MOST_DEGREES)
    place = (
        grade.shift * amount * (np.stack([drift(rng, n, 0.40) for _ in range(3)]) + 0.7 * rng.uniform(-1, 1, (3, 1)))
    )
    hand = grade.shake * amount * np.stack([drift(rng, n, 0.05) for _ in range(2)])
    distance = float(np.exp(rng.uniform(np.log(2.2), np.log(8))))
    return tuple(
        HeadPose(
            float(place[0, i] + hand[0, i]),
            float(place[1, i] + hand[1, i]),
            1 + float(place[2, i]),
            float(yaw[i]),
            float(pitch[i]),
            float(roll[i]),
            float(gaze[0, i]),
            float(gaze[1, i]),
            distance,
        )
        for i in range(n)
    )


def _lamps(grade: Grade, amount: float, n: int, rng: np.random.Generator) -> tuple[Lamp, ...]:
    """A lamp anywhere before the face, which wanders."""
    azimuth, height = rng.uniform(-80, 80), rng.uniform(-70, 35)
    wander = np.rad2deg(grade.lamp * amount) * np.stack([drift(rng, n, 0.8) for _ in range(2)])
    across, down = np.deg2rad(np.clip([azimuth + wander[0], height + wander[1]], -85, 85))
    gain = float(rng.uniform(0.75, 1.2)) * (1 + grade.gain * amount * drift(rng, n, 0.8))
    ambient = float(rng.uniform(0.45, 0.8))
    return tuple(
        Lamp(
            float(np.sin(across[i]) * np.cos(down[i])),
            float(np.sin(down[i])),
            float(np.cos(across[i]) * np.cos(down[i])),
            float(gain[i]),
            ambient,
        )
        for i in range(n)
    )


def _talk(script: Script, time_s: Floats, rng: np.random.Generator) -> Floats:
    """Units (T, 19) of phrases of about a second: four to six syllables a second open, round and press the mouth."""
    n = len(time_s)
    units = np.zeros((n, len(script.peak)), np.float32)
    speaking = np.clip(2 * drift(rng, n, 0.35) + 1.2, 0, 1)
    rate = float(rng.uniform(4, 6))
    beat = 0.5 + 0.5 * np.sin(2 * np.pi * rate * time_s + 1.5 * drift(rng, n, 0.15))
    for name, share, wander in (("25", 0.8, 0.12), ("26", 0.5, 0.15)):
        units[:, INDEX[name]] = np.clip(speaking * beat * share * (0.7 + 0.4 * drift(rng, n, wander)), 0, 1)
    for name, share in (("20", 0.35), ("23", 0.5), ("17", 0.3), ("10", 0.2)):
        units[:, INDEX[name]] = np.clip(speaking * share * (drift(rng, n, 0.08) - 0.4), 0, 1)
    return units
