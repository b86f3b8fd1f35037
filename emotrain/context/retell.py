"""Summaries of a clip told again for other gaps: after new keyframes were drawn, or with another number of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from emotrain.context.facs_times import cuts_of, unread_of, within
from emotrain.context.gaps import events_by_gap, gap_at, times_by_gap
from emotrain.context.vocabularies import describing
from emotrain.records import Event, Gap, Summary, Unread


def retold(summaries: Sequence[Summary], gaps: Sequence[Gap], language: str) -> list[Summary]:
    """Summaries of a clip as those of `gaps`: events by their apex, cuts by their time, other texts by their middle.

    Cuts are read back from the text, which states them to a hundredth of a second. Empty for no summaries.
    """
    if not summaries:
        return []
    if summaries[0].backend.endswith("motion") or any(summary.events for summary in summaries):
        return _by_time(summaries, gaps, language)
    texts: list[list[str]] = [[] for _ in gaps]
    for summary in summaries:
        if summary.changed:
            texts[gap_at((summary.start_s + summary.end_s) / 2, gaps)].append(summary.text)
    describe = describing(summaries[0].backend)
    quiet = next((summary.text for summary in summaries if not summary.changed), describe((), language=language))
    return [
        Summary(
            gap.clip_id,
            gap.gap,
            gap.start_s,
            gap.end_s,
            " ".join(of_gap) if of_gap else quiet,
            bool(of_gap),
            summaries[0].backend,
        )
        for gap, of_gap in zip(gaps, texts)
    ]


def _by_time(summaries: Sequence[Summary], gaps: Sequence[Gap], language: str) -> list[Summary]:
    events = [event for summary in summaries for event in summary.events]
    cuts_s = [cut_s for summary in summaries for cut_s in _cuts(summary)]
    unread = [part for summary in summaries for part in unread_of(summary.text)]
    told_again = told(events, cuts_s, gaps, summaries[0].backend, language, unread=unread)
    return [replace(summary, seen_share=_seen_share(summary, summaries)) for summary in told_again]


def told(
    events: Sequence[Event],
    cuts_s: Sequence[float],
    gaps: Sequence[Gap],
    backend: str,
    language: str,
    *,
    unread: Sequence[Unread] = (),
) -> list[Summary]:
    """One summary a gap: each event in the gap of its apex, cuts and what is unread where they lie; in seconds."""
    describe = describing(backend)
    by_gap = zip(gaps, events_by_gap(events, gaps), times_by_gap(cuts_s, gaps))
    return [
        Summary(
            gap.clip_id,
            gap.gap,
            gap.start_s,
            gap.end_s,
            describe(of_gap, cuts_s=cuts, unread=within(unread, gap.start_s, gap.end_s), language=language),
            bool(of_gap),
            backend,
            tuple(of_gap),
        )
        for gap, of_gap, cuts in by_gap
    ]


def _cuts(summary: Summary) -> list[float]:
    """The cuts of a summary in seconds; rounding in the text must not carry one over the edge of its gap."""
    last_s = math.nextafter(summary.end_s, summary.start_s)
    return [min(max(cut_s, summary.start_s), last_s) for cut_s in cuts_of(summary.text)]


def _seen_share(gap: Summary, summaries: Sequence[Summary]) -> float | None:
    """The share of `gap` in which the face was seen, by those of the gaps that it is made of."""
    parts = [
        (min(old.end_s, gap.end_s) - max(old.start_s, gap.start_s), old.seen_share)
        for old in summaries
        if old.seen_share is not None
    ]
    known = [(length, share) for length, share in parts if length > 0 and share is not None]
    total = sum(length for length, _ in known)
    return sum(length * share for length, share in known) / total if total > 0 else None
