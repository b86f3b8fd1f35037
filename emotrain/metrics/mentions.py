"""Where a text names an emotion: by any spelling, as whole words, longest match first.

Emotions outside the labels are found as well, so that "unhappy" never counts as "happy". Words that describe a face as
often as a feeling ("tense lips", "calm", "the other eye") are mentions only where the label set has them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from emotrain.emotions import ALIASES
from emotrain.metrics.chinese_script import simplified

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_DESCRIBES_TOO = ("calm", "repression", "tense", "others", "negative", "positive")
_NO_CLASS = re.compile(
    r"\b(?:no|on the|each) other\b|\bother(?= (?!category|class|label|option|or\b|and\b|emotion)[a-z])"
    r"|\bi(?:'m| am) (?:quite |very )?positive(?= (?:that|it|this|about)\b)|中性(?=色)"
)
"""Words of a class that name none: "on the other hand", "the other eye", "I'm positive that"."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A spelling of an emotion in a text; `label` is None for one outside the label set."""

    start: int
    end: int
    label: str | None
    adverb: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """What one sentence says: the labels it claims, or that it names an emotion in words that are not known."""

    claimed: tuple[str | None, ...]
    unknown: bool = False
    answer: bool = False
    silent: bool = False
    harmless: bool = True
    turns: bool = False


def mentions(text: str, labels: Sequence[str]) -> list[Mention]:
    """The mentions in a text in lower case and simplified characters, in their order."""
    found = []
    nowhere = [place.span() for place in _NO_CLASS.finditer(text)]
    for match in _pattern(tuple(labels)).finditer(text):
        name = spelled(match.group(), labels)
        if name not in labels and name in _DESCRIBES_TOO:
            continue
        if any(start <= match.start() < end for start, end in nowhere):
            continue
        found.append(
            Mention(match.start(), match.end(), name if name in labels else None, match.group().endswith("ly"))
        )
    return found


def named(text: str, labels: Sequence[str]) -> list[str]:
    """Labels that a text names, each once, in the order of their first mention, whatever it says of them."""
    found = mentions(simplified(text.lower()), labels)
    return list(dict.fromkeys(mention.label for mention in found if mention.label is not None))


def spelled(word: str, labels: Sequence[str]) -> str | None:
    """The label of `labels`, or the known emotion outside them, that `word` is a spelling of; else None."""
    return _names(tuple(labels)).get(_key(word.strip()))


def spellings(text: str, labels: Sequence[str]) -> list[re.Match[str]]:
    """Where `text` (lower case, simplified Chinese) spells a label or another emotion."""
    return list(_pattern(tuple(labels)).finditer(text))


@lru_cache(maxsize=32)
def bare(labels: tuple[str, ...]) -> re.Pattern[str]:
    """What a text matches in full that is nothing but one spelling of a label or an emotion."""
    return re.compile(_pattern(labels).pattern, re.IGNORECASE)


@lru_cache(maxsize=32)
def _names(labels: tuple[str, ...]) -> dict[str, str]:
    """Every spelling, lower case with single spaces, and the label it stands for."""
    names = {alias: name for name, aliases in ALIASES.items() for alias in (name, *aliases)}
    return {_key(spelling): name for spelling, name in {**names, **{label.lower(): label for label in labels}}.items()}


def _key(spelling: str) -> str:
    return re.sub(r"[\s_-]+", " ", simplified(spelling.lower()))


@lru_cache(maxsize=32)
def _pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    """All spellings, longest first; Latin ones only as whole words, Chinese ones anywhere."""
    ordered = sorted(_names(labels), key=len, reverse=True)
    letters = r"a-z0-9_\u00c0-\u024f"
    latin = "|".join(re.escape(s).replace(r"\ ", r"[\s_-]+") for s in ordered if not _CHINESE.search(s))
    chinese = "|".join(re.escape(s) for s in ordered if _CHINESE.search(s))
    return re.compile(rf"(?<![{letters}])(?:{latin})(?![{letters}])|{chinese}")
