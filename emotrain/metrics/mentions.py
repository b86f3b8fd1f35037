"""Which labels a text names: by any spelling, as whole words, longest match first, and not where it takes them back.

What takes a mention back is in two tables a reader can see: `denials.py` for English and `denials_zh.py` for Chinese.
Where a clause could be read either way a mention is dropped: a reply that then names nothing counts as an error, and a
guess never counts as a hit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from emotrain.emotions import ALIASES
from emotrain.metrics import assertions, denials, denials_zh, hedges

NEAR = 240
"""Characters on either side of a mention in which its clause is looked for."""

LIST_JOIN = re.compile(
    r"\s*(?:,?\s*(?:or|nor)\b|[,/、]|或者?|也不是|也没有)\s*(?:(?:a|an|any|the|even)\s+)?", re.IGNORECASE
)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def mentions(text: str, labels: Sequence[str]) -> list[str]:
    """Labels that `text` names and does not take back, each once, in the order of their first mention.

    Emotions outside `labels` are recognised, so that "unhappy" never counts as "happy", and then left out.
    """
    return list(dict.fromkeys(name for name, _ in _named(text, labels)))


def asserted(text: str, labels: Sequence[str]) -> list[str]:
    """Those of `mentions` that the text says somebody shows, by a clause of `assertions.py`; Chinese ones likewise."""
    return list(dict.fromkeys(name for name, said in _named(text, labels) if said))


def _named(text: str, labels: Sequence[str]) -> list[tuple[str, bool]]:
    """Each mention that is not taken back, and whether it is asserted."""
    lower = _blank(denials_zh.IDIOMS, _blank(denials.IDIOMS, denials_zh.simplified(text.lower())))
    found = list(_pattern(tuple(labels)).finditer(lower))
    # A mention's own letters deny nothing: 无助 (helplessness) holds 无 (without).
    masked = _blank(_pattern(tuple(labels)), lower)
    around = [(masked[max(0, m.start() - NEAR) : m.start()], masked[m.end() : m.end() + NEAR]) for m in found]
    taken_back = [denials.takes_back(*both) or denials_zh.takes_back(*both) for both in around]
    _carry_over_lists(lower, found, taken_back)
    blind, declines = hedges.nothing_seen(masked), hedges.declines(masked)
    kept = []
    for match, no, (before, after) in zip(found, taken_back, around, strict=True):
        name = spelled(match.group(), labels)
        if no or name is None or name not in labels:
            continue
        said = (denials_zh.asserts if _CHINESE.search(match.group()) else assertions.asserts)(before, after)
        kept.append(
            (name, said and not blind and not hedges.hedged(before, after, assertions.clause_of(before), declines))
        )
    return kept


def spelled(word: str, labels: Sequence[str]) -> str | None:
    """The label of `labels`, or the known emotion outside them, that `word` is a spelling of; else None."""
    return _names(tuple(labels)).get(_key(word.strip()))


def spellings(text: str, labels: Sequence[str]) -> list[re.Match[str]]:
    """Where `text` (lower case, simplified Chinese) spells a label or another emotion, denied or not."""
    return list(_pattern(tuple(labels)).finditer(text))


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda found: "_" * len(found.group()), text)


def _carry_over_lists(text: str, found: Sequence[re.Match[str]], taken_back: list[bool]) -> None:
    """A denied head of a list denies the list when the list ends in "or": "not happy, sad, or angry"."""
    joins = [text[a.end() : b.start()] for a, b in pairwise(found)]
    for start in range(len(found)):
        if not taken_back[start]:
            continue
        end = start
        while end < len(joins) and LIST_JOIN.fullmatch(joins[end]):
            end += 1
        alternatives = [i for i in range(start, end) if re.search(r"\b(?:or|nor)\b|或|也不是|也没有", joins[i])]
        for i in range(start, (alternatives[-1] if alternatives else start - 1) + 1):
            taken_back[i + 1] = True


@lru_cache(maxsize=32)
def _names(labels: tuple[str, ...]) -> dict[str, str]:
    """Every spelling, lower case with single spaces, and the label it stands for."""
    names = {alias: name for name, aliases in ALIASES.items() for alias in (name, *aliases)}
    return {_key(spelling): name for spelling, name in {**names, **{label.lower(): label for label in labels}}.items()}


def _key(spelling: str) -> str:
    return re.sub(r"[\s_-]+", " ", denials_zh.simplified(spelling.lower()))


@lru_cache(maxsize=32)
def _pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    """All spellings, longest first; Latin ones only as whole words, Chinese ones anywhere."""
    ordered = sorted(_names(labels), key=len, reverse=True)
    letters = r"a-z0-9_\u00c0-\u024f"
    latin = "|".join(re.escape(s).replace(r"\ ", r"[\s_-]+") for s in ordered if not _CHINESE.search(s))
    chinese = "|".join(re.escape(s) for s in ordered if _CHINESE.search(s))
    return re.compile(rf"(?<![{letters}])(?:{latin})(?![{letters}])|{chinese}")
