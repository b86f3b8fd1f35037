"""Sampling strategies: which share of the draws each class gets.

With n_c clips of class c, N in total and C classes that have clips at all:

| strategy | share of class c | source |
|-|-|-|
| natural | n_c / N | |
| square_root | proportional to n_c^(1/2) | Mikolov et al. 2013, Mahajan et al. 2018 |
| class_balanced | 1 / C | |
| power | proportional to n_c^q: q = 1 natural, q = 0 class-balanced | Kang et al. 2020 |
| progressive | (1 - t) n_c / N + t / C, t from 0 in the first epoch to 1 in the last | Kang et al. 2020 |
| repeat_factor | proportional to n_c max(1, sqrt(t / f_c)), f_c = n_c / N | Gupta et al. 2019 |
| effective_number | proportional to n_c / (1 - b^n_c): b = 0 natural, b -> 1 class-balanced | Cui et al. 2019 |

The repeat factor's usual threshold of 0.001 repeats nothing when there are ten classes, so t is 1 / C by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Literal, get_args

from emotrain.balance.priors import effective_number
from emotrain.emotions import nearest

Strategy = Literal[
    "natural", "square_root", "class_balanced", "power", "progressive", "repeat_factor", "effective_number"
]
STRATEGIES: tuple[str, ...] = get_args(Strategy)
BETA = 0.9999

_OWN_SETTING = {"power": "power", "beta": "effective_number", "threshold": "repeat_factor"}


def class_shares(
    counts: Mapping[str, int],
    strategy: str,
    *,
    power: float | None = None,
    beta: float | None = None,
    threshold: float | None = None,
    epoch: int = 0,
    epochs: int = 1,
) -> dict[str, float]:
    """Expected share of the draws for each class; the shares sum to one and an empty class has 0.

    `power` (q) belongs to `power` and is required there, `beta` (default 0.9999) to `effective_number`, `threshold`
    (t, default 1 / C) to `repeat_factor`; `epoch` of `epochs` matters to `progressive`. Raises ValueError for an
    unknown strategy and for a setting that the strategy would ignore.
    """
    check_settings(strategy, power=power, beta=beta, threshold=threshold, epochs=epochs)
    present = {label: count for label, count in counts.items() if count > 0}
    if not present:
        raise ValueError("class shares: no clip to draw from, every count is 0")
    total, classes = sum(present.values()), len(present)
    if strategy == "progressive":
        t = epoch / (epochs - 1)
        sizes = {label: (1.0 - t) * count / total + t / classes for label, count in present.items()}
    elif strategy == "repeat_factor":
        t = 1.0 / classes if threshold is None else threshold
        sizes = {label: count * repeat_factor(count / total, t) for label, count in present.items()}
    elif strategy == "effective_number":
        weights = effective_number(present, BETA if beta is None else beta)
        sizes = {label: count * float(weight) for (label, count), weight in zip(present.items(), weights)}
    else:
        q = {"natural": 1.0, "square_root": 0.5, "class_balanced": 0.0}.get(strategy, power)
        sizes = {label: float(count) ** q for label, count in present.items()}  # type: ignore[operator]
    whole = sum(sizes.values())
    return {label: sizes.get(label, 0.0) / whole for label in counts}


def repeat_factor(frequency: float, threshold: float) -> float:
    """r = max(1, sqrt(t / f)): how often a clip of a class with share f appears in an epoch (Gupta et al. 2019)."""
    return max(1.0, sqrt(threshold / frequency))


def check_settings(
    strategy: str, *, power: float | None, beta: float | None, threshold: float | None, epochs: int
) -> None:
    """Raise ValueError with everything that is wrong with a strategy's settings."""
    if strategy not in STRATEGIES:
        raise ValueError(f"unknown sampling strategy {strategy!r}; {nearest(strategy, STRATEGIES)}")
    given = {"power": power, "beta": beta, "threshold": threshold}
    problems = [
        f"{key}={value} has no effect on {strategy!r}; it belongs to {_OWN_SETTING[key]!r}"
        for key, value in given.items()
        if value is not None and _OWN_SETTING[key] != strategy
    ]
    if strategy == "power" and power is None:
        problems.append("'power' needs power=q, for example 0.25 (1 is natural, 0 class-balanced)")
    if beta is not None and not 0.0 <= beta < 1.0:
        problems.append(f"beta={beta}: expected 0 <= beta < 1")
    if threshold is not None and threshold <= 0.0:
        problems.append(f"threshold={threshold}: expected more than 0, for example 1 / number of classes")
    if strategy == "progressive" and epochs < 2:
        problems.append(
            f"'progressive' goes from natural to balanced over the epochs and needs 2 or more, not {epochs}"
        )
    if problems:
        raise ValueError("sampling strategy: " + "; ".join(problems))
