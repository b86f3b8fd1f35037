"""From looks to tracks: which face of one look is the same as which of the look before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from emotrain.faces.detectors import Detected, overlap

SAME_PLACE = 0.25
"""Overlap from which faces of two looks in a row are one."""

STEP_WIDTHS, STEP_WIDTHS_A_S = 0.6, 2.0
"""A face may have gone this many of its own widths, and this many more for each second since it was seen."""

MOST_WIDTHS = 3.0
LIKE_SIZE = 1.6


@dataclass
class Track:
    """One face: the numbers of the looks in which it was seen, with what was seen."""

    seen: list[tuple[int, Detected]] = field(default_factory=list)


def tracks_of(looks: Sequence[Sequence[Detected]], times_s: Sequence[float], views: Sequence[int]) -> list[Track]:
    """The tracks in a list of looks at `times_s`, in order of first appearance (from the left in one look).

    `views` numbers what the camera showed in each look: only looks with the same number are joined. Faces that a source
    has numbered itself (`Detected.person`) are joined by that number within a view.
    """
    tracks: list[Track] = []
    for number, faces in enumerate(looks):
        here = [track for track in tracks if views[track.seen[-1][0]] == views[number]]
        joined = _joined(here, faces, [times_s[number] - times_s[track.seen[-1][0]] for track in here])
        for face, track in sorted(zip(faces, joined), key=lambda pair: float(pair[0].box[0])):
            if track is None:
                track = Track()
                tracks.append(track)
            track.seen.append((number, face))
    return tracks


def _joined(tracks: list[Track], faces: Sequence[Detected], since_s: Sequence[float]) -> list[Track | None]:
    """The track that each face goes on with: the pairs that fit best first, each track and face once."""
    fits = []
    for f, face in enumerate(faces):
        for t, track in enumerate(tracks):
            fit = _fit(track.seen[-1][1], face, since_s[t])
            if fit > 0:
                fits.append((fit, -t, -f))
    joined: list[Track | None] = [None] * len(faces)
    taken: set[int] = set()
    for _, t, f in sorted(fits, reverse=True):
        if joined[-f] is None and -t not in taken:
            joined[-f] = tracks[-t]
            taken.add(-t)
    return joined


def _fit(before: Detected, after: Detected, since_s: float) -> float:
    """Above 1 for faces that overlap, between 0 and 1 for one that can have got there in time, 0 for no fit."""
    if before.person is not None or after.person is not None:
        return 2.0 if before.person == after.person else 0.0
    shared = overlap(before.box, after.box)
    if shared >= SAME_PLACE:
        return 1.0 + shared
    widths = before.box[2] - before.box[0], after.box[2] - after.box[0]
    if max(widths) > LIKE_SIZE * min(widths):
        return 0.0
    height = max(before.box[3] - before.box[1], 1e-9)
    middle = (after.box[:2] + after.box[2:] - before.box[:2] - before.box[2:]) / 2
    gone = float(np.hypot(middle[0] / max(widths[0], 1e-9), middle[1] / height))
    reach = min(STEP_WIDTHS + STEP_WIDTHS_A_S * since_s, MOST_WIDTHS)
    return max(0.0, 1.0 - gone / reach)
