"""Progress of anything longer than a few seconds: the stage, the rate and the time left.

On a terminal a bar is drawn; in a log file (SLURM, CI) one line is printed every half minute instead.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LOG_EVERY_S = 30.0


@contextmanager
def track(stage: str, total: int, unit: str = "clips") -> Iterator[Callable[[int], None]]:
    """Yield `advance(n)`; shows `stage`, done of `total` `unit`, rate and time left on standard error."""
    console = Console(stderr=True)
    if total == 0:
        yield lambda n: None
    elif console.is_terminal:
        with _bar(console, unit) as progress:
            task = progress.add_task(stage, total=total, rate="")
            started = time.monotonic()

            def advance(n: int) -> None:
                progress.advance(task, n)
                done = progress.tasks[0].completed
                progress.update(task, rate=f"{done / max(time.monotonic() - started, 1e-9):.1f} {unit}/s")

            yield advance
    else:
        yield _LogLines(stage, total, unit)


def _bar(console: Console, unit: str) -> Progress:
    return Progress(
        TextColumn("[bold]{task.description:<28}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    )


class _LogLines:
    """The same facts as plain lines, one every LOG_EVERY_S seconds."""

    def __init__(self, stage: str, total: int, unit: str) -> None:
        self.stage, self.total, self.unit = stage, total, unit
        self.done, self.started = 0, time.monotonic()
        self.spoke = self.started

    def __call__(self, n: int) -> None:
        self.done += n
        now = time.monotonic()
        if now - self.spoke < LOG_EVERY_S and self.done < self.total:
            return
        self.spoke = now
        rate = self.done / max(now - self.started, 1e-9)
        left = (self.total - self.done) / max(rate, 1e-9)
        print(
            f"{self.stage}: {self.done}/{self.total} {self.unit}, {rate:.1f} {self.unit}/s, {left:.0f} s left",
            file=sys.stderr,
            flush=True,
        )
