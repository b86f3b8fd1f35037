"""Summaries of a clip told again for other gaps: after new keyframes were drawn, or with another number of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from emotrain.context.facs_words import cuts_of, describe
from emotrain.context.gaps import events_by_gap, gap_at, times_by_gap
from emotrain.records import Gap, Summary


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
    events = events_by_gap([event for summary in summaries for event in summary.events], gaps)
    cuts = times_by_gap([cut_s for summary in summaries for cut_s in _cuts(summary)], gaps)
    return [
        Summary(
            gap.clip_id,
            gap.gap,
            gap.start_s,
            gap.end_s,
            describe(of_gap, cuts_s=cuts_s, language=language),
            bool(of_gap),
            summaries[0].backend,
            tuple(of_gap),
        )
        for gap, of_gap, cuts_s in zip(gaps, events, cuts)
    ]


def _cuts(summary: Summary) -> list[float]:
    """The cuts of a summary in seconds; rounding in the text must not carry one over the edge of its gap."""
    last_s = math.nextafter(summary.end_s, summary.start_s)
    return [min(max(cut_s, summary.start_s), last_s) for cut_s in cuts_of(summary.text)]
