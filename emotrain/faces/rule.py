"""When something that looks like a face is told as one: the only place that says so.

The detector gives every candidate a score. Measured with YuNet 2026may: real and drawn faces score .83 to .95, nearly
always above .9; backs of heads .68 to .78; an animal of a cartoon reaches .80 to .85 in 8 % of its frames, a second in
a row. So one frame decides nothing: a face is what scores well in most of the looks at it, and better still where it is
there for only a part of its shot.
"""

from __future__ import annotations

from collections.abc import Sequence

KEEP = 0.6
"""Candidates below this score are not even written down."""

SURE = 0.8
"""A look in which a face scores this much counts for it."""

SURE_BRIEFLY = 0.88
"""The same for a face that is there for less than `LONG_SHARE` of its shot."""

SHARE = 0.5
"""Share of the looks at a face, from its first to its last, that must be sure."""

LEAST_S = 0.4
"""A face is there for at least this long, or for half of its shot where that is less."""

LONG_SHARE = 0.5


def is_face(scores: Sequence[float], looks: int, lasted_s: float, shot_s: float) -> bool:
    """Whether something that was looked at `looks` times, and then had these `scores`, is a face.

    `lasted_s` is the time for which it was seen, `shot_s` the length of the shot it is in.
    """
    half = LONG_SHARE * shot_s
    sure = SURE if lasted_s >= half else SURE_BRIEFLY
    return looks > 0 and sum(score >= sure for score in scores) >= SHARE * looks and lasted_s >= min(LEAST_S, half)


def in_words(looks: int, best: float) -> str:
    """Why a clip of `looks` looked-at frames shows no face, the best candidate having scored `best` (0 for none)."""
    if best < KEEP:
        return f"none of {looks} looked-at frames shows anything like one"
    return (
        f"the best candidate in {looks} looked-at frames scores {best:.2f} on average, or is there only for a "
        f"moment; a face scores {SURE:g} or more in at least half of the looks at it"
    )
