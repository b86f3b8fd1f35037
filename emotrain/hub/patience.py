"""Asking the Hub again when it says that it is busy: as long as it asks for, a few times, never for a refusal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from emotrain.hub_errors import HubError, explained

PASSING = (429, 502, 503, 504)
"""Answers of a Hub that is busy or restarts. 500 is none of them: it may have done what it was asked."""

WAITS_S = (1.0, 4.0, 10.0)
"""Seconds before each further try, where the Hub names none."""

LONGEST_S = 90.0
"""A longer wait than this is said and left to the user."""

Answer = TypeVar("Answer")


def patiently(doing: str, ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns; asked again while the Hub is busy. Raises HubError that begins with `doing`."""
    for tried, wait_s in enumerate((*WAITS_S, None), start=1):
        try:
            with explained(doing):
                return ask()
        except HubError as error:
            pause_s = error.retry_after_s if error.retry_after_s is not None and wait_s is not None else wait_s
            if error.status not in PASSING or pause_s is None or pause_s > LONGEST_S:
                times = "" if tried == 1 else f" (asked {tried} times)"
                raise HubError(f"{error}{times}", error.status, error.retry_after_s) from error
            print(f"emotrain: {doing}: HTTP {error.status}, asking again in {pause_s:g} s", file=sys.stderr)
            time.sleep(pause_s)
    raise AssertionError("the last try returns or raises")
