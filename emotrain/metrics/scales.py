"""Telling probabilities from logits in other people's files, and turning probabilities into logits.

Everything behind this door takes the softmax of its scores. Probabilities become their logarithms, so that softmax
returns them; logits and log-probabilities stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Scale = Literal["logits", "probabilities", "unknown"]
"""What the name of a column says of its scores."""

LEAST_TOLERANCE, MOST_TOLERANCE = 0.01, 0.5
"""Bounds of how far a row of probabilities may miss a sum of 1: half precision needs 0.004, no rounding excuses 0.5."""
SMALLEST = 1e-12
"""What a probability of 0 counts as: its logarithm has to be finite."""
_SHOWN = 5

Scores = tuple[float, ...]


def as_logits(scores: Sequence[Scores], scales: Sequence[Scale]) -> list[Scores]:
    """Scores of each row (K floats, or () for none) as logits; probabilities are normalised to sum to 1 first.

    Rows whose scale is "probabilities" must be such. Those of "unknown" scale are when more than half of them are
    non-negative and sum to 1, and then all must be. Rounding is allowed for: K rounded shares may miss 1 by K half
    units of the last decimal that the file writes. ValueError names the rows that fall out, counted from 1.
    """
    result = [tuple(row) for row in scores]
    for scale in ("probabilities", "unknown"):
        rows = [i for i, row in enumerate(scores) if row and scales[i] == scale]
        if not rows:
            continue
        values = np.array([scores[i] for i in rows], dtype=np.float64)
        tolerance = rounding_tolerance(values)
        with np.errstate(invalid="ignore"):
            fits = (values >= 0).all(1) & (np.abs(values.sum(1) - 1) <= tolerance)
        if scale == "unknown" and fits.mean() <= 0.5:
            _refuse_percentages(values)
            continue
        if not fits.all():
            raise ValueError(_odd_rows(rows, values, fits, scale, tolerance))
        logs = np.log(np.maximum(values / values.sum(1, keepdims=True), SMALLEST))
        for i, row in zip(rows, logs.tolist()):
            result[i] = tuple(row)
    return result


def _refuse_percentages(values: npt.NDArray[np.float64]) -> None:
    """Raise ValueError for scores under bare names that are percentages: taken for logits they would be certainty."""
    with np.errstate(invalid="ignore"):
        percent = (values >= 0).all(1) & (np.abs(values.sum(1) - 100) <= 100 * rounding_tolerance(values / 100))
    if percent.mean() > 0.5:
        shown = ", ".join(f"{value:g}" for value in values[np.flatnonzero(percent)[0]])
        raise ValueError(
            f"{int(percent.sum())} of {len(values)} rows hold percentages, such as {shown}, which sum to 100: divide "
            "them by 100, or name the scores logits (logit_LABEL, or a column `logits`) if that is what they are"
        )


def rounding_tolerance(values: npt.NDArray[np.float64]) -> float:
    """How far the sum of a row of (R, K) shares may be from 1, by the number of decimals that the shares have."""
    inside = values[((values >= 0) & (values <= 1)).all(1)]
    for decimals in (1, 2, 3):
        scaled = inside * 10**decimals
        # Shares that were stored in single precision are off the decimal grid by less than this.
        if np.allclose(scaled, np.round(scaled), rtol=0, atol=1e-3):
            half_units = values.shape[1] * 0.5 * 10**-decimals
            return float(np.clip(half_units, LEAST_TOLERANCE, MOST_TOLERANCE))
    return LEAST_TOLERANCE


def _odd_rows(
    rows: Sequence[int], values: npt.NDArray[np.float64], fits: npt.NDArray[np.bool_], scale: Scale, tolerance: float
) -> str:
    odd = np.flatnonzero(~fits)
    shown = "".join(
        f"\n  row {rows[i] + 1}: {', '.join(f'{value:g}' for value in values[i])} (sum {values[i].sum():g})"
        for i in odd[:_SHOWN]
    )
    more = f"\n  ... and {len(odd) - _SHOWN} more rows" if len(odd) > _SHOWN else ""
    reason = (
        "the columns are named as probabilities, which are not negative and sum to 1"
        if scale == "probabilities"
        else f"the scores of the other {int(fits.sum())} rows are probabilities, which sum to 1"
    )
    return (
        f"{len(odd)} of {len(rows)} rows hold no probabilities (sum within {tolerance:g} of 1): {reason}; correct "
        "these rows, or name the scores logits (logit_LABEL, or a column `logits`) if that is what they are"
        + shown
        + more
    )
