"""Where the lines of a stream go: JSON lines, one line on the terminal, and those who listen through a server."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from threading import Lock
from typing import IO, Any

from emotrain.inference.terminal import bar
from emotrain.live.records import LiveReading, Notice, Said, ToldEvent


@dataclass
class JsonLines:
    """One JSON object a line: {"stream", "kind": reading | event | blink | notice, "time_s", ...}."""

    to: IO[str]
    _lock: Any = None

    def __post_init__(self) -> None:
        self._lock = Lock()

    def __call__(self, stream: str, said: Said) -> None:
        with self._lock:
            self.to.write(json.dumps({"stream": stream, **said.as_json()}, ensure_ascii=False) + "\n")
            self.to.flush()


@dataclass
class Terminal:
    """A line that is written over by each reading; events and notices stand above it."""

    to: IO[str]
    several: bool = False

    def __call__(self, stream: str, said: Said) -> None:
        whose = f"{stream}  " if self.several else ""
        if isinstance(said, LiveReading):
            self._write(f"{whose}{reading_line(said)}", over=self.to.isatty() and not self.several)
        else:
            self._write(f"{whose}{said_line(said)}", over=False)

    def _write(self, text: str, *, over: bool) -> None:
        clear = "\r\x1b[2K" if self.to.isatty() else ""
        self.to.write(f"{clear}{text}{'' if over else chr(10)}")
        self.to.flush()


def reading_line(said: LiveReading) -> str:
    """The likeliest labels, and how old what is said is."""
    likeliest = sorted(said.probabilities.items(), key=lambda entry: -entry[1])[:3]
    labels = "  ".join(f"{name} {share:.0%}" for name, share in likeliest)
    late = f"  {said.dropped} dropped" if said.dropped else ""
    return f"{said.to_s:8.2f} s  {bar(likeliest[0][1] / 2):<12} {labels}  age {said.age_s:.2f} s{late}"


def said_line(said: Notice | ToldEvent) -> str:
    """An event or a notice in words."""
    if isinstance(said, Notice):
        return f"{said.time_s:8.2f} s  [{said.what}] {said.words}"
    event = said.event
    what = "blink" if said.blink else ", ".join(event.regions[:3])
    units = "" if said.blink or not event.action_units else f" (like AU {' + '.join(event.action_units)})"
    return f"{event.onset_s:8.2f} s  {what}{units} until {event.offset_s:.2f} s, peak {event.apex_s:.2f} s"


def shown() -> Terminal:
    """The terminal of this process."""
    return Terminal(sys.stdout)
