"""What can be wrong with a single clip: all of it, or a part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class ClipError(Exception):
    """This clip cannot be used; the message says why and goes to the quarantine file."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """The rows of a clip of which only a part could be used; `note` says what was lost, for the stage's report."""

    rows: list[dict[str, Any]]
    note: str
