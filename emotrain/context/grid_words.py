"""Events of any scene in words: what moves where, which way and how fast; never what it is or means.

0.93-1.50 s: something moves to the right at medium speed, from lower centre to lower right (peak 1.20 s).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from emotrain.context import facs_words_zh as zh
from emotrain.context.facs_words import MORE_EVENTS, MOST_EVENTS, QUIET, check_language
from emotrain.motion.grid_motion import BRIGHTER, COLUMNS, DARKER, DIRECTIONS, EVERYWHERE, ROWS, SHAKES, SPEEDS
from emotrain.records import Event, Unread

_ZH: dict[str, str] = {
    **dict(zip(ROWS, ("上", "中", "下"))),
    **dict(zip(COLUMNS, ("左", "中", "右"))),
    **dict(zip(DIRECTIONS, ("向左", "向右", "向上", "向下"))),
    **dict(zip(SPEEDS, ("缓慢", "以中等速度", "快速"))),
    EVERYWHERE: "各处",
}
_OPPOSITE = {"left": "right", "right": "left", "upper": "lower", "lower": "upper", "up": "down", "down": "up"}


def describe(
    events: Sequence[Event], *, cuts_s: Sequence[float] = (), unread: Sequence[Unread] = (), language: str = "en"
) -> str:
    """One sentence an event, in order; "no visible change." for none. Raises ValueError for an unknown language.

    Of more than MOST_EVENTS the strongest are told and the others counted. This back end tells of no cut and nothing
    unread.
    """
    check_language(language)
    strongest = sorted(sorted(range(len(events)), key=lambda i: -events[i].strength)[:MOST_EVENTS])
    told = [(_sentence if language == "en" else _sentence_zh)(events[i]) for i in strongest]
    if len(events) > MOST_EVENTS:
        told.append((MORE_EVENTS if language == "en" else zh.MORE_EVENTS).format(count=len(events) - MOST_EVENTS))
    return (" " if language == "en" else "").join(told) if told else QUIET if language == "en" else zh.QUIET


def elsewhere(event: Event, key: str) -> Event:
    """The same event told of the opposite place and direction: a fault that is put in on purpose."""
    regions = tuple(" ".join(_OPPOSITE.get(word, word) for word in region.split()) for region in event.regions)
    units = tuple(_OPPOSITE.get(unit, unit) for unit in event.action_units)
    # What has no opposite is told of another place all the same.
    return replace(event, regions=("upper left",) if regions == event.regions else regions, action_units=units)


def _sentence(event: Event) -> str:
    span = f"{event.onset_s:.2f}-{event.offset_s:.2f} s"
    peak = f"(peak {event.apex_s:.2f} s)"
    units = event.action_units
    if units[0] in (BRIGHTER, DARKER):
        return f"{span}: it gets {units[0]} {' and '.join(event.regions)} {peak}."
    if units[0] == SHAKES:
        return f"{span}: something shakes at {event.regions[0]} {peak}."
    way = " and ".join(f"to the {unit}" if unit in ("left", "right") else unit for unit in units[:-1])
    return f"{span}: something moves {way} {units[-1]}, {_from_to(event.regions)} {peak}."


def _from_to(regions: Sequence[str]) -> str:
    return f"at {regions[0]}" if len(regions) == 1 else f"from {regions[0]} to {regions[1]}"


def _sentence_zh(event: Event) -> str:
    span = f"{event.onset_s:.2f}–{event.offset_s:.2f} 秒"
    places = ["".join(_ZH[word] for word in region.split()) for region in event.regions]
    units = event.action_units
    if units[0] in (BRIGHTER, DARKER):
        what = f"{places[0]}变{'亮' if units[0] == BRIGHTER else '暗'}"
    elif units[0] == SHAKES:
        what = f"有物体在{places[0]}晃动"
    else:
        where = f"在{places[0]}" if len(places) == 1 else f"从{places[0]}到{places[1]}"
        what = f"有物体{where}{_ZH[units[-1]]}{'、'.join(_ZH[unit] for unit in units[:-1])}移动"
    return f"{span}：{what}（峰值 {event.apex_s:.2f} 秒）。"
