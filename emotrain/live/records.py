"""What a stream says: notices, events, readings; times are seconds on the stream's own time line, which begins at 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from emotrain.records import Event

What = Literal[
    "ended", "stalled", "back", "reconnecting", "clock", "size", "rate", "covered", "uncovered",
    "face", "no face", "dropped",
]  # fmt: skip
"""The kinds of notices: what the camera, its clock and the face did, told and never guessed across."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the stream's listener has to know, at `time_s`."""

    time_s: float
    what: What
    words: str

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"kind": "notice", "time_s": round(self.time_s, 3), "what": self.what, "words": self.words}


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """An event or a blink, told once, when the stream had reached `told_s`."""

    event: Event
    blink: bool
    told_s: float

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"kind": "blink" if self.blink else "event", "told_s": round(self.told_s, 3), **asdict(self.event)}


@dataclass(frozen=True, slots=True)
class LiveReading:
    """What the model says of the last seconds. `from_s` to `to_s` is what it was shown, `age_s` how old the newest
    frame of the camera was when the answer came, `behind_s` how far `to_s` lay behind that frame, `dropped` the frames
    that the camera gave and nobody looked at, `skipped` the readings that newer ones replaced in the queue."""

    from_s: float
    to_s: float
    label: str
    probabilities: Mapping[str, float]
    label_mass: float
    face: Mapping[str, Any]
    events: tuple[ToldEvent, ...] = ()
    age_s: float = 0.0
    behind_s: float = 0.0
    dropped: int = 0
    skipped: int = 0
    keyframes_s: tuple[float, ...] = ()
    raw: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        rounded = {name: round(share, 5) for name, share in self.probabilities.items()}
        told: dict[str, Any] = {
            "kind": "reading",
            "time_s": round(self.to_s, 3),
            "from_s": round(self.from_s, 3),
            "label": self.label,
            "probabilities": rounded,
            "label_mass": round(self.label_mass, 5),
            "face": dict(self.face),
            "events": [event.as_json() for event in self.events],
            "age_s": round(self.age_s, 3),
            "behind_s": round(self.behind_s, 3),
            "dropped": self.dropped,
            "skipped": self.skipped,
            "keyframes_s": [round(time_s, 3) for time_s in self.keyframes_s],
        }
        if self.raw:
            told["before_smoothing"] = {name: round(share, 5) for name, share in self.raw.items()}
        return told


Said = Notice | ToldEvent | LiveReading
"""One line of a stream."""
