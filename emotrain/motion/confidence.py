"""How likely a candidate is a change of the face and not what a moving head, the light or the codec leave behind.

Two logistic models, of what is over quickly and of what lasts, on how clear the candidate is, how long it lasts and how
evenly it is held. They were fitted on drawn clips of the known styles, heads and lights; benchmarks/motion_events.py
reports on others, the held-back style among them, how often events told with .8 are real.
"""

from __future__ import annotations

import math

from emotrain.motion.candidates import Candidate

_BURST = (-14.79, 5.01, 1.16, -1.25)
_HOLD = (-13.02, 4.51, 1.44, -1.22)
"""Constant, and weights of the logarithms of clarity, length and unevenness."""

EVEN = 0.05
"""A course more even than this is as good as any."""


def of_burst(one: Candidate) -> float:
    """Probability that a quick change is one of the face."""
    return _logistic(one, _BURST)


def of_hold(one: Candidate) -> float:
    """Probability that a lasting change is one of the face."""
    return _logistic(one, _HOLD)


def facts(one: Candidate) -> tuple[float, ...]:
    """What the models look at, the constant first."""
    known = (one.clarity, one.length_s, EVEN + one.uneven)
    return 1.0, *(math.log(max(value, 1e-3)) for value in known)


def _logistic(one: Candidate, weights: tuple[float, ...]) -> float:
    return 1 / (1 + math.exp(-sum(weight * fact for weight, fact in zip(weights, facts(one)))))
