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

from emotrain.balance.draw_settings import DrawSettings
from emotrain.balance.priors import effective_number


def class_shares(counts: Mapping[str, int], settings: DrawSettings, epoch: int = 0) -> dict[str, float]:
    """Expected share of the draws for each class in an epoch; the shares sum to one and an empty class has 0.

    Raises ValueError when every class is empty.
    """
    present = {label: count for label, count in counts.items() if count > 0}
    if not present:
        raise ValueError("class shares: no clip to draw from, every count is 0")
    total, classes = sum(present.values()), len(present)
    strategy, settings = settings.strategy, settings.in_force(classes)
    if strategy == "progressive":
        t = epoch / (settings.epochs - 1)
        sizes = {label: (1.0 - t) * count / total + t / classes for label, count in present.items()}
    elif strategy == "repeat_factor":
        sizes = {
            label: count * repeat_factor(count / total, settings.threshold)  # type: ignore[arg-type]
            for label, count in present.items()
        }
    elif strategy == "effective_number":
        weights = effective_number(present, settings.beta)  # type: ignore[arg-type]
        sizes = {label: count * float(weight) for (label, count), weight in zip(present.items(), weights)}
    else:
        q = {"natural": 1.0, "square_root": 0.5, "class_balanced": 0.0}.get(strategy, settings.power)
        sizes = {label: float(count) ** q for label, count in present.items()}  # type: ignore[operator]
    whole = sum(sizes.values())
    return {label: sizes.get(label, 0.0) / whole for label in counts}


def repeat_factor(frequency: float, threshold: float) -> float:
    """r = max(1, sqrt(t / f)): how often a clip of a class with share f appears in an epoch (Gupta et al. 2019)."""
    return max(1.0, sqrt(threshold / frequency))
