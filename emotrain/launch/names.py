"""Names that a job script can carry: a control character ends a line, and SLURM reads `%` and `\\` in paths of logs."""

from __future__ import annotations

from collections.abc import Mapping
from unicodedata import category

REMEDY = "rename it, or launch from another place"


def control_character(text: str) -> str | None:
    """The first character of `text` that ends a line, steers a terminal or is no character at all, or None."""
    return next((letter for letter in text if category(letter) in ("Cc", "Cs", "Zl", "Zp")), None)


def name_faults(names: Mapping[str, str], of_logs: Mapping[str, str]) -> list[str]:
    """What keeps `names` (what each is, and its text) out of a job script; `of_logs` may hold no pattern of SLURM's.

    A name of a file may be any bytes but "/" and NUL, so it may hold a line break, and behind that a command.
    """
    faults = []
    for what, text in {**names, **of_logs}.items():
        letter = control_character(text)
        if letter is not None:
            faults.append(f"{what}: {text!r} holds {letter!r}, which a job script cannot carry; {REMEDY}")
    for what, text in of_logs.items():
        held = next((letter for letter in "%\\" if letter in text), None)
        if held is not None:
            faults.append(
                f"{what}: {text!r} holds {held!r}, which SLURM reads as a pattern in the names of logs; {REMEDY}"
            )
    return faults
