"""Faults put into the summaries of training draws, so that a model learns to do without words and to doubt wrong ones.

Trained on clean summaries alone, a model falls below one that never saw any when they are missing at test time. With
`dropout` a share of the draws shows no summary at all, with `noise` another share shows summaries of which a quarter,
a half or all gaps are wrong. Which draws, and in which way, is a pure function of (seed, place of the draw): a run that
is resumed sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emotrain.context.corruption import Fault, corrupt
from emotrain.records import Summary
from emotrain.stable_hash import stable_hash

SHARES = (0.25, 0.5, 1.0)
MIXED: tuple[Fault, ...] = ("drop", "swap", "time", "region")


@dataclass(frozen=True, slots=True)
class TrainingFaults:
    """`dropout` and `noise` are shares (0-1) of the training draws; a draw has one of them or neither."""

    dropout: float = 0.0
    noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for key, share in (("summary_dropout", self.dropout), ("summary_noise", self.noise)):
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"{key}: {share} is not between 0 and 1")
        if self.dropout + self.noise > 1.0:
            raise ValueError(
                f"summary_dropout: {self.dropout} and summary_noise: {self.noise} are more than all draws together; "
                "lower one of them"
            )

    def fault(self, draw: int) -> tuple[Fault, float] | None:
        """What is wrong with a draw's summaries: a fault and the share of gaps that it strikes, None for nothing."""
        at = stable_hash(f"{self.seed}/fault/{draw}") / 2**64
        if at < self.dropout:
            return "drop", 1.0
        if at < self.dropout + self.noise:
            kind = stable_hash(f"{self.seed}/kind/{draw}")
            return MIXED[kind % len(MIXED)], SHARES[kind // len(MIXED) % len(SHARES)]
        return None


def with_faults(
    summaries: Sequence[Summary],
    faults: TrainingFaults,
    draw: int,
    *,
    other: Callable[[], Sequence[Summary]],
    language: str = "en",
) -> list[Summary]:
    """The summaries of a clip as the draw shows them; `other` gives another clip's.

    Words without structured events (all back ends but motion) cannot be told of another region: there the fault is
    another clip's words.
    """
    found = faults.fault(draw)
    if found is None:
        return list(summaries)
    kind, share = found
    if kind == "region" and any(summary.changed and not summary.events for summary in summaries):
        kind = "swap"
    return corrupt(summaries, kind, share, seed=faults.seed + draw, other=other, language=language)
