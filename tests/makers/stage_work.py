"""Stage functions for the tests of shards and workers; a module of its own, so that child processes can import it."""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from emotrain.clip_errors import ClipError, Damaged
from emotrain.records import Clip

SCHEMA = pa.schema([("clip_id", pa.string()), ("copy", pa.int32())])


LABELS = ("good", "good", "good", "bad")


def some_clips(count: int, labels: tuple[str, ...] = LABELS) -> list[Clip]:
    """Clips whose labels go round."""
    return [Clip(f"clip{i}", f"{i}.mp4", labels[i % len(labels)]) for i in range(count)]


def two_rows(clip: Clip) -> list[dict[str, Any]]:
    """Two rows a clip; clips labelled `bad` cannot be used."""
    if clip.label == "bad":
        raise ClipError(f"{clip.clip_id} is bad")
    return [{"clip_id": clip.clip_id, "copy": copy} for copy in range(2)]


@dataclass(frozen=True)
class Noted:
    """Two rows, slowly, with a line in a file for each call."""

    notes: Path
    seconds: float

    def __call__(self, clip: Clip) -> list[dict[str, Any]]:
        with self.notes.open("a") as file:
            file.write(clip.clip_id + "\n")
        time.sleep(self.seconds)
        return two_rows(clip)


def troubled(clip: Clip) -> list[dict[str, Any]]:
    """Hangs, crashes or goes wrong, as the clip's label says."""
    if clip.label == "hangs":
        time.sleep(60)
    if clip.label == "spins":
        spin()
    if clip.label == "crashes":
        os.abort()
    if clip.label == "raises":
        raise ZeroDivisionError("a mistake in the program")
    return two_rows(clip)


def spin(_: object = None) -> None:
    """Works for ages inside the C code of `re`, with the interpreter lock held."""
    re.match("(a+)+$", "a" * 40 + "b")


@dataclass(frozen=True)
class CrashOnce:
    """Crashes on the first call and leaves a mark, works on the second."""

    mark: Path

    def __call__(self, item: int) -> int:
        if not self.mark.exists():
            self.mark.touch()
            os.abort()
        return item


@dataclass(frozen=True)
class EndsWorker:
    """Two rows; on clips labelled `deadly` the process that gave out the clip is killed, `times` times."""

    marks: Path
    times: int

    def __call__(self, clip: Clip) -> list[dict[str, Any]]:
        if clip.label == "deadly":
            tries = len(list(self.marks.iterdir()))
            if tries < self.times:
                (self.marks / str(tries)).touch()
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(60)
        return two_rows(clip)


def square(item: int) -> int:
    """A quarter of the items take longer than those after them."""
    time.sleep(0.05 if item % 4 == 0 else 0)
    return item * item


def stuck_on_nines(path: Path) -> tuple[float, int, float]:
    """A probe that never answers for files named 9."""
    if path.stem == "9":
        time.sleep(60)
    return 25.0, 50, 2.0


def half_lost(clip: Clip) -> list[dict[str, Any]] | Damaged:
    """Clips labelled `torn` are kept in part."""
    rows = [{"clip_id": clip.clip_id, "copy": copy} for copy in range(2)]
    return Damaged(rows[:1], "1 of 2 copies") if clip.label == "torn" else rows
