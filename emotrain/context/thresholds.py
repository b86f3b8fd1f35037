"""Thresholds of a summariser as a recipe gives them: some by name, the others as tuned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from emotrain.emotions import nearest

Settings = TypeVar("Settings")
"""A dataclass of numbers above 0."""


def read_thresholds(key: str, given: object, tuned: Settings, example: str) -> Settings:
    """`tuned` with what is `given`; ValueError, which begins with the recipe's key, for anything but a mapping of known
    names to numbers above 0, whole ones where the tuned one is."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{key}: {given!r}: expected thresholds by name, as in {example}")
    known: dict[str, Any] = asdict(tuned)  # type: ignore[call-overload]
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"{key}: unknown threshold {name!r}; {nearest(str(name), known)}")
        whole = isinstance(known[name], int)
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not value > 0:
            raise ValueError(f"{key}: {name}: {value!r}; expected a {'whole ' if whole else ''}number above 0")
    return type(tuned)(**{**known, **given})
