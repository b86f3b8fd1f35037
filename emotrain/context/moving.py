"""The words of one gap told in another, with their times: an event keeps its course and peaks in the gap it moved to.

A motion text states when each change began, peaked and ended. Words that moved and kept those times would still say
where they belong, and a control that moves them would hide nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from emotrain.context.facs_times import cuts_of, shifted, unread_of
from emotrain.context.vocabularies import describing
from emotrain.records import Event, Summary

Move = Callable[[float], float]
"""A time in seconds before the move -> after it."""


def moved(gap: Summary, words: Summary, clip_end_s: float, language: str = "en") -> Summary:
    """`gap` with what `words` tells, its times moved by the difference of the two gaps' starts.

    An apex that would lie past a shorter gap is drawn back to its end; onset and offset keep their distance from the
    apex and are cut at 0 and `clip_end_s`. Texts without events and cuts have no times to move and stay as they are.
    """

    def move(time_s: float) -> float:
        return min(max(time_s - words.start_s + gap.start_s, gap.start_s), gap.end_s)

    return _told(gap, words, move, clip_end_s, language)


def wrapped(gap: Summary, clip_end_s: float, language: str = "en") -> Summary:
    """The gap's own words told half its length later; what would pass its end comes in again at its start."""
    length_s = gap.end_s - gap.start_s

    def move(time_s: float) -> float:
        return gap.start_s + (time_s - gap.start_s + length_s / 2) % length_s

    return gap if length_s <= 0 else _told(gap, gap, move, clip_end_s, language)


def _told(gap: Summary, words: Summary, move: Move, clip_end_s: float, language: str) -> Summary:
    events = tuple(_shifted(event, move(event.apex_s) - event.apex_s, clip_end_s) for event in words.events)
    cuts_s, unread = cuts_of(words.text), unread_of(words.text)
    describe = describing(words.backend)
    # Other back ends may tell of a cut in words of their own; only a text in the words of motion is told again.
    ours = words.text == describe((), cuts_s=cuts_s, unread=unread, language=language)
    if events or ((cuts_s or unread) and ours):
        text = describe(
            events, cuts_s=[move(cut_s) for cut_s in cuts_s], unread=shifted(unread, move), language=language
        )
    else:
        text = words.text
    return replace(gap, text=text, changed=words.changed, events=events)


def _shifted(event: Event, by_s: float, clip_end_s: float) -> Event:
    onset_s, apex_s, offset_s = (
        min(max(time_s + by_s, 0.0), clip_end_s) for time_s in (event.onset_s, event.apex_s, event.offset_s)
    )
    return replace(event, onset_s=onset_s, apex_s=apex_s, offset_s=offset_s)
