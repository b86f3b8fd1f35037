"""Where the whole picture was cut, and which shots show the same view.

Cuts are looked for in the whole frame: in a tight crop a turning head changes most of the picture, in the whole frame
it does not. A view that is left and comes back (a film cuts to something else and returns) is the same view, so that a
face in the same place is the same face.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrain.video.reader import Times
from emotrain.video.shots import find_shots, same_view

RECENT = 20
"""A view is looked for among this many shots before; a film has a thousand."""


def cuts_and_views(cells: NDArray[np.uint8], times_s: Times) -> tuple[list[float], list[int]]:
    """The times at which another shot begins, and for each shot the number of its view (that of its first shot).

    `cells` (T, 32, 32) uint8 are the whole frames in grey, shown at `times_s` (T,).
    """
    shots = find_shots(cells, times_s)
    views: list[int] = []
    for number, shot in enumerate(shots):
        first = cells[shot.frames[0]]
        views.append(
            next(
                (
                    views[k]
                    for k in range(max(0, number - RECENT), number)
                    if same_view(cells[shots[k].frames[-1]], first)
                ),
                number,
            )
        )
    return [float(times_s[shot.frames[0]]) for shot in shots[1:]], views
