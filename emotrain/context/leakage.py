"""Emotion words in a summary would tell the model the answer: find them, and drop, mask or refuse the text.

Words are taken from the aliases of all labels with their inflections, in English and Chinese, and from a user's own
labels. English words match whole words without case; Chinese has no word boundaries, so its words match anywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from emotrain.emotions import ALIASES, canonical

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


def own_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Those of a label set that no list of emotion words knows: a user's own classes, sorted."""
    return tuple(sorted({label for label in labels if canonical(label) is None}))


def emotion_words(own: Sequence[str] = ()) -> dict[str, str]:
    """Every word that gives a label away, in lower case, with the label; `own` are further labels (`own_labels`).

    The simple inflections of an own label count too: "calm" gives calms, calmed, calming, calmly and calmness.
    """
    words: dict[str, str] = {}
    for label in own:
        words.update(dict.fromkeys(_inflected(label), label))
    for label, aliases in ALIASES.items():
        if label not in _ORDINARY:
            words.update(dict.fromkeys((label, *aliases, *_INFLECTIONS.get(label, ())), label))
    return words


def find_leaks(text: str, own: Sequence[str] = ()) -> list[Leak]:
    """The emotion words of `text` and the words of `own` labels, in order, the longest match at each place."""
    pattern, words = _pattern(tuple(own))
    return [
        Leak(words[_SEPARATOR.sub(" ", m.group().lower())], m.group(), m.start(), m.end())
        for m in pattern.finditer(text)
    ]


def apply_policy(text: str, policy: Policy, own: Sequence[str] = ()) -> tuple[str, list[Leak]]:
    """The text under `policy`, and what was found in it; `own` are a user's own labels.

    `drop` empties a text that names an emotion, `mask` replaces the words by "[...]", `fail` raises EmotionWordFound.
    """
    leaks = find_leaks(text, own)
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


def count_leaks(texts: Sequence[str], own: Sequence[str] = ()) -> Counter[str]:
    """How many words give each label away in `texts`; `own` are a user's own labels."""
    return Counter(leak.label for text in texts for leak in find_leaks(text, own))


_SEPARATOR = re.compile(r"[\s_-]+")
"""What joins the words of a label; "very_calm" and "very calm" are one."""


def _inflected(label: str) -> list[str]:
    word = _SEPARATOR.sub(" ", label.strip().lower())
    if not word.isascii():
        return [word]
    if sum(letter.isalpha() for letter in word) < 2:
        return []  # classes called "a" or "1": words of every description, and they name nothing
    stem, soft = word[:-1], word[:-1] + "i"
    if word.endswith("e"):
        return [word, f"{word}s", f"{word}d", f"{stem}ing", f"{word}ly", f"{word}ness"]
    if word.endswith("y") and word[-2] not in "aeiou":
        return [word, f"{word}s", f"{soft}es", f"{soft}ed", f"{word}ing", f"{soft}ly", f"{soft}ness"]
    return [word, f"{word}s", f"{word}ed", f"{word}ing", f"{word}ly", f"{word}ness"]


@cache
def _pattern(own: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    words = emotion_words(own)
    longest = sorted(words, key=len, reverse=True)
    latin, other = (
        "|".join(_SEPARATOR.pattern.join(map(re.escape, word.split())) for word in longest if word.isascii() == ascii)
        for ascii in (True, False)
    )
    return re.compile(rf"(?<![A-Za-z])(?:{latin})(?![A-Za-z])|(?:{other})", re.IGNORECASE), words
