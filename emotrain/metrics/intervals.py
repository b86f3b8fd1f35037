"""How sure a figure is: Wilson intervals for proportions, a stratified bootstrap for everything else.

The bootstrap draws clips with replacement inside each true class. The confusion row of a resampled class is then
exactly multinomial with the observed row as its distribution, so rows are drawn directly and no clip is gathered:
10,000 resamples cost the same for a thousand clips as for a million.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import norm

LEVEL = 0.95

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


def resample_rows(matrix: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """(R, K, C) bootstrap copies of a (K, C) count matrix, the clips of each row drawn with replacement."""
    out = np.zeros((resamples, *matrix.shape), dtype=np.int32)
    for k, row in enumerate(matrix):
        # Cells that are empty stay empty; leaving them out makes wide tables (pairs of systems) cheap.
        seen = np.flatnonzero(row)
        if len(seen):
            out[:, k, seen] = rng.multinomial(row.sum(), row[seen] / row.sum(), size=resamples)
    return out


def percentile(draws: np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """Percentile interval of (R,) bootstrap draws."""
    low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def bootstrap(
    matrix: np.ndarray,
    figures: Callable[[np.ndarray], dict[str, np.ndarray]],
    *,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = LEVEL,
    copies: np.ndarray | None = None,
) -> dict[str, Interval]:
    """Value and percentile interval of each of `figures` under resampling of the rows of a (K, K + 2) matrix.

    `figures` maps (..., K, K + 2) counts to named (...) arrays; it sees the observed matrix and all copies. An array
    with a trailing axis (one value a class) gets one interval per entry, named "name/0", "name/1", ... `copies` are
    (R, K, K + 2) matrices that were resampled in another way (clusters.py); `resamples` and `seed` then say nothing.
    """
    if copies is None:
        copies = resample_rows(matrix, resamples, np.random.default_rng(seed))
    observed, drawn = figures(matrix), figures(copies)
    result: dict[str, Interval] = {}
    for name, value in observed.items():
        for suffix, point, draws in _entries(np.asarray(value), drawn[name]):
            low, high = percentile(draws, level)
            result[name + suffix] = {"value": float(point), "low": low, "high": high}
    return result


def _entries(value: np.ndarray, draws: np.ndarray) -> list[tuple[str, float, np.ndarray]]:
    if value.ndim == 0:
        return [("", float(value), draws)]
    return [(f"/{i}", float(point), draws[:, i]) for i, point in enumerate(value)]
