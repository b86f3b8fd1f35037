"""What a stage did, counted by class, and the share of unusable clips past which a run stops loudly."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class TooManyBadClips(RuntimeError):
    """A larger share of the clips than allowed was quarantined."""


@dataclass(slots=True)
class StageReport:
    """What a stage did: clips done, quarantined, and (among those done) damaged, each per class.

    `before` counts the quarantined that an earlier stage had left out already: they say nothing about this one.
    """

    stage: str
    done: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    damaged: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def bad_share(self) -> float:
        """Share of clips that this stage could not use, of those that reached it; 0 for an empty stage."""
        bad = self.quarantined.total() - self.before.total()
        total = self.done.total() + bad
        return bad / total if total else 0.0

    def add(self, other: StageReport) -> None:
        """Count what another run of the same stage did on other shards."""
        self.done += other.done
        self.quarantined += other.quarantined
        self.before += other.before
        self.damaged += other.damaged
        self.seconds += other.seconds

    def in_words(self) -> str:
        """The report in a line, and one more for each class that lost something."""
        total = f"{self.done.total()} clips done, {self.quarantined.total()} quarantined"
        total += f" ({self.before.total()} of them by an earlier stage)" if self.before else ""
        partly = f" ({self.damaged.total()} of those done are damaged and kept in part)" if self.damaged else ""
        lines = [f"{self.stage}: {total}{partly}, {self.seconds:.1f} s"]
        lines += [f"  quarantined {count:6d}  {label}" for label, count in sorted(self.quarantined.items())]
        lines += [f"  damaged     {count:6d}  {label}" for label, count in sorted(self.damaged.items())]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The report as plain values (dataclasses.asdict cannot copy a Counter before Python 3.12)."""
        return {
            "stage": self.stage,
            "done": dict(sorted(self.done.items())),
            "quarantined": dict(sorted(self.quarantined.items())),
            "left_out_before": dict(sorted(self.before.items())),
            "damaged": dict(sorted(self.damaged.items())),
            "bad_share": self.bad_share,
            "seconds": round(self.seconds, 2),
        }


def check_bad_share(report: StageReport, max_bad_share: float, out: Path) -> None:
    """Raise TooManyBadClips when a larger share of a stage's clips than `max_bad_share` was quarantined."""
    if report.bad_share > max_bad_share:
        bad = report.quarantined.total() - report.before.total()
        raise TooManyBadClips(
            f"{report.stage}: {bad} of {report.done.total() + bad} clips are unusable ({report.bad_share:.1%}, "
            f"allowed {max_bad_share:.1%}); the reasons are in {out}/*.quarantine.jsonl; raise --max-bad-share to go on"
        )
