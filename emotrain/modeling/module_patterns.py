"""Patterns of module names that others wrote and PEFT hands to `re`: only those that are certain to be quick.

`re` goes back whenever a name does not fit, and tries every other way in which the part before could have fitted. A few
optional characters in a row (`.?.?.?`), a repeated group or groups whose alternatives begin alike make that more ways
than anybody can wait for, on one name of fifty letters; the process cannot be interrupted meanwhile. So the ways are
counted in the text of a pattern before it is tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from emotrain.foreign_values import Kind

MOST_CHARACTERS = 20_000

_ANY = "\0"
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")
_GROUP = re.compile(r"\((?:\?(?:P<\w+>|<?[=!]|:))?([^()]*)\)")
_AGAIN = re.compile(r"\)[*+{]")
_REPEAT = re.compile(r"[*+{]|(?<![(*+?}])\?")
_PLAIN = re.compile(r"[\w\ue000-\uefff-]+")


def quick_pattern(*, repeats: int, ways: int) -> Kind:
    """Patterns with at most `repeats` parts of open length, optional ones included, and no repeated group.

    Alternatives that may both fit where they begin multiply, group by group, to `ways` at most; names of which none
    begins another (`q_proj|k_proj`) count as one.
    """
    expected = f"a pattern of module names without repeated groups, with at most {repeats} of `*`, `+`, `?` and `{{`"

    def check(value: object) -> str | None:
        if not isinstance(value, str) or len(value) > MOST_CHARACTERS:
            return expected
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError):
            return "a pattern of module names"
        text = _CLASS.sub(_ANY, _ESCAPE.sub(lambda escaped: _stands_for(escaped[1]), value))
        if _AGAIN.search(text) or len(_REPEAT.findall(text)) > repeats:
            return expected
        return None if _ways(text) <= ways else "a pattern of module names whose alternatives begin differently"

    return check


module_pattern = quick_pattern(repeats=4, ways=16)
"""What one pattern for all modules of a model may be."""


def _stands_for(escaped: str) -> str:
    """A character of its own for an escaped sign, one for all classes, anchors and references back."""
    return _ANY if escaped.isalnum() else chr(0xE000 + ord(escaped) % 0x1000)


def _ways(text: str) -> int:
    """In how many ways alternatives may fit at most, group by group from the innermost."""
    found = 1
    while group := _GROUP.search(text):
        found *= _fitting(group[1].split("|"))
        text = f"{text[: group.start()]}{_ANY}{text[group.end() :]}"
    return found * _fitting(text.split("|"))


def _fitting(alternatives: Iterable[str]) -> int:
    """How many of the alternatives may fit at one place."""
    names = sorted(alternatives)
    if len(names) == 1 or (
        all(_PLAIN.fullmatch(name) for name in names)
        and not any(after.startswith(name) for name, after in pairwise(names))
    ):
        return 1
    return len(names)
