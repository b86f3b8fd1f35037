"""The facts of motion as numbers instead of sentences: does a model need words, or what they say?

    0.53 0.67 0.87 1 15 8

An event is its onset, peak and end in seconds, its units (FACS numbers, or the words of `grid`), and its strength in
percent; events are parted by semicolons, and a quiet gap is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from emotrain.context.facs_words import MOST_EVENTS
from emotrain.records import Event, Summary, Unread

PREFIX = "numbers of "
"""A summary's back end as its facts are told in numbers: what moves it tells it again in numbers."""

QUIET = "0"


def in_numbers(summaries: Sequence[Summary]) -> list[Summary]:
    """The summaries with their events in numbers.

    Raises ValueError for words without events behind them: only back ends that measure have facts.
    """
    odd = next((one for one in summaries if one.changed and not one.events), None)
    if odd is not None:
        raise ValueError(
            f"carrier: numbers: clip {odd.clip_id!r} gap {odd.gap} was summarised by {odd.backend!r} in words without "
            "facts behind them; use summarizer: motion or grid"
        )
    return [replace(one, text=describe(one.events), backend=PREFIX + one.backend) for one in summaries]


def describe(
    events: Sequence[Event], *, cuts_s: Sequence[float] = (), unread: Sequence[Unread] = (), language: str = "en"
) -> str:
    """The numbers of the events, the strongest MOST_EVENTS of them in order; the same in every language."""
    strongest = sorted(sorted(range(len(events)), key=lambda i: -events[i].strength)[:MOST_EVENTS])
    return "; ".join(_numbers(events[i]) for i in strongest) if events else QUIET


def _numbers(event: Event) -> str:
    what = event.action_units if event.action_units else event.regions[:2]
    times = f"{event.onset_s:.2f} {event.apex_s:.2f} {event.offset_s:.2f}"
    return f"{times} {' '.join(what)} {event.strength:.0f}"
