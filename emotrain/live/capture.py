"""The thread that empties a camera: every frame into the ring, every loss said, and the camera opened again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

from emotrain.live.clock import StreamClock
from emotrain.live.ring import Grabbed, Ring
from emotrain.live.sources import Source, SourceLost, Taken

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
"""Seconds before a lost camera is opened again, doubled at each failure."""


@dataclass
class Capture:
    """Empties `source` into `ring`. `keep` is given every frame with its time, before anything can drop it."""

    source: Source
    ring: Ring
    keep: Callable[[float, Taken], Any] | None = None
    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], Any] | None = None
    clock: StreamClock = field(default_factory=StreamClock)
    fault: BaseException | None = None
    frames: int = 0
    _stop: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def start(self) -> None:
        """Empty the source in a thread of its own."""
        self._thread = Thread(target=self.run, name=f"capture {self.source.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No more frames; the thread ends with the next one."""
        self._stop.set()

    def join(self, patience_s: float) -> None:
        """Wait for the thread, a camera that hangs no longer than this."""
        if self._thread is not None:
            self._thread.join(patience_s)

    def run(self) -> None:
        """Until the source ends for good or `stop` is called; a fault that is no loss is kept for the other thread."""
        try:
            self._run()
        except BaseException as fault:
            self.fault = fault
        finally:
            self.ring.close()

    def _run(self) -> None:
        patience = FIRST_WAIT_S
        while not self._stop.is_set():
            before = self.frames
            try:
                self._empty()
                words = f"{self.source.name}: the stream has ended"
            except SourceLost as lost:
                words = str(lost)
                if not self.source.lasting:
                    raise
            if not self.source.lasting or self._stop.is_set():
                return
            patience = FIRST_WAIT_S if self.frames > before else min(2 * patience, LONGEST_WAIT_S)
            self._say("reconnecting", f"{words}; opened again in {patience:g} s")
            (self.wait or self._stop.wait)(patience)

    def _empty(self) -> None:
        begun = self.now()
        first: float | None = None
        again = self.frames > 0
        for taken in self.source.frames():
            if self.source.paced and taken.stamp_s is not None:
                first = taken.stamp_s if first is None else first
                (self.wait or self._stop.wait)(max(begun + taken.stamp_s - first - self.now(), 0.0))
            if self._stop.is_set():
                return
            arrived = self.now()
            time_s, jumped = self.clock.at(taken.stamp_s, arrived)
            if again:
                # Another connection counts from another time: that is no news of the clock.
                self._say("back", f"{self.source.name} is back", time_s)
                again, jumped = False, None
            if jumped is not None:
                self._say("clock", f"the camera's clock jumped by {jumped:+.2f} s", time_s)
            self.frames += 1
            if self.keep is not None:
                self.keep(time_s, taken)
            self.ring.put(Grabbed(time_s, arrived, taken.picture, taken.bytes))

    def _say(self, what: str, words: str, time_s: float | None = None) -> None:
        at = self.ring.newest_s if time_s is None else time_s
        self.ring.put(Grabbed(at, self.now(), None, 0, (what, words)))
