"""What values in a file that somebody else wrote may be: tables of kinds, and every fault of such a file in one go.

A table maps each key to its kind, a nested table to a section. What stands in no table is a fault, so a key that was
never thought of can do nothing. Nothing here reads a file, follows a name or builds an object.

    {"keyframes": whole(1, 256), "crop": word("none", "centre"), "context": {"language": word("en", "zh")}}
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from emotrain.file_errors import visible
from emotrain.json_files import read_object

Kind: TypeAlias = Callable[[object], "str | None"]
"""None for a value that may be there, else what was expected in its place."""

Table: TypeAlias = Mapping[str, "Kind | Table"]

MOST_BYTES = 1_000_000
"""Bytes of such a file that are read; an honest one has a few thousand."""

SHOWN = 80
MOST_FAULTS = 20


def whole(low: int, high: int) -> Kind:
    """A whole number from `low` to `high`; true and false are none."""

    def check(value: object) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return None if fits else f"a whole number from {low} to {high}"

    return check


def number(low: float, high: float) -> Kind:
    """A finite number from `low` to `high`."""

    def check(value: object) -> str | None:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        return None if fits and low <= value <= high else f"a number from {low:g} to {high:g}"  # type: ignore[operator]

    return check


def flag(value: object) -> str | None:
    """True or false."""
    return None if isinstance(value, bool) else "true or false"


def word(*words: str) -> Kind:
    """One of these words."""

    def check(value: object) -> str | None:
        return None if isinstance(value, str) and value in words else f"one of {', '.join(words)}"

    return check


def text(pattern: str, what: str, most: int = 200) -> Kind:
    """A text of at most `most` characters that a regular expression matches in full; `what` says it to people."""
    compiled = re.compile(pattern)

    def check(value: object) -> str | None:
        return None if isinstance(value, str) and len(value) <= most and compiled.fullmatch(value) else what

    return check


def printable(most: int) -> Kind:
    """A text for people: no line breaks, escape sequences or invisible characters, at most `most` long."""

    def check(value: object) -> str | None:
        fits = isinstance(value, str) and 0 < len(value) <= most and value.isprintable() and value.strip() == value
        return None if fits else f"a text of 1 to {most} printable characters"

    return check


def optional(kind: Kind) -> Kind:
    """A value of a kind, or null."""

    def check(value: object) -> str | None:
        expected = None if value is None else kind(value)
        return None if expected is None else f"{expected}, or null"

    return check


def either(*kinds: Kind) -> Kind:
    """A value of any of several kinds."""

    def check(value: object) -> str | None:
        expected = [kind(value) for kind in kinds]
        return None if None in expected else " or ".join(str(what) for what in expected)

    return check


def nothing(why: str) -> Kind:
    """Null, or a mapping or list without entries; `why` says whose business it is."""

    def check(value: object) -> str | None:
        return None if value is None or value == {} or value == [] else f"nothing ({why})"

    return check


def listed(kind: Kind, least: int, most: int) -> Kind:
    """A list of `least` to `most` different values of a kind."""

    def check(value: object) -> str | None:
        what = f"a list of {least} to {most} different values"
        if (
            not isinstance(value, (list, tuple))
            or not least <= len(value) <= most
            or len(set(map(str, value))) < len(value)
        ):
            return what
        odd = next((expected for entry in value if (expected := kind(entry)) is not None), None)
        return None if odd is None else f"{what}, each {odd}"

    return check


def many(kind: Kind, most: int) -> Kind:
    """A list of at most `most` values of a kind, equal ones among them."""

    def check(value: object) -> str | None:
        if not isinstance(value, (list, tuple)) or len(value) > most:
            return f"a list of at most {most} values"
        odd = next((expected for entry in value if (expected := kind(entry)) is not None), None)
        return None if odd is None else f"a list, each {odd}"

    return check


def mapped(keys: Kind, values: Kind, most: int) -> Kind:
    """A mapping of at most `most` entries."""

    def check(value: object) -> str | None:
        if not isinstance(value, Mapping) or len(value) > most:
            return f"a mapping of at most {most} entries"
        for key, entry in value.items():
            odd = keys(key) or values(entry)
            if odd is not None:
                return f"in it {odd} ({key!r:.{SHOWN}})"
        return None

    return check


def faults(values: object, table: Table, unknown: Callable[[str], str], where: str = "") -> list[str]:
    """Every value that `table` does not allow, each with its place; `unknown` says what a key in no table means."""
    if not isinstance(values, Mapping):
        return [f"{where or 'the file'}: expected a mapping of {', '.join(table)}, found {values!r:.{SHOWN}}"]
    found: list[str] = []
    for key, value in values.items():
        place = f"{where}.{key}" if where else str(key)
        kind = table.get(key) if isinstance(key, str) else None
        if kind is None:
            found.append(f"{place:.{SHOWN}}: {unknown(str(key))}")
        elif isinstance(kind, Mapping):
            found += faults(value, kind, unknown, place)
        elif (expected := kind(value)) is not None:
            found.append(f"{place}: expected {expected}, found {value!r:.{SHOWN}}")
    return found


def read_foreign(path: Path) -> dict[str, Any]:
    """The object in a JSON file of anybody's; DamagedFile for another one, a huge one, and nesting without end."""
    return read_object(path, "take the file from its publisher again", most_bytes=MOST_BYTES)


def told(found: list[str]) -> str:
    """Faults as an indented list of at most MOST_FAULTS lines; what a hostile file says cannot move the cursor."""
    more = [f"and {len(found) - MOST_FAULTS} more"] if len(found) > MOST_FAULTS else []
    lines = [visible(fault).replace("\n", "?") for fault in [*found[:MOST_FAULTS], *more]]
    return "\n".join(f"  - {line}" for line in lines)
