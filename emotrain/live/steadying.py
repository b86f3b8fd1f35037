"""Options that join readings over time: smoothing, and a prior that follows the person. Off unless asked for.

Both act on opinions about expressions and make them steadier, not truer: a short expression is smoothed away, and a
person who smiles all day is told to smile a little more.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from emotrain.balance.posthoc import em_prior, shift_prior

Floats = NDArray[np.float64]

RECENT = 120
"""Readings that the prior is learnt from."""

LEAST = 20
"""Readings from which on it is."""

STEPS = 100
"""Steps of the EM at most: what changes after them is far below what the prior is trusted with."""

TRUST = 20.0
"""How many readings the even prior counts for beside those of the person."""


@dataclass
class Steadied:
    """`smooth_s` is the time in which an older reading's weight falls to 1/e (0: none); `follow` says whether the prior
    follows the person: the shares of labels in their last readings, by the EM of Saerens et al. (2002)."""

    smooth_s: float = 0.0
    follow: bool = False
    _scores: deque[Floats] = field(default_factory=lambda: deque(maxlen=RECENT))
    _state: Floats | None = None
    _time_s: float = 0.0

    def steady(self, time_s: float, scores: Floats) -> Floats:
        """Label probabilities (C,) of a reading whose scores (C,) are log-likelihoods, given those before it."""
        shares = softmax(scores)
        if self.follow:
            self._scores.append(np.log(np.maximum(shares, 1e-9)))
            if len(self._scores) >= LEAST:
                shares = self._followed()
        if self.smooth_s > 0:
            if self._state is not None:
                kept = math.exp(-max(time_s - self._time_s, 0.0) / self.smooth_s)
                shares = kept * self._state + (1 - kept) * shares
            self._state, self._time_s = shares, time_s
        return np.asarray(shares, np.float64)

    def forget(self) -> None:
        """Another person: nothing of the one before is carried over."""
        self._scores.clear()
        self._state = None

    def _followed(self) -> Floats:
        every = np.stack(self._scores)
        even = np.full(every.shape[1], 1 / every.shape[1])
        found = np.asarray(em_prior(every, even, max_iterations=STEPS, tolerance=1e-4).prior)
        trusted = (TRUST * even + len(every) * found) / (TRUST + len(every))
        return np.asarray(softmax(shift_prior(every[-1:], even, trusted)[0]), np.float64)
