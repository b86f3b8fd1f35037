"""One rule for what may be called a difference, asked by the demo, reports and studies alike.

A contrast names two arms and a figure before anything is looked at. Its p comes from the paired randomisation test, or
for a contrast with a margin from two one-sided tests (TOST: is the difference smaller than the margin either way?), and
Holm's correction runs over the contrasts that were declared and nothing else. A contrast is sure when its corrected p
is below .05. Every other difference in a table is description: it has an interval and no mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emotrain.metrics.paired import holm

ALPHA = 0.05
PRIMARY = "uar"


@dataclass(frozen=True, slots=True)
class Contrast:
    """Arm `second` less arm `first` on a figure; with a `margin` (a share), the claim that they do not differ by it."""

    first: str
    second: str
    figure: str = PRIMARY
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A contrast with its difference, 95 % interval, p and corrected p; `sure` when that is below .05."""

    contrast: Contrast
    value: float
    low: float
    high: float
    p: float
    p_holm: float = 1.0
    sure: bool = False

    def in_words(self) -> str:
        """What may be said: "differ", "equal within 3.0 points", or that it is open."""
        if self.contrast.margin is not None:
            within = f"within {100 * self.contrast.margin:g} points"
            return f"equal {within}" if self.sure else f"not shown to be equal {within}"
        return "differ" if self.sure else "not told apart"


def decide(tested: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts with Holm's correction over all of them."""
    corrected = holm([one.p for one in tested])
    return [replace(one, p_holm=p, sure=p < ALPHA) for one, p in zip(tested, corrected)]


def equivalence_p(value: float, deviations: np.ndarray, margin: float) -> float:
    """p of two one-sided tests that |difference| < margin, from draws (R,) of the error of `value`."""
    above = (1 + int((value - deviations >= margin).sum())) / (1 + len(deviations))
    below = (1 + int((value - deviations <= -margin).sum())) / (1 + len(deviations))
    return max(above, below)


def table(verdicts: Sequence[Verdict], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows for pages: arms, figure (its name by key), difference, interval, both p and what may be said."""
    return [
        {
            "first": one.contrast.first,
            "second": one.contrast.second,
            "figure": names.get(one.contrast.figure, one.contrast.figure),
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "p": one.p,
            "p_holm": one.p_holm,
            "sure": one.sure,
            "verdict": one.in_words(),
        }
        for one in verdicts
    ]
