"""What in nested settings is about one machine: addresses, folders, the names of variables. Nobody else can use it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

KEYS = frozenset({"base_url", "path", "key_variable", "cues"})
"""Keys, at any depth, whose value is a server, a file or a variable of whoever wrote the recipe."""

# Backslashes lead to a folder at the beginning only: a pattern of module names is full of them.
_ELSEWHERE = re.compile(r"[/~]|file:|[A-Za-z]:[\\/]|\\\\|\.\.?/|\.\.\\|.*/\.\./", re.DOTALL)


def is_machine_path(value: object) -> bool:
    """Whether a value is a path that leads somewhere on one machine only: absolute, a home, a file: URL, ./ or ../."""
    return isinstance(value, str) and (_ELSEWHERE.match(value) is not None or value == "..")


def machine_values(values: Any, where: str = "") -> Iterator[str]:
    """The places in nested settings that are about one machine, as `summarizer_options.base_url` and `folders[1]`.

    None is about no machine.
    """
    if isinstance(values, Mapping):
        for key, value in values.items():
            place = f"{where}.{key}" if where else str(key)
            if _is_machine_entry(key, value):
                yield place
            else:
                yield from machine_values(value, place)
    elif isinstance(values, (list, tuple)):
        for n, value in enumerate(values):
            yield from machine_values(value, f"{where}[{n}]")
    elif is_machine_path(values):
        yield where


def portable(values: Any) -> Any:
    """Nested settings without what `machine_values` finds; containers that this leaves empty go, too."""
    if isinstance(values, Mapping):
        kept = {key: portable(value) for key, value in values.items() if not _is_machine_entry(key, value)}
        return {key: value for key, value in kept.items() if not _emptied(value, values[key])}
    if isinstance(values, (list, tuple)):
        pairs = [(portable(value), value) for value in values if not is_machine_path(value)]
        return [value for value, before in pairs if not _emptied(value, before)]
    return values


def _is_machine_entry(key: object, value: object) -> bool:
    return (key in KEYS and value is not None) or is_machine_path(value)


def _emptied(kept: object, value: object) -> bool:
    return kept in ({}, []) and value not in ({}, [], ())
