"""FACS action units as annotators write them in a cell: "4+7+L10", "R14A", "12, 15" with full-width commas, "12 or 14".

Kept are the number and the side ("12", "L14"); the intensity letter is dropped, because the sets grade differently.
"""

from __future__ import annotations

import re

from emotrain.datasets.tables import MISSING

_SEPARATORS = re.compile(r"[+,，、;；&＋]|\band\b", re.IGNORECASE)
_ALTERNATIVES = re.compile(r"or|[|/]", re.IGNORECASE)
_UNIT = re.compile(r"(?:AU|U)?\s*(?P<side>[LR])?\s*0*(?P<number>[1-9]\d?)\s*[A-E]?", re.IGNORECASE | re.ASCII)


def parse_action_units(cell: str | None) -> tuple[tuple[str, ...], list[str]]:
    """The action units of a cell in order, without repeats, and what was odd about it ([] for a clean cell).

    Of alternatives ("R12 or R15") the first is kept. A part that is no action unit is left out. Never raises.
    """
    odd: list[str] = []
    units: list[str] = []
    for part in _SEPARATORS.split(cell if cell is not None else ""):
        if part.strip().lower() in MISSING:
            continue
        first, *others = (text.strip() for text in _ALTERNATIVES.split(part))
        if others:
            odd.append(f"{part.strip()!r} leaves a choice: {first!r} was kept")
        found = _UNIT.fullmatch(first.strip("()（） "))
        if found is None:
            odd.append(f"{first!r} is no action unit: left out")
            continue
        side = found["side"]
        unit = (side.upper() if side is not None else "") + found["number"]
        if unit not in units:
            units.append(unit)
    return tuple(units), odd
