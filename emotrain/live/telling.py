"""When an event of a stream is told: once, and not before what follows it can no longer change what it is.

An event that is over within a second is sought against the second around it, one that lasts against a rest that is the
median of eight. So the one is told `BRIEF_AHEAD_S` after its end and the other `LASTING_AHEAD_S`, and each only when
two looks in a row have found it in the same place. What a stretch ends with is told at once, as a clip's end is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from emotrain.live.records import ToldEvent
from emotrain.records import Event

BRIEF_S = 1.0
BRIEF_AHEAD_S, LASTING_AHEAD_S = 1.0, 4.0

STILL_S = 0.07
"""An event whose edges moved by less than this from one look to the next has settled: two frames at 30 frames/s."""

SAME_SHARE = 0.5
"""Events of one kind that overlap by more than this share of the shorter one are one event, told before."""


@dataclass
class Telling:
    """What has been told of a stretch, and what the last look found."""

    told: list[tuple[bool, Event]] = field(default_factory=list)
    _before: list[tuple[bool, Event]] = field(default_factory=list)

    def tell(
        self, events: Sequence[Event], blinks: Sequence[Event], now_s: float, *, over: bool = False
    ) -> list[ToldEvent]:
        """The events to tell when the face was read up to `now_s`; all that are left where the stretch is `over`."""
        found = [*((False, event) for event in events), *((True, blink) for blink in blinks)]
        fresh = [
            one
            for one in found
            if (
                over or (one[1].offset_s + ahead_s(one[1]) <= now_s and any(_settled(one, was) for was in self._before))
            )
            and not any(_same(one, was) for was in self.told)
        ]
        self._before = found
        self.told += fresh
        oldest = now_s - 60.0
        self.told = [one for one in self.told if one[1].offset_s >= oldest]
        fresh.sort(key=lambda one: one[1].onset_s)
        return [ToldEvent(event, blink, now_s) for blink, event in fresh]


def ahead_s(event: Event) -> float:
    """Seconds that must have been seen after an event before it is told."""
    return BRIEF_AHEAD_S if event.offset_s - event.onset_s <= BRIEF_S else LASTING_AHEAD_S


def _settled(one: tuple[bool, Event], was: tuple[bool, Event]) -> bool:
    return (
        one[0] == was[0]
        and abs(one[1].onset_s - was[1].onset_s) <= STILL_S
        and abs(one[1].offset_s - was[1].offset_s) <= STILL_S
    )


def _same(one: tuple[bool, Event], was: tuple[bool, Event]) -> bool:
    a, b = one[1], was[1]
    if one[0] != was[0] or (a.offset_s - a.onset_s <= BRIEF_S) != (b.offset_s - b.onset_s <= BRIEF_S):
        return False
    shared = min(a.offset_s, b.offset_s) - max(a.onset_s, b.onset_s)
    return shared > SAME_SHARE * min(a.offset_s - a.onset_s, b.offset_s - b.onset_s)
