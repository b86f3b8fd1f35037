"""Summaries with a stated share of faults, to measure how much a model's score hangs on good ones.

A gap is corrupted when the hash of (seed, clip, gap) falls below the share, so a larger share corrupts a superset of a
smaller one and a curve over shares is smooth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from emotrain.context import grid_words
from emotrain.context.donors import lend
from emotrain.context.facs_times import cuts_of, unread_of
from emotrain.context.facs_words import PHRASES
from emotrain.context.moving import moved, wrapped
from emotrain.context.vocabularies import describing
from emotrain.records import Event, Summary
from emotrain.stable_hash import stable_hash

Fault = Literal["drop", "swap", "region", "time"]
FAULTS: tuple[Fault, ...] = ("drop", "swap", "region", "time")

UPPER = ("1", "2", "4", "5", "6", "7", "45")
LOWER = tuple(unit for unit in PHRASES if unit not in UPPER)
"""Units of the upper and the lower face, which a wrong region exchanges."""

_WRONG = {"upper": ("chin", "lower lip", "upper lip"), "lower": ("glabella", "left upper lid", "right upper lid")}
_UPPER_WORDS = ("brow", "lid", "glabella", "cheek", "eye")


def corrupt(
    summaries: Sequence[Summary],
    fault: Fault,
    share: float,
    *,
    seed: int = 0,
    other: Callable[[], Sequence[Summary]] | None = None,
    language: str = "en",
) -> list[Summary]:
    """The summaries of a clip with `share` (0-1) of its gaps made wrong.

    `drop` empties a gap; `swap` gives it the words of the same gap of another clip (`other()`); `region` tells the same
    changes of the other half of the face; `time` tells the words of the gap half the clip away, or of the only gap at
    the wrong half of it. Events that move are told at their new times, in `language`. Raises ValueError for `swap`
    without `other`, and for `region` on summaries with words but no structured events.
    """
    struck = {summary.gap for summary in summaries if _struck(summary, share, seed)}
    if not struck:
        return list(summaries)
    if fault == "swap":
        if other is None:
            raise ValueError("corrupt: swap needs another clip's summaries")
        wrong = lend(summaries, other(), language)
    elif fault == "time":
        wrong = _displaced(summaries, language)
    elif fault == "drop":
        wrong = [replace(summary, text="", changed=False, events=()) for summary in summaries]
    else:
        wrong = [_misplaced(summary, seed, language) if summary.gap in struck else summary for summary in summaries]
    return [told if summary.gap in struck else summary for summary, told in zip(summaries, wrong, strict=True)]


def _struck(summary: Summary, share: float, seed: int) -> bool:
    return stable_hash(f"{seed}/corrupt/{summary.clip_id}/{summary.gap}") < share * 2**64


def _misplaced(summary: Summary, seed: int, language: str) -> Summary:
    """The same changes at the same times, told of the other half of the face."""
    if not summary.events:
        if summary.changed:
            raise ValueError(
                f"corrupt: region: clip {summary.clip_id!r} gap {summary.gap} has words but no events to move; "
                "only back ends that store events (motion) can be corrupted so"
            )
        return summary
    displaced = grid_words.elsewhere if summary.backend.endswith("grid") else _elsewhere
    events = tuple(displaced(event, f"{seed}/{summary.clip_id}/{event.apex_s}") for event in summary.events)
    describe = describing(summary.backend)
    text = describe(events, cuts_s=cuts_of(summary.text), unread=unread_of(summary.text), language=language)
    return replace(summary, events=events, text=text)


def _displaced(summaries: Sequence[Summary], language: str) -> list[Summary]:
    """Every gap with the words of the gap half the gaps further on; gaps without length are never shown and stay."""
    gaps = [summary for summary in summaries if summary.end_s > summary.start_s]
    end_s = max((gap.end_s for gap in gaps), default=0.0)
    if len(gaps) == 1:
        told = {gaps[0].gap: wrapped(gaps[0], end_s, language)}
    else:
        half = len(gaps) // 2
        words = [*gaps[half:], *gaps[:half]]
        told = {gap.gap: moved(gap, word, end_s, language) for gap, word in zip(gaps, words, strict=True)}
    return [told.get(summary.gap, summary) for summary in summaries]


def _elsewhere(event: Event, key: str) -> Event:
    units = tuple(dict.fromkeys(_exchange(unit, key) for unit in event.action_units))
    regions = tuple(
        dict.fromkeys(
            _pick(_WRONG["upper" if any(word in region for word in _UPPER_WORDS) else "lower"], f"{key}/{region}")
            for region in event.regions
        )
    )
    return replace(event, action_units=units, regions=regions)


def _exchange(unit: str, key: str) -> str:
    number = unit.lstrip("LR")
    return _pick(LOWER if number in UPPER else UPPER, f"{key}/{number}")


def _pick(choices: Sequence[str], key: str) -> str:
    return choices[stable_hash(key) % len(choices)]
