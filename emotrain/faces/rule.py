"""When something that looks like a face is told as one: the only place that says so.

The detector gives every candidate a score. Measured (YuNet 2026may, `benchmarks/faces.py --rule`): real and drawn faces
score .83 to .95, backs of heads .68 to .78, and in a cartoon 8 % of the frames reach .8, but for a few frames at a
time. So one frame decides nothing; a face is what scores well in most of the looks at it, for long enough.
"""

from __future__ import annotations

KEEP = 0.6
"""Candidates below this score are not even written down."""

SURE = 0.8
"""A look in which a face scores this much counts for it."""

SHARE = 0.5
"""Share of the looks at a face, from its first to its last, that must be sure."""

LEAST_S = 0.4
"""A face is there for at least this long, or for half of its shot where that is less."""

LEAST_SHARE_OF_SHOT = 0.5


def is_face(sure_looks: int, looks: int, lasted_s: float, shot_s: float) -> bool:
    """Whether a track of `looks` looks, of which `sure_looks` scored `SURE` or more, is a face.

    `lasted_s` is the time from its first to its last sighting, `shot_s` the length of the shot it is in.
    """
    return looks > 0 and sure_looks >= SHARE * looks and lasted_s >= min(LEAST_S, LEAST_SHARE_OF_SHOT * shot_s)


def in_words(looks: int, best: float) -> str:
    """Why a clip of `looks` looked-at frames shows no face, the best candidate having scored `best` (0 for none)."""
    if best < KEEP:
        return f"none of {looks} looked-at frames shows anything like one"
    return (
        f"the best candidate in {looks} looked-at frames scores {best:.2f} on average, or is there only for a "
        f"moment; a face scores {SURE:g} or more in at least half of the looks at it"
    )
