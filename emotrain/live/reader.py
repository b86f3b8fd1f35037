"""One model for any number of streams: a place for one window each, newest wins, and everybody has their turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any, Protocol

from emotrain.inference.clip_input import SeenClip
from emotrain.inference.reading import Reading

AT_ONCE = 8
"""Windows that are read in one batch, at most one of each stream."""


class Reads(Protocol):
    """Who reads; `inference.recogniser.Recogniser` does."""

    def read(self, clips: Sequence[SeenClip]) -> list[Reading]:
        """One reading a clip."""


@dataclass
class Asked:
    """A window that waits, and who is told its reading."""

    clip: SeenClip
    tell: Callable[[Reading, int], Any]
    skipped: int = 0


@dataclass
class Reader:
    """`ask` never waits: what stands in the stream's place is replaced, and counted. `turn` reads what waits.

    Of more streams than fit a batch those that waited longest come first, so each has its turn.
    """

    recogniser: Reads
    at_once: int = AT_ONCE
    read: int = 0
    busy_s: float = 0.0
    _waiting: dict[str, Asked] = field(default_factory=dict)
    _changed: Condition = field(default_factory=Condition)
    _ended: bool = False
    _thread: Thread | None = None
    _fault: BaseException | None = None

    def ask(self, stream: str, clip: SeenClip, tell: Callable[[Reading, int], Any]) -> None:
        """Put a window into the stream's place; raises what the reading of an earlier one raised."""
        with self._changed:
            if self._fault is not None:
                raise self._fault
            before = self._waiting.get(stream)
            # A replaced window keeps its place in the order: a busy stream does not fall behind by being busy.
            self._waiting[stream] = Asked(clip, tell, 0 if before is None else before.skipped + 1)
            self._changed.notify_all()

    def turn(self) -> int:
        """Read one batch of what waits; the number of windows."""
        with self._changed:
            names = list(self._waiting)[: self.at_once]
            asked = [self._waiting.pop(name) for name in names]
        if not asked:
            return 0
        started = time.perf_counter()
        clips = [one.clip for one in asked]
        readings = self.recogniser.read(clips)
        self.busy_s += time.perf_counter() - started
        self.read += len(asked)
        for one, reading in zip(asked, readings, strict=True):
            one.tell(reading, one.skipped)
        return len(asked)

    def start(self) -> None:
        """Read in a thread of its own until `close`."""
        self._thread = Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Read what still waits, then end; raises what a reading raised."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        if self._fault is not None:
            raise self._fault

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: bool(self._waiting) or self._ended)
                    if not self._waiting:
                        return
                self.turn()
        except BaseException as fault:  # told to whoever asks next, in their thread
            with self._changed:
                self._fault = fault
                self._changed.notify_all()
