"""Everything that decides which clip is drawn when, but the clips: a manifest's name, header and draws follow from it.

Training and `data_prep/build_manifests.py` find the same file because both make its name of the same record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from emotrain.emotions import nearest

STRATEGIES = (
    "natural", "square_root", "class_balanced", "power", "progressive", "repeat_factor", "effective_number",
)  # fmt: skip
GROUPS = ("subject", "source")
COMPOUNDS = ("label", "rarest", "joint")
BETA = 0.9999
_STEEPEST = 10  # of n^q: beyond that one class is drawn and no other, and q = 200 is more than a float holds

_OWNER = {"power": "power", "beta": "effective_number", "threshold": "repeat_factor"}


@dataclass(frozen=True, slots=True)
class DrawSettings:
    """How clips are drawn; raises ValueError with everything that makes no sense, an idle setting included.

    `strategy` gives each class its share of the draws (see strategies.py): `power` (q) belongs to `power` and is
    required there, `beta` (default 0.9999) to `effective_number`, `threshold` (t, default 1 / C) to `repeat_factor`.
    An epoch has `epoch_size` draws, None for as many as there are clips. `replacement` makes draws independent.
    `group_by` (subject, source) with `group_cap` bounds the share of a group in the draws of a class. `compound` tells
    what a clip with several labels counts as (see strata.py).
    """

    strategy: str
    epochs: int = 3
    seed: int = 0
    epoch_size: int | None = None
    power: float | None = None
    beta: float | None = None
    threshold: float | None = None
    replacement: bool = False
    group_by: str | None = None
    group_cap: float | None = None
    compound: str = "label"

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise ValueError(f"unknown sampling strategy {self.strategy!r}; {nearest(self.strategy, STRATEGIES)}")
        problems = "; ".join([*self._strategy_problems(), *self._other_problems()])
        if problems:
            raise ValueError(f"sampling strategy: {problems}")

    def in_force(self, classes: int) -> DrawSettings:
        """With the strategy's defaults for this number of classes filled in."""
        if self.strategy == "effective_number" and self.beta is None:
            return replace(self, beta=BETA)
        if self.strategy == "repeat_factor" and self.threshold is None:
            return replace(self, threshold=1.0 / classes)
        return self

    def file_name(self, fold: int | None = None) -> str:
        """The manifest's file name, without suffix, made of everything that is said: `power-q0.25-e3-s0-fold1`."""
        parts = [self.strategy]
        for letter, value in (
            ("q", self.power),
            ("b", self.beta),
            ("t", self.threshold),
            ("e", self.epochs),
            ("n", self.epoch_size),
            ("s", self.seed),
            ("fold", fold),
            ("by_", self.group_by),
            ("cap", self.group_cap),
        ):
            if value is not None:
                parts.append(f"{letter}{value}")
        parts += ["replacement"] if self.replacement else []
        parts += [self.compound] if self.compound != "label" else []
        return "-".join(parts)

    def _strategy_problems(self) -> Iterator[str]:
        for key, owner in _OWNER.items():
            value = getattr(self, key)
            if value is not None and owner != self.strategy:
                yield f"{key}={value} has no effect on {self.strategy!r}; it belongs to {owner!r}"
        if self.strategy == "power" and self.power is None:
            yield "'power' needs power=q, for example 0.25 (1 is natural, 0 class-balanced)"
        if self.power is not None and not -_STEEPEST <= self.power <= _STEEPEST:
            yield f"power={self.power}: expected -{_STEEPEST} to {_STEEPEST} (1 is natural, 0 class-balanced)"
        if self.beta is not None and not 0.0 <= self.beta < 1.0:
            yield f"beta={self.beta}: expected 0 <= beta < 1"
        if self.threshold is not None and self.threshold <= 0.0:
            yield f"threshold={self.threshold}: expected more than 0, for example 1 / number of classes"
        if self.strategy == "progressive" and self.epochs < 2:
            yield f"'progressive' goes from natural to balanced over the epochs and needs 2 or more, not {self.epochs}"

    def _other_problems(self) -> Iterator[str]:
        for key, number in (("epochs", self.epochs), ("epoch_size", self.epoch_size)):
            if number is not None and number < 1:
                yield f"{key}={number}: expected 1 or more"
        if (self.group_by is None) != (self.group_cap is None):
            yield f"group_by={self.group_by} and group_cap={self.group_cap}: give both or neither"
        if self.group_by is not None and self.group_by not in GROUPS:
            yield f"group_by {self.group_by!r} is unknown; {nearest(self.group_by, GROUPS)}"
        if self.group_cap is not None and not 0.0 < self.group_cap < 1.0:
            yield f"group_cap {self.group_cap}: expected a share of a class's draws between 0 and 1, for example 0.25"
        if self.compound not in COMPOUNDS:
            yield f"compound {self.compound!r} is unknown; {nearest(self.compound, COMPOUNDS)}"
