"""Emotion words in a summary would tell the model the answer: find them, and drop, mask or refuse the text.

Words are taken from the aliases of all labels with their inflections, in English and Chinese. English words match whole
words without case; Chinese has no word boundaries, so its words match anywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from emotrain.emotions import ALIASES

Policy = Literal["drop", "mask", "fail"]

MASK = "[...]"

# "other", "negative" and "positive" are ordinary words of a description; as labels they name no emotion.
_ORDINARY = frozenset({"others", "negative", "positive"})

_INFLECTIONS: dict[str, tuple[str, ...]] = {
    "anger": ("angers", "angering", "angrily", "anger's", "enraged", "raging", "fury", "furiously", "irritated"),
    "disgust": ("disgusts", "disgustedly", "disgustingly", "revolted"),
    "fear": ("fears", "fearing", "feared", "fearfully", "frightening", "fright", "scare", "scary", "terror"),
    "happiness": ("happier", "happiest", "joyfully", "joys", "delight", "delightedly", "cheerful", "cheerfully"),
    "neutral": ("neutrally", "expressionlessly"),
    "sadness": ("sadly", "sadder", "sadden", "saddened", "saddens", "sorrows", "sorrowfully", "unhappily"),
    "surprise": ("surprises", "surprising", "surprisingly", "astonish", "astonishing"),
    "contempt": ("contemptuously", "contempts", "scorns", "scornfully", "disdainfully", "disdains"),
    "anxiety": ("anxieties", "anxiously", "nervously", "worry", "worries", "worrying", "worriedly"),
    "helplessness": ("helplessly", "powerlessly"),
    "disappointment": ("disappointments", "disappoint", "disappoints", "disappointing", "disappointedly"),
    "repression": ("repress", "represses", "repressing"),
    "tense": ("tensely", "tensed", "tensions"),
}


class EmotionWordFound(ValueError):
    """A summary names an emotion and the policy is to fail."""


@dataclass(frozen=True, slots=True)
class Leak:
    """One emotion word in a text: the label it gives away, the word as written, and where it begins and ends."""

    label: str
    word: str
    start: int
    end: int


def emotion_words() -> dict[str, str]:
    """Every word that gives a label away, in lower case, with the label."""
    words: dict[str, str] = {}
    for label, aliases in ALIASES.items():
        if label not in _ORDINARY:
            words.update(dict.fromkeys((label, *aliases, *_INFLECTIONS.get(label, ())), label))
    return words


def find_leaks(text: str) -> list[Leak]:
    """The emotion words of `text`, in order, the longest match at each place."""
    words = emotion_words()
    return [Leak(words[m.group().lower()], m.group(), m.start(), m.end()) for m in _pattern().finditer(text)]


def apply_policy(text: str, policy: Policy) -> tuple[str, list[Leak]]:
    """The text under `policy`, and what was found in it.

    `drop` empties a text that names an emotion, `mask` replaces the words by "[...]", `fail` raises EmotionWordFound.
    """
    leaks = find_leaks(text)
    if not leaks:
        return text, leaks
    if policy == "fail":
        found = ", ".join(f"{leak.word!r} ({leak.label})" for leak in leaks)
        raise EmotionWordFound(f"summary {text!r} names an emotion: {found}; use leakage policy drop or mask to go on")
    if policy == "drop":
        return "", leaks
    for leak in reversed(leaks):
        text = text[: leak.start] + MASK + text[leak.end :]
    return text, leaks


def count_leaks(texts: Sequence[str]) -> Counter[str]:
    """How many words give each label away in `texts`."""
    return Counter(leak.label for text in texts for leak in find_leaks(text))


@cache
def _pattern() -> re.Pattern[str]:
    words = sorted(emotion_words(), key=len, reverse=True)
    latin = "|".join(re.escape(word) for word in words if word.isascii())
    other = "|".join(re.escape(word) for word in words if not word.isascii())
    return re.compile(rf"(?<![A-Za-z])(?:{latin})(?![A-Za-z])|(?:{other})", re.IGNORECASE)
