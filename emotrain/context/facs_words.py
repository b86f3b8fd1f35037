"""Events in words: FACS terms for what the face does, never for what it means.

    0.53-0.87 s: inner brows rise, mouth corners pull down (brief, peak 0.67 s).

The vocabulary is closed and small, because a small language model reads it. Every action unit that is hinted at has one
phrase, in the order of FACS; a unit on one side names the side. When no unit is hinted at, moving regions are named.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from emotrain.context import facs_words_zh as zh
from emotrain.context.facs_times import sentences
from emotrain.records import Event, Unread

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

LANGUAGES = ("en", "zh")

QUIET = "no visible change."
MOST_EVENTS, MOST_CUTS, MOST_UNREAD = 8, 4, 4
"""Changes of one gap that are told, the strongest; cuts and stretches without a face, the first. More are counted,
however long the gap is."""
MORE_EVENTS = "and {count} weaker changes."
MORE_CUTS = "and {count} more cuts."
MORE_UNREAD = "and {count} more times without a face."

SLIGHT, STRONG = 4.0, 12.0
"""Peak motion in percent of the inter-ocular distance below which a change is slight, and from which it is strong."""

UNSURE = 0.7
"""An event told with less confidence is "perhaps" there."""

BRIEF_S = 0.6
"""An event shorter than this is brief; a micro-expression lasts at most half a second."""


def describe(
    events: Sequence[Event], *, cuts_s: Sequence[float] = (), unread: Sequence[Unread] = (), language: str = "en"
) -> str:
    """One sentence an event, a cut and a stretch without a face, in order of time; "no visible change." for none.

    Times are on the clip's time line. Events come in order of onset; of more than MOST_EVENTS the strongest are told
    and the others counted, of cuts and unread
    stretches the first. Raises ValueError for a language without words.
    """
    check_language(language)
    strongest = sorted(range(len(events)), key=lambda i: -events[i].strength)[:MOST_EVENTS]
    if language == "en":
        sentence, quiet, more = _sentence, QUIET, (MORE_EVENTS, MORE_CUTS, MORE_UNREAD)
    else:
        sentence, quiet, more = _sentence_zh, zh.QUIET, (zh.MORE_EVENTS, zh.MORE_CUTS, zh.MORE_UNREAD)
    told = [(events[i].onset_s, sentence(events[i])) for i in sorted(strongest)]
    told += sentences(cuts_s[:MOST_CUTS], unread[:MOST_UNREAD], language)
    rest = (len(events) - MOST_EVENTS, len(cuts_s) - MOST_CUTS, len(unread) - MOST_UNREAD)
    counted = [words.format(count=count) for count, words in zip(rest, more) if count > 0]
    joint = " " if language == "en" else ""
    return joint.join([*(words for _, words in sorted(told, key=itemgetter(0))), *counted]) if told else quiet


def check_language(language: str) -> None:
    """Raise ValueError for a language that events cannot be told in."""
    if language not in LANGUAGES:
        raise ValueError(f"no words for events in language {language!r}; known: {', '.join(LANGUAGES)}")


def phrase(unit: str, language: str = "en") -> str:
    """The words for one unit, "L12" with its side; raises ValueError for a unit without words."""
    side, number = ("left", unit[1:]) if unit[0] == "L" else ("right", unit[1:]) if unit[0] == "R" else ("", unit)
    if number not in PHRASES:
        raise ValueError(f"no words for action unit {unit!r}; known: {', '.join(PHRASES)}")
    if language == "zh":
        return zh.SIDES.get(side, "") + zh.PHRASES[number]
    if not side:
        return PHRASES[number]
    return ONE_SIDE[number].format(side=side) if number in ONE_SIDE else f"{side} {PHRASES[number]}"


def vocabulary() -> list[str]:
    """Every phrase that tells of the face, for tokenizers and for tests."""
    sided = [words.format(side=side) for words in ONE_SIDE.values() for side in ("left", "right")]
    return [*PHRASES.values(), *sided, QUIET]


def _sentence(event: Event) -> str:
    length = event.offset_s - event.onset_s
    lasting = "brief" if length < BRIEF_S else f"held {length:.1f} s"
    what = ", ".join(phrase(unit) for unit in event.action_units)
    if not what:
        what = "motion of " + ", ".join(event.regions[:2])
    span = f"{event.onset_s:.2f}-{event.offset_s:.2f} s"
    return f"{span}: {_intensity(event)}{what} ({lasting}, peak {event.apex_s:.2f} s)."


def _sentence_zh(event: Event) -> str:
    length = event.offset_s - event.onset_s
    lasting = (zh.BRIEF if length < BRIEF_S else zh.HELD).format(length=length, apex=event.apex_s)
    what = "、".join(phrase(unit, "zh") for unit in event.action_units)
    if not what:
        what = zh.MOTION.format(regions="、".join(_region_zh(region) for region in event.regions[:2]))
    unsure = event.confidence is not None and event.confidence < UNSURE
    weak, strong = event.strength < SLIGHT, event.strength >= STRONG
    how = (zh.PERHAPS if unsure else "") + (zh.SLIGHTLY if weak else zh.STRONGLY if strong else "")
    return zh.SENTENCE.format(
        start=event.onset_s,
        end=event.offset_s,
        intensity=f"{how}：" if how else "",
        what=what,
        lasting=lasting,
    )


def _region_zh(region: str) -> str:
    side, _, name = region.partition(" ")
    return zh.SIDES[side] + zh.REGIONS[name] if side in zh.SIDES else zh.REGIONS[region]


def _intensity(event: Event) -> str:
    how = ["perhaps"] if event.confidence is not None and event.confidence < UNSURE else []
    how += ["slightly"] if event.strength < SLIGHT else ["strongly"] if event.strength >= STRONG else []
    return f"{' '.join(how)}: " if how else ""
