"""One line of the doctor's page: what was looked at, what was found, and what to do where it is not well."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from emotrain.secret_words import SHAPES, secrets_of

State = Literal["well", "note", "fault"]
SEEN_S = 20.0
"""Seconds that another program may take to answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`fault`: something will not work, and `remedy` says what to do. `note`: some recipes or verbs will miss it."""

    name: str
    found: str
    state: State = "well"
    remedy: str = ""

    def __post_init__(self) -> None:
        if (self.state == "well") == bool(self.remedy):
            raise ValueError(f"{self.name}: a remedy belongs to what is not well, and to nothing else")

    def line(self) -> str:
        mark = {"well": "  ok   ", "note": "  note ", "fault": "  FAULT"}[self.state]
        return f"{mark} {self.name}: {self.found}" + (f"\n          -> {self.remedy}" if self.remedy else "")


Look = Callable[[], Iterator[Finding]]


def looked(name: str, look: Look) -> list[Finding]:
    """The findings of one look. What stops the look is itself a fault of the machine: the page must come out whole."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except Exception as error:
        words = " ".join(str(error).split())
        remedy = "this look could not be finished; mend what it names, or put it into an issue"
        found.append(Finding(name, f"{type(error).__name__}: {words}", "fault", remedy))
    return found


def said_by(*words: str) -> tuple[int | None, str]:
    """Status and output of a program, (None, reason) where it is missing or does not answer."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=SEEN_S, check=False, errors="replace")
    except FileNotFoundError:
        return None, "not installed"
    except subprocess.TimeoutExpired:
        return None, f"no answer within {SEEN_S:.0f} s"
    except OSError as error:
        return None, str(error.strerror)
    return done.returncode, (done.stdout if done.returncode == 0 else done.stderr or done.stdout).strip()


def without_secrets(text: str, environment: Mapping[str, str]) -> str:
    """`text` with the values of secret variables, and what has the shape of a token, taken out."""
    for name, value in secrets_of(environment).items():
        text = text.replace(value, f"<{name}>")
    for kind, pattern in SHAPES:
        text = re.sub(pattern, f"<{kind}>", text)
    return text
