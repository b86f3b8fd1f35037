"""The time line of a stream: the camera's own stamps, as long as they can be believed."""

from __future__ import annotations

import math
from dataclasses import dataclass

JUMP_S = 1.0
"""Stamps that leave the time at which frames arrive by more than this, at once, have jumped."""


@dataclass(slots=True)
class StreamClock:
    """Stamps as they come, to seconds from 0 that only increase, and how old a frame is.

    A frame that was delayed on its way is told as old as it is: of all frames since the last jump, the one that was
    quickest says how far the two clocks lie apart.
    """

    _shift: float = 0.0
    _apart: float = math.inf
    _last: float | None = None
    _stamp: float | None = None
    _arrived: float = 0.0

    def at(self, stamp_s: float | None, arrived_s: float) -> tuple[float, float | None]:
        """Time of a frame that arrived at `arrived_s`, and by how much its stamp had jumped; None where it had not.

        A frame without a stamp is as old as its arrival.
        """
        stamp = arrived_s if stamp_s is None or not math.isfinite(stamp_s) else stamp_s
        if self._last is None or self._stamp is None:
            self._last, self._stamp, self._arrived, self._shift = 0.0, stamp, arrived_s, -stamp
            self._apart = arrived_s
            return 0.0, None
        went, passed = stamp - self._stamp, arrived_s - self._arrived
        jumped = went <= 0 or (abs(went - passed) > JUMP_S and went > passed)
        by = None
        if jumped:
            # A stamp may stand still for a frame; that is no news.
            by = went - passed if abs(went - passed) > JUMP_S else None
            self._shift += max(passed, 1e-3) - went
        time_s = max(stamp + self._shift, self._last + 1e-4)
        if by is not None:
            self._apart = math.inf
        self._last, self._stamp, self._arrived = time_s, stamp, arrived_s
        self._apart = min(self._apart, arrived_s - time_s)
        return time_s, by

    def age_s(self, time_s: float, now_s: float) -> float:
        """Seconds since the moment that a frame of `time_s` shows, by the clock that arrivals are told by."""
        return max(now_s - time_s - self._apart, 0.0) if math.isfinite(self._apart) else 0.0
