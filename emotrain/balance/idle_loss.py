"""Whether a loss would change nothing: it corrects the class prior of draws that have none left to correct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from emotrain.balance.losses import LossSettings
from emotrain.balance.score_prior import carried_prior, is_uniform, prior_removed


def check_prior(settings: LossSettings, counts: Mapping[str, int] | Sequence[Mapping[str, int]], sampling: str) -> None:
    """Raise ValueError when the loss corrects the class prior of a stream that has none left to correct.

    `counts` are as in `build_loss`, `sampling` the strategy they were drawn with. Such a run would be plain
    cross-entropy under another name.
    """
    epochs = [counts] if isinstance(counts, Mapping) else list(counts)
    if not all(is_uniform(carried_prior(LossSettings(), of_epoch), _drawn(of_epoch)) for of_epoch in epochs):
        return
    of_prior = prior_removed(settings) is not None
    idle = [f"loss: {settings.name}"] if of_prior else []
    idle += [f"class_weights: {settings.class_weights}"] if settings.class_weights != "none" else []
    if idle and any(_drawn(epochs[-1])):
        drawn = [count for count in epochs[-1].values() if count > 0]
        key = "reward: accuracy" if settings.name == "reward" else "loss: cross_entropy"
        raise ValueError(
            f"{' and '.join(idle)} would change nothing: sampling: {sampling} draws each class equally often "
            f"({min(drawn)} to {max(drawn)} draws a class), and the prior that is corrected is that of the draws; say "
            f"sampling: natural to balance by the loss, or {key if of_prior else 'class_weights: none'} to balance by "
            "the sampling alone"
        )


def _drawn(counts: Mapping[str, int]) -> list[bool]:
    return [count > 0 for count in counts.values()]
