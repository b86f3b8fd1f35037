"""What can be wrong with a single clip: all of it, or a part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class ClipError(Exception):
    """This clip cannot be used; the message says why and goes to the quarantine file."""


class LeftOutBefore(ClipError):
    """An earlier stage has put this clip into its quarantine and counted it; later ones only say so."""

    MARK = "left out by an earlier stage: "

    def __init__(self, reason: str) -> None:
        super().__init__(f"{self.MARK}{reason}")


@dataclass(frozen=True, slots=True)
class Damaged:
    """The rows of a clip of which only a part could be used; `note` says what was lost, for the stage's report."""

    rows: list[dict[str, Any]]
    note: str
