"""How a clip unfolds: when the expression comes and goes, and everything else that moves meanwhile.

A *script* says what the clip shows (its label's units, onset, apex, offset). A *performance* plays the script at 30
frames a second and adds what a real clip has besides: blinks, glances, head motion, light drift and sensor noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emotrain.records import Kind
from emotrain.synthetic.action_units import AUS, INDEX, sample_units
from emotrain.synthetic.face import Light, Pose

Floats = NDArray[np.float32]
Level = Literal["none", "moderate", "hard"]
Strengths = tuple[tuple[float, float], tuple[float, float]]

FPS = 30
MICRO_CLIP_S = 4.0
MICRO_S, MACRO_HOLD_S, MACRO_CLIP_S = (0.25, 0.50), (0.8, 3.0), (2.5, 4.0)
MICRO_STRENGTH, MACRO_STRENGTH = (0.45, 0.70), (0.70, 1.0)
_EDGE_S = 0.10


@dataclass(frozen=True, slots=True)
class Disturbance:
    """How strongly head, light and sensor disturb a clip: crop fractions, roll in degrees, noise in grey levels."""

    shift: float
    roll: float
    scale: float
    yaw: float
    gain: float
    slope: float
    noise: float


DISTURBANCE: dict[Level, Disturbance] = {
    "none": Disturbance(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "moderate": Disturbance(0.009, 1.2, 0.009, 0.010, 0.03, 0.06, 2.0),
    "hard": Disturbance(0.020, 2.6, 0.020, 0.022, 0.08, 0.15, 4.5),
}


@dataclass(frozen=True, slots=True)
class Move:
    """One expression that comes and goes: times in seconds, `hold_s` that at the apex, `peak` the units there."""

    onset_s: float
    apex_s: float
    offset_s: float
    hold_s: float
    peak: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """What a clip shows. Times are seconds, `hold_s` the time at the apex; a neutral clip has no onset, zero units.

    The first expression stands in the fields themselves, those that follow it in `then`.
    """

    label: str
    kind: Kind | None
    duration_s: float
    onset_s: float | None
    apex_s: float | None
    offset_s: float | None
    hold_s: float
    peak: tuple[float, ...]
    then: tuple[Move, ...] = ()

    @property
    def moves(self) -> tuple[Move, ...]:
        """All expressions of the clip, in order; none in a neutral clip."""
        if self.onset_s is None or self.apex_s is None or self.offset_s is None:
            return ()
        return (Move(self.onset_s, self.apex_s, self.offset_s, self.hold_s, self.peak), *self.then)

    @property
    def n_frames(self) -> int:
        """Number of frames at 30 frames a second."""
        return round(self.duration_s * FPS)


@dataclass(frozen=True, slots=True)
class Performance:
    """A played script: `units` (T, 19) float32 in order AUS, `time_s` (T,), one pose and light a frame."""

    units: Floats
    time_s: Floats
    poses: tuple[Pose, ...]
    lights: tuple[Light, ...]
    noise: float


def write_script(
    label: str,
    kind: Kind | None,
    rng: np.random.Generator,
    strengths: Strengths = (MICRO_STRENGTH, MACRO_STRENGTH),
) -> Script:
    """Draw what a clip of `label` shows; neutral takes no kind and every other label needs one (ValueError).

    `strengths` are the ranges of intensity of micro- and macro-expressions.
    """
    if (kind is None) != (label == "neutral"):
        raise ValueError(
            f"label {label!r} with kind {kind!r}: neutral clips have no kind, all others are macro or micro"
        )
    if kind is None:
        duration = MICRO_CLIP_S if rng.random() < 0.5 else float(rng.uniform(*MACRO_CLIP_S))
        return Script(label, None, _on_frame(duration), None, None, None, 0.0, (0.0,) * len(AUS))
    if kind == "micro":
        length, duration = float(rng.uniform(*MICRO_S)), MICRO_CLIP_S
        rise, hold, strength = length * float(rng.uniform(0.38, 0.48)), length * 0.12, strengths[0]
    else:
        rise, fall = float(rng.uniform(0.20, 0.50)), float(rng.uniform(0.25, 0.60))
        hold = min(float(rng.uniform(*MACRO_HOLD_S)), MACRO_CLIP_S[1] - rise - fall - 3 * _EDGE_S)
        length, strength = rise + hold + fall, strengths[1]
        duration = float(np.clip(length + rng.uniform(0.4, 1.4), *MACRO_CLIP_S))
    duration = _on_frame(duration)
    onset = float(rng.uniform(_EDGE_S, duration - length - _EDGE_S))
    peak = sample_units(label, float(rng.uniform(*strength)), rng)
    apex = onset + rise + hold / 2
    return Script(label, kind, duration, onset, apex, onset + length, hold, tuple(float(v) for v in peak))


def perform(script: Script, level: Level, rng: np.random.Generator) -> Performance:
    """Play a script with the disturbances of `level`: a pure function of its arguments and the state of `rng`."""
    if level not in DISTURBANCE:
        raise ValueError(f"disturbance level {level!r}: expected one of {', '.join(DISTURBANCE)}")
    disturbance, n = DISTURBANCE[level], script.n_frames
    time = np.asarray(np.arange(n) / FPS, np.float32)
    tremor = 1 + 0.05 * drift(rng, n, 0.25) if script.kind == "macro" else np.ones(n)
    units = expressed(script, time, tremor)
    restless = script.label == "anxiety" and script.kind == "macro"
    units[:, INDEX["45"]] = np.maximum(units[:, INDEX["45"]], blinks(script, time, restless, rng))
    poses = _poses(script, disturbance, time, restless, rng)
    gain = 1 + disturbance.gain * drift(rng, n, 0.8)
    slopes = disturbance.slope * (
        rng.uniform(-1, 1, 2)[:, None] + 0.3 * np.stack([drift(rng, n, 0.8) for _ in range(2)])
    )
    lights = tuple(Light(float(g), float(sx), float(sy)) for g, sx, sy in zip(gain, *slopes))
    return Performance(np.clip(units, 0, 1).astype(np.float32), time, poses, lights, disturbance.noise)


def expressed(script: Script, time_s: Floats, tremor: NDArray[np.floating] | float = 1.0) -> Floats:
    """Units (T, 19) of all expressions of a script, the larger value where two overlap."""
    units = np.zeros((len(time_s), len(AUS)), np.float32)
    for move in script.moves:
        units = np.maximum(units, (envelope(move, time_s) * tremor)[:, None] * np.asarray(move.peak, np.float32))
    return units


def envelope(move: Move, time_s: Floats) -> Floats:
    """Share of the peak at each time: 0 outside onset..offset, 1 during the hold, raised cosines between."""
    start, end = move.apex_s - move.hold_s / 2, move.apex_s + move.hold_s / 2
    up = np.clip((time_s - move.onset_s) / (start - move.onset_s), 0, 1)
    down = np.clip((move.offset_s - time_s) / (move.offset_s - end), 0, 1)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.minimum(up, down)), np.float32)


def _on_frame(duration_s: float) -> float:
    return round(duration_s * FPS) / FPS


def drift(rng: np.random.Generator, n: int, sigma_s: float) -> NDArray[np.float64]:
    """Smooth noise of unit variance: white noise under a Gaussian window of `sigma_s` seconds."""
    reach = int(np.ceil(3 * sigma_s * FPS))
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (sigma_s * FPS)) ** 2)
    return np.convolve(rng.standard_normal(n + 2 * reach), window / np.sqrt((window**2).sum()), mode="valid")


def blinks(script: Script, time_s: Floats, restless: bool, rng: np.random.Generator) -> Floats:
    """AU 45 over time: blinks of 0.13-0.23 s from lid to lid, none during a micro-expression."""
    closed = np.zeros_like(time_s)
    at = float(rng.exponential(1.5))
    while at < script.duration_s:
        half = float(rng.uniform(0.065, 0.115))
        hidden = script.kind == "micro" and script.onset_s is not None and script.offset_s is not None
        if not (hidden and script.onset_s - 0.25 < at < script.offset_s + 0.25):  # type: ignore[operator]
            closed = np.maximum(closed, np.clip(1.25 * (1 - np.abs(time_s - at) / half), 0, 1))
        at += 0.3 + float(rng.exponential(0.7 if restless else 2.5))
    return closed.astype(np.float32)


def _poses(
    script: Script, disturbance: Disturbance, time_s: Floats, restless: bool, rng: np.random.Generator
) -> tuple[Pose, ...]:
    n = len(time_s)
    tracks = np.stack([drift(rng, n, 0.40) for _ in range(5)]) + 0.7 * rng.uniform(-1, 1, (5, 1))
    spread = [disturbance.shift, disturbance.shift, disturbance.roll, disturbance.scale, disturbance.yaw]
    dx, dy, roll, scale, yaw = tracks * np.asarray(spread)[:, None]
    gaze = glances(script, time_s, restless, rng) if disturbance.shift > 0 or restless else np.zeros((2, n))
    return tuple(
        Pose(float(dx[i]), float(dy[i]), float(roll[i]), 1 + float(scale[i]), float(yaw[i]), gaze[0, i], gaze[1, i])
        for i in range(n)
    )


def glances(script: Script, time_s: Floats, restless: bool, rng: np.random.Generator) -> NDArray[np.float64]:
    """Where the eyes look: small saccades, (2, T) crop fractions; darting while an anxious expression lasts."""
    gaze, at = np.zeros((2, len(time_s))), 0.0
    while at < script.duration_s:
        darting = restless and script.onset_s is not None and script.onset_s < at < (script.offset_s or 0.0)
        reach = (0.016, 0.004) if darting else (0.005, 0.003)
        gaze[:, time_s >= at] = (rng.uniform(-1, 1, 2) * reach)[:, None]
        at += float(rng.uniform(0.15, 0.35) if darting else rng.uniform(0.5, 1.6))
    return gaze
