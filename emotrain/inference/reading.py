"""What a model reads in one clip: label probabilities, and the time line that it was shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from emotrain.inference.face_view import FaceState
from emotrain.records import Event, Frame, Summary


@dataclass(frozen=True, slots=True)
class Reading:
    """One clip, read. Times are seconds on the clip's own time line.

    `probabilities` are shares within the label set, `logits` the log-likelihoods of the labels as whole answers, both
    by label name in the order of the label set. `label_mass` is the probability that the model answers with a label of
    the set at all. `keyframes` hold JPEG bytes; `gaps` the words between them, empty for a model trained without.
    `possible` are the labels of the set that holds the true one as often as `coverage` says, in the order of the label
    set; without a coverage there is none. `damage` says what was lost of a file that could be decoded in part, `face`
    whose face was read and how.
    """

    path: str
    label: str
    probabilities: Mapping[str, float]
    logits: Mapping[str, float]
    label_mass: float
    duration_s: float
    keyframes: tuple[Frame, ...]
    gaps: tuple[Summary, ...] = ()
    damage: str | None = None
    face: FaceState | None = None
    coverage: float | None = None
    possible: tuple[str, ...] = ()

    @property
    def events(self) -> tuple[Event, ...]:
        """Every change that the summaries tell of, in order of onset; empty where the back end names none."""
        return tuple(sorted((event for gap in self.gaps for event in gap.events), key=lambda event: event.onset_s))

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """Labels and probabilities, most probable first; equals stay in the order of the label set."""
        return sorted(self.probabilities.items(), key=lambda entry: -entry[1])

    def as_json(self) -> dict[str, Any]:
        """The reading as plain JSON values, images left out."""
        return {
            "path": self.path,
            "label": self.label,
            "probabilities": dict(self.probabilities),
            "logits": dict(self.logits),
            "label_mass": self.label_mass,
            "coverage": self.coverage,
            "set": list(self.possible) if self.coverage is not None else None,
            "duration_s": self.duration_s,
            "damage": self.damage,
            "face": self.face.as_json() if self.face is not None else None,
            "keyframes": [{"time_s": frame.time_s} for frame in self.keyframes],
            "gaps": [
                {"start_s": gap.start_s, "end_s": gap.end_s, "text": gap.text, "face_seen": gap.seen_share}
                for gap in self.gaps
            ],
            "events": [asdict(event) for event in self.events],
        }
