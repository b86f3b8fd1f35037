"""A reading as HTML: probability bars, filmstrip, events on the time line, words. No script, nothing loaded."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotrain.evaluation.timeline import round_times
from emotrain.inference.reading import Reading
from emotrain.inference.terminal import in_words, set_in_words

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = Path(__file__).parent / "templates"

NARROWEST = 0.6
"""Percent of the time line that an event is drawn with at least, so that a short one can be seen."""


def reading_html(reading: Reading) -> str:
    """The reading's HTML; every text in it is escaped."""
    return _template("reading").render(
        reading=reading,
        ranked=reading.ranked,
        set_words="" if reading.coverage is None else set_in_words(reading),
        keyframes=[
            {
                "time_s": frame.time_s,
                "at": _share(frame.time_s, reading),
                "source": _jpeg(frame.image),
            }
            for frame in reading.keyframes
        ],
        events=[_event(event, reading) for event in reading.events],
        gaps=[gap for gap in reading.gaps if gap.end_s > gap.start_s and gap.text],
        face_picture="" if reading.face is None else _jpeg(reading.face.picture),
        face_words="" if reading.face is None else in_words(reading.face),
        ticks=[{"time_s": time, "at": _share(time, reading)} for time in round_times(reading.duration_s)],
    )


def _jpeg(image: bytes) -> str:
    return f"data:image/jpeg;base64,{b64encode(image).decode()}"


def problem_html(name: str, reason: str) -> str:
    """What is shown for a clip that cannot be read."""
    return _template("problem").render(name=name, reason=reason)


def _event(event: Any, reading: Reading) -> dict[str, Any]:
    left, right = _share(event.onset_s, reading), _share(event.offset_s, reading)
    return {"left": left, "width": max(right - left, NARROWEST), "apex": _share(event.apex_s, reading), "of": event}


def _share(time_s: float, reading: Reading) -> float:
    """Where a time lies on the line, in percent of the duration."""
    return round(100 * min(max(time_s / max(reading.duration_s, 1e-9), 0.0), 1.0), 2)


@cache
def _template(name: str) -> Template:
    from jinja2 import Environment, StrictUndefined

    path = TEMPLATES / f"{name}.html.jinja"
    environment = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(path.read_text(encoding="utf-8"))
