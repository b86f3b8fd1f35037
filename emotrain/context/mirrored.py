"""Words about a face as its mirror image: left is right, in English and Chinese, in texts as in events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from emotrain.records import Event, Summary

_SIDES = {"left": "right", "right": "left", "左": "右", "右": "左"}
_SIDE = re.compile(r"\b(?:left|right)\b|[左右]", re.IGNORECASE)


def mirrored(summaries: Sequence[Summary]) -> list[Summary]:
    """The summaries of a clip as they would be of its mirror image; of motion's exactly so, of others word by word."""
    return [
        replace(
            summary,
            text=mirrored_text(summary.text),
            events=tuple(_event(event) for event in summary.events),
        )
        for summary in summaries
    ]


def mirrored_text(text: str) -> str:
    """A text with its sides exchanged; capitals stay."""

    def other(found: re.Match[str]) -> str:
        side = _SIDES[found[0].lower()]
        return side.upper() if found[0].isupper() else side.capitalize() if found[0][0].isupper() else side

    return _SIDE.sub(other, text)


def _event(event: Event) -> Event:
    units = tuple(f"{'RL'['LR'.index(unit[0])]}{unit[1:]}" if unit[0] in "LR" else unit for unit in event.action_units)
    return replace(event, regions=tuple(map(mirrored_text, event.regions)), action_units=units)
