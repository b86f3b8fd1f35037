"""How sure a share of independent clips is: Wilson's interval. For every other figure see resampling.py."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from emotrain.metrics.resampling import LEVEL

Interval = dict[str, float]


def wilson(successes: int, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson score interval of a proportion (Wilson 1927); (0, 1) when nothing was tried."""
    if not 0 <= successes <= trials:
        raise ValueError(f"wilson: {successes} successes in {trials} trials")
    if trials == 0:
        return 0.0, 1.0
    z2 = float(norm.ppf(0.5 + level / 2)) ** 2
    share = successes / trials
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = np.sqrt(z2 * share * (1 - share) / trials + z2 * z2 / (4 * trials * trials)) / (1 + z2 / trials)
    # At 0 and at n successes a bound is exactly 0 or 1; rounding must not carry it past.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return float(low), float(high)


def proportion(successes: int, trials: int, level: float = LEVEL) -> Interval:
    """A proportion with its Wilson interval; value 0 when nothing was tried."""
    low, high = wilson(successes, trials, level)
    return {"value": successes / trials if trials else 0.0, "low": low, "high": high}
