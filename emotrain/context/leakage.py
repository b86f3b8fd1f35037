"""Emotion words in a summary would tell the model the answer: find them, and drop, mask or refuse the text.

Words are the aliases of all labels, the lists of `emotion_lexicon` and `emotion_lexicon_zh`, and a user's own labels,
in English with every inflection that spelling rules make of them. English words match whole words without case; Chinese
has no word boundaries, so its words match anywhere, in simplified and in traditional characters. Passages in which
such a word says something of muscles, poses or the picture (`emotion_senses`) are left alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from emotrain.context import emotion_lexicon as english
from emotrain.context import emotion_lexicon_zh as chinese
from emotrain.context.emotion_senses import HARMLESS
from emotrain.emotions import ALIASES, canonical

Policy = Literal["drop", "mask", "fail"]

MASK = "[...]"

FILTER = 2
"""Number of the word lists and senses, part of the fingerprint of summaries: another filter leaves other words."""

# "other", "negative" and "positive" are ordinary words of a description; as labels they name no emotion.
_ORDINARY = frozenset({"others", "negative", "positive"})

_SUFFIXES = ("s", "ed", "ing", "ly", "ness")
_GRADES = ("er", "est", "ingly", "edly")
"""Not of own labels: a class "low" would take "brows lower" for its own."""

_NO_FORM = frozenset({"awing", "bores", "borer", "boring", "lovely", "luster"})
"""Forms that rules make of an emotion word and that mean something else, or nothing."""


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

    Inflections count too: "calm" gives calms, calmed, calming, calmly and calmness, an emotion word its comparison as
    well.
    """
    words: dict[str, str] = {}
    known = {label: (label, *aliases) for label, aliases in ALIASES.items() if label not in _ORDINARY}
    for families in (_split(english.STEMS), _split(chinese.STEMS), known):
        for label, stems in families.items():
            for word in stems:
                words.update(dict.fromkeys(_inflected(word, _SUFFIXES + _GRADES), label))
    words = {word: label for word, label in words.items() if word not in _NO_FORM}
    for label, phrases in english.PHRASES.items():
        words.update(dict.fromkeys((_SEPARATOR.sub(" ", phrase) for phrase in phrases.split(", ")), label))
    for label in own:
        words.update(dict.fromkeys(_inflected(label, _SUFFIXES), label))
    return words


def _split(families: Mapping[str, str]) -> dict[str, Sequence[str]]:
    return {label: stems.split() for label, stems in families.items()}


def find_leaks(text: str, own: Sequence[str] = ()) -> list[Leak]:
    """The emotion words of `text` and the words of `own` labels, in order, the longest match at each place."""
    pattern, words = _pattern(tuple(own))
    plain = text.translate(_SIMPLIFIED)
    found = [
        (words[word], m.start(), m.end())
        for m in pattern.finditer(plain)
        if (word := _SEPARATOR.sub(" ", m.group().lower())) in words
    ]
    harmless = [m.span() for kind in (HARMLESS, _HARMLESS_ZH) for m in kind.finditer(plain)] if found else []
    return [
        Leak(label, text[start:end], start, end)
        for label, start, end in found
        if label in own or not any(left <= start and end <= right for left, right in harmless)
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


_SIMPLIFIED = str.maketrans({**chinese.TRADITIONAL, "’": "'"})
_HARMLESS_ZH = re.compile("|".join(chinese.HARMLESS))

_SEPARATOR = re.compile(r"[\s_-]+")
"""What joins the words of a label; "very_calm" and "very calm" are one."""


def _inflected(label: str, suffixes: Sequence[str]) -> list[str]:
    word = _SEPARATOR.sub(" ", label.strip().lower())
    if not word.isascii():
        return [word.translate(_SIMPLIFIED)]
    if sum(letter.isalpha() for letter in word) < 2:
        return []  # classes called "a" or "1": words of every description, and they name nothing
    return [word, *(_with_suffix(word, suffix) for suffix in suffixes)]


_SHORT = re.compile(r"(?:.*[^a-z])?[^aeiou]*[aeiou][bdgmnprt]")
"""One syllable with one vowel before one consonant, which doubles: sad, sadder."""


def _with_suffix(word: str, suffix: str) -> str:
    if word.endswith("y") and word[-2] not in "aeiou" and not suffix.startswith("ing"):
        return f"{word[:-1]}ie{suffix}" if suffix == "s" else f"{word[:-1]}i{suffix}"
    if suffix == "s":
        return f"{word}es" if word.endswith(("s", "x", "z", "ch", "sh")) else f"{word}s"
    if suffix == "ly" and word.endswith("le"):
        return f"{word[:-1]}y"
    if suffix[0] in "aeiou" and word.endswith("e"):
        return f"{word[:-1]}{suffix}"
    if suffix[0] in "aeiou" and _SHORT.fullmatch(word):
        return f"{word}{word[-1]}{suffix}"
    return f"{word}{suffix}"


@cache
def _pattern(own: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    """What may be a leak, and the words that are: words of letters are looked up one by one, others are spelled out."""
    words = emotion_words(own)
    odd = sorted((word for word in words if not re.fullmatch("[a-z]+", word)), key=len, reverse=True)
    latin, other = (
        "|".join(_SEPARATOR.pattern.join(map(re.escape, word.split())) for word in odd if word.isascii() == ascii)
        for ascii in (True, False)
    )
    phrases = rf"(?<![A-Za-z])(?:{latin})(?![A-Za-z])|" if latin else ""
    return re.compile(rf"{phrases}[A-Za-z]+|(?:{other})", re.IGNORECASE), words
