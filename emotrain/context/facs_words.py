"""Events in words: FACS terms for what the face does, never for what it means.

    0.53-0.87 s: inner brows rise, mouth corners pull down (brief, peak 0.67 s).

The vocabulary is closed and small, because a small language model reads it. Every action unit that is hinted at has one
phrase, in the order of FACS; a unit on one side names the side. When no unit is hinted at, moving regions are named.
"""

from __future__ import annotations

from collections.abc import Sequence

from emotrain.records import Event

PHRASES: dict[str, str] = {
    "1": "inner brows rise",
    "2": "outer brows rise",
    "4": "brows lower",
    "5": "upper lids rise",
    "6": "cheeks rise",
    "7": "lids tighten",
    "9": "nose wrinkles",
    "10": "upper lip rises",
    "12": "mouth corners pull up",
    "14": "mouth corners dimple",
    "15": "mouth corners pull down",
    "17": "chin rises",
    "20": "lips stretch",
    "23": "lips tighten",
    "24": "lips press",
    "25": "lips part",
    "26": "jaw drops",
    "45": "eyes blink",
}
"""One phrase a unit; of the paired parts, the first word is the part that a side is put before."""

ONE_SIDE: dict[str, str] = {
    "12": "{side} mouth corner pulls up",
    "14": "{side} mouth corner dimples",
}

QUIET = "no visible change."
SLIGHT, STRONG = 4.0, 12.0
"""Peak motion in percent of the inter-ocular distance below which a change is slight, and from which it is strong."""

BRIEF_S = 0.6
"""An event shorter than this is brief; a micro-expression lasts at most half a second."""


def describe(events: Sequence[Event], *, relative_to_s: float = 0.0) -> str:
    """One sentence an event, in order of time; "no visible change." for none. Times are on the clip's time line."""
    return " ".join(_sentence(event, relative_to_s) for event in events) if events else QUIET


def phrase(unit: str) -> str:
    """The words for one unit, "L12" with its side; raises ValueError for a unit without words."""
    side, number = ("left", unit[1:]) if unit[0] == "L" else ("right", unit[1:]) if unit[0] == "R" else ("", unit)
    if number not in PHRASES:
        raise ValueError(f"no words for action unit {unit!r}; known: {', '.join(PHRASES)}")
    if not side:
        return PHRASES[number]
    return ONE_SIDE[number].format(side=side) if number in ONE_SIDE else f"{side} {PHRASES[number]}"


def vocabulary() -> list[str]:
    """Every phrase that a description can hold, for tokenizers and for tests."""
    sided = [words.format(side=side) for words in ONE_SIDE.values() for side in ("left", "right")]
    return [*PHRASES.values(), *sided, QUIET]


def _sentence(event: Event, relative_to_s: float) -> str:
    start, end, apex = (time - relative_to_s for time in (event.onset_s, event.offset_s, event.apex_s))
    length = event.offset_s - event.onset_s
    lasting = f"brief, peak {apex:.2f} s" if length < BRIEF_S else f"held {length:.1f} s, peak {apex:.2f} s"
    what = ", ".join(phrase(unit) for unit in event.action_units)
    if not what:
        what = "motion of " + ", ".join(event.regions[:2])
    return f"{start:.2f}-{end:.2f} s: {_intensity(event)}{what} ({lasting})."


def _intensity(event: Event) -> str:
    return "slightly: " if event.strength < SLIGHT else "strongly: " if event.strength >= STRONG else ""
