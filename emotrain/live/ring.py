"""Frames between the camera and those who look at them: bounded by seconds and by bytes, the oldest given up first."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Condition
from typing import Any

from emotrain.video.reader import Picture


@dataclass(frozen=True, slots=True)
class Grabbed:
    """One frame of a camera: its time on the stream's time line, when it arrived, and the bytes that it takes.

    `why` in place of a picture says what happened to the camera from here on.
    """

    time_s: float
    arrived_s: float
    picture: Picture | None
    bytes: int = 0
    why: Any = None


class Ring:
    """A queue that never makes the giver wait: what is too much is dropped from its old end, and counted."""

    def __init__(self, seconds: float = 2.0, most_bytes: int = 256 << 20) -> None:
        self.seconds, self.most_bytes = seconds, most_bytes
        self.dropped = 0
        self.newest_s = 0.0
        self._held: deque[Grabbed] = deque()
        self._bytes = 0
        self._changed = Condition()
        self._closed = False

    def put(self, one: Grabbed) -> None:
        """Hold a frame; the oldest frames go where seconds or bytes are exceeded. News of the camera is never lost."""
        with self._changed:
            self._held.append(one)
            self._bytes += one.bytes
            if one.picture is not None:
                self.newest_s = one.time_s
            while True:
                first = next((i for i, held in enumerate(self._held) if held.picture is not None), len(self._held))
                if first >= len(self._held) - 1:
                    break
                late = one.time_s - self._held[first].time_s > self.seconds
                if not late and self._bytes <= self.most_bytes:
                    break
                self._bytes -= self._held[first].bytes
                del self._held[first]
                self.dropped += 1
            self._changed.notify()

    def get(self, patience_s: float | None = None) -> Grabbed | None:
        """The oldest frame; None when none came in time, or when the camera has ended (see `ended`)."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._held) or self._closed, patience_s)
            if not self._held:
                return None
            one = self._held.popleft()
            self._bytes -= one.bytes
            return one

    def close(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    @property
    def ended(self) -> bool:
        """Whether everything that came was taken, and nothing more will come."""
        with self._changed:
            return self._closed and not self._held

    @property
    def bytes(self) -> int:
        """Bytes of the frames held."""
        return self._bytes
