"""Summaries of a clip told again for other gaps: after new keyframes were drawn, or with another number of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from emotrain.context.facs_words import cuts_of, describe
from emotrain.context.gaps import events_by_gap, gap_at, times_by_gap
from emotrain.records import Event, Gap, Summary


def retold(summaries: Sequence[Summary], gaps: Sequence[Gap], language: str) -> list[Summary]:
    """Summaries of a clip as those of `gaps`: events by their apex, cuts by their time, other texts by their middle.

    Cuts are read back from the text, which states them to a hundredth of a second. Empty for no summaries.
    """
    if not summaries:
        return []
    if summaries[0].backend == "motion" or any(summary.events for summary in summaries):
        return _by_time(summaries, gaps, language)
    texts: list[list[str]] = [[] for _ in gaps]
    for summary in summaries:
        if summary.changed:
            texts[gap_at((summary.start_s + summary.end_s) / 2, gaps)].append(summary.text)
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
    return told(events, cuts_s, gaps, summaries[0].backend, language)


def told(
    events: Sequence[Event], cuts_s: Sequence[float], gaps: Sequence[Gap], backend: str, language: str
) -> list[Summary]:
    """One summary a gap: each event in the gap of its apex, each cut where it lies; seconds on the clip's time line."""
    by_gap = zip(gaps, events_by_gap(events, gaps), times_by_gap(cuts_s, gaps))
    return [
        Summary(
            gap.clip_id,
            gap.gap,
            gap.start_s,
            gap.end_s,
            describe(of_gap, cuts_s=cuts, language=language),
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
