"""The figures of a model card: what `emotrain evaluate` wrote for this very adapter, and for its baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from emotrain.evaluation.evaluate import METRICS, PREDICTIONS, read_metrics
from emotrain.evaluation.headline import ArmResult, check_arms, differences
from emotrain.hub.staging import recipe_values
from emotrain.metrics.predictions import read_predictions
from emotrain.modeling.adapters import WEIGHTS, adapter_digest

HEADLINE = (("war", "WAR"), ("uar", "UAR"), ("macro_f1", "macro-F1"), ("tail_f1", "tail F1"))


@dataclass(frozen=True, slots=True)
class Scores:
    """Evaluations of one adapter and its baselines on the same clips; `arms[0]` is the adapter's.

    `compared[i]` holds the paired differences arm i - adapter (`metrics.summary.compare`), None for the adapter itself.
    """

    arms: tuple[ArmResult, ...]
    compared: tuple[Mapping[str, Any] | None, ...]

    @property
    def metrics(self) -> Mapping[str, Any]:
        """The adapter's own metrics."""
        return self.arms[0].metrics

    @property
    def split(self) -> str:
        """The part of the data set that was scored."""
        return str(self.arms[0].settings.get("split", "test"))

    def common_first(self) -> list[str]:
        """Classes from head to tail, then by clips in the test."""
        groups, per_class = self.metrics["groups"], self.metrics["per_class"]
        rank = {"head": 0, "medium": 1, "tail": 2}
        return sorted(
            self.metrics["labels"],
            key=lambda label: (rank[groups[label]] if groups is not None else 0, -per_class[label]["support"]),
        )


def read_scores(adapter: Path, scores: Path, baselines: Mapping[str, Path] | None = None) -> Scores:
    """Read evaluation folders; raises ValueError when `scores` is of another adapter, or when clips differ."""
    own = _arm("this adapter", scores)
    found, wanted = own.metrics.get("adapter_digest"), adapter_digest(adapter)
    if found != wanted:
        raise ValueError(
            f"{scores / METRICS}: these figures are of {_whose(own.metrics, adapter)}, not of {adapter} as it is now; "
            f"run `emotrain evaluate RECIPE --adapter {adapter} --out DIR` and pass that folder"
        )
    arms = [own, *(_arm(name, folder) for name, folder in (baselines or {}).items())]
    check_arms(arms)
    rows = differences(arms, {}, resamples=own.metrics["interval"]["resamples"])
    return Scores(tuple(arms), tuple(rows))


def parse_baselines(words: Sequence[str]) -> dict[str, Path]:
    """`name=folder` pairs of the command line; raises ValueError for a word without a name or a folder."""
    named: dict[str, Path] = {}
    for word in words:
        name, equals, folder = word.partition("=")
        if not (name.strip() and equals and folder):
            raise ValueError(f"--baseline {word!r}: expected NAME=FOLDER, such as zero-shot=runs/zero_shot")
        if name.strip() in named:
            raise ValueError(f"--baseline {word!r}: the name {name.strip()!r} was given twice")
        named[name.strip()] = Path(folder)
    return named


def _arm(name: str, folder: Path) -> ArmResult:
    if not (folder / PREDICTIONS).is_file():
        raise FileNotFoundError(f"{folder}: no {PREDICTIONS} here; give a folder that `emotrain evaluate --out` wrote")
    return ArmResult(name, read_metrics(folder), read_predictions(folder / PREDICTIONS), recipe_values(folder))


def _whose(metrics: Mapping[str, Any], adapter: Path) -> str:
    if metrics.get("adapter_digest") == blake2b((adapter / WEIGHTS).read_bytes()).hexdigest():
        return "these weights alone (a version did not look at settings and labels, which may have changed since)"
    if metrics.get("adapter") is None:
        return "the base model without an adapter"
    return (
        f"another state of {metrics['adapter']}" if "adapter_digest" in metrics else "an adapter that they do not name"
    )
