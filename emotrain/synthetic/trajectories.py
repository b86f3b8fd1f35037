"""Clips whose classes share their action units and differ in order, speed and repetition alone.

In the drawn emotions *which* muscles move tells the class; here that tells at most a pair of classes, and only the
course of the clip tells which of the two. What can be read without order is therefore right in half of the clips of
the four classes of order, whatever it reads.

| class | what is seen |
|-|-|
| up down | the mouth corners rise; as they sink they are pulled down |
| down up | the mouth corners are pulled down, then rise |
| brows corners | the brows flash, then the mouth corners rise |
| corners brows | the mouth corners rise, then the brows flash |
| sudden | a smile that is there at once and fades slowly |
| slow | the same backwards in time |
| once | one long smile |
| thrice | three short ones |

The names are short and, where possible, of words that the tiny base's tokenizer has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emotrain.emotions import DRAWN_SETS
from emotrain.synthetic.action_units import AUS, INDEX, Prototype
from emotrain.synthetic.performance import FPS, Move, Script

NAME = "trajectories"
LABELS = DRAWN_SETS[NAME].labels

_UP: Prototype = {"L12": 1.0, "R12": 1.0, "6": 0.5}
_DOWN: Prototype = {"15": 1.0, "17": 0.5}
_FLASH: Prototype = {"1": 1.0, "2": 1.0}
_STRENGTH, _CLIP_S, _EDGE_S = (0.6, 1.0), (4.0, 5.0), 0.15


@dataclass(frozen=True, slots=True)
class Part:
    """One movement: its units, the ranges in seconds of its rise, hold and fall, and of the time since the last one's
    end (below 0 where it begins before that)."""

    units: Prototype
    rise_s: tuple[float, float]
    hold_s: tuple[float, float]
    fall_s: tuple[float, float]
    after_s: tuple[float, float] = (0.1, 0.5)


_EVEN, _QUICK, _BRIEF = (0.25, 0.45), (0.10, 0.16), (0.10, 0.15)
_FADES = (-0.20, 0.0)

COURSES: dict[str, tuple[Part, ...]] = {
    "up down": (Part(_UP, _EVEN, (0.4, 0.9), _EVEN), Part(_DOWN, _EVEN, (0.4, 0.9), _EVEN, _FADES)),
    "down up": (Part(_DOWN, _EVEN, (0.4, 0.9), _EVEN), Part(_UP, _EVEN, (0.4, 0.9), _EVEN, _FADES)),
    "brows corners": (Part(_FLASH, _BRIEF, (0.1, 0.2), _BRIEF), Part(_UP, _EVEN, (0.5, 1.0), _EVEN)),
    "corners brows": (Part(_UP, _EVEN, (0.5, 1.0), _EVEN), Part(_FLASH, _BRIEF, (0.1, 0.2), _BRIEF)),
    "sudden": (Part(_UP, _QUICK, (0.2, 0.4), (1.0, 1.6)),),
    "slow": (Part(_UP, (1.0, 1.6), (0.2, 0.4), _QUICK),),
    "once": (Part(_UP, _EVEN, (1.2, 2.0), _EVEN),),
    "thrice": tuple(Part(_UP, (0.15, 0.2), (0.1, 0.25), (0.15, 0.2), (0.2, 0.35)) for _ in range(3)),
}


def write_trajectory(label: str, rng: np.random.Generator) -> Script:
    """Draw a clip of one of the classes; raises ValueError for a class without a course."""
    if label not in COURSES:
        raise ValueError(f"no course for {label!r}; known: {', '.join(COURSES)}")
    strength = float(rng.uniform(*_STRENGTH))
    moves: list[Move] = []
    at = 0.0
    for number, part in enumerate(COURSES[label]):
        rise, hold, fall = (float(rng.uniform(*span)) for span in (part.rise_s, part.hold_s, part.fall_s))
        start = at + (float(rng.uniform(*part.after_s)) if number else 0.0)
        at = start + rise + hold + fall
        moves.append(Move(start, start + rise + hold / 2, at, hold, _peak(part.units, strength, rng)))
    duration = max(float(rng.uniform(*_CLIP_S)), at + 2 * _EDGE_S)
    duration = round(duration * FPS) / FPS
    begin = float(rng.uniform(_EDGE_S, duration - at - _EDGE_S))
    first, *then = (
        Move(move.onset_s + begin, move.apex_s + begin, move.offset_s + begin, move.hold_s, move.peak) for move in moves
    )
    return Script(
        label, "macro", duration, first.onset_s, first.apex_s, first.offset_s, first.hold_s, first.peak, tuple(then)
    )


def _peak(units: Prototype, strength: float, rng: np.random.Generator) -> tuple[float, ...]:
    peak = np.zeros(len(AUS))
    for name, value in units.items():
        peak[INDEX[name]] = min(1.0, value * strength * rng.uniform(0.85, 1.1))
    return tuple(float(v) for v in peak)
