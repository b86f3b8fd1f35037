"""Whom a clip is about: one of its faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """What decides the choice: the medians of a face's middle and size in fractions of the frame, how long it was seen
    and how well it scored."""

    track: int
    x: float
    y: float
    area: float
    seen_s: float
    score: float

    @property
    def weight(self) -> float:
        """Largest times longest times best scored."""
        return self.area * max(self.seen_s, 1e-3) * self.score


def choose(persons: Sequence[Person], face: str) -> tuple[int | None, str]:
    """The track of the person that `face` asks for (see settings.PERSONS), and why; None when there is none such."""
    if not persons:
        return None, "no face"
    from_left = sorted(persons, key=lambda person: person.x)
    if face.isdigit():
        if int(face) > len(persons):
            return None, f"face {face} from the left was asked for, the clip shows {len(persons)}"
        return from_left[int(face) - 1].track, f"number {face} of {len(persons)} from the left"
    if len(persons) == 1:
        return persons[0].track, "the only face"
    of = f"of {len(persons)} faces"
    if face == "left":
        return from_left[0].track, f"leftmost {of}"
    if face == "right":
        return from_left[-1].track, f"rightmost {of}"
    if face == "central":
        nearest = min(persons, key=lambda person: (person.x - 0.5) ** 2 + (person.y - 0.5) ** 2)
        return nearest.track, f"most central {of}"
    return max(persons, key=lambda person: person.weight).track, f"largest, longest and best seen {of}"
