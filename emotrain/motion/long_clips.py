"""Clips of any length in bounded memory: a window of frames is held, its events are told, the next one follows.

Windows overlap, so that what happens at an edge is seen whole by the window whose core holds its apex; the other one
leaves it out. A clip of less than CORE + OVERLAP frames is one window, the same as `clip_events` of all its frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP, FaceLayout
from emotrain.faces.path import FacePath
from emotrain.motion.clip_events import MOST_FPS, TUNED, ClipEvents, clip_events, pace
from emotrain.motion.readable import unread
from emotrain.motion.spotting import SpotSettings
from emotrain.records import Event

CORE = 4096
"""Frames that a window answers for: nearly three minutes at 25 frames/s. They take 64 MiB."""

OVERLAP = 256
"""Frames that a window looks at on either side of its core: ten seconds at 25 frames/s."""


def events_of_frames(
    frames: Iterable[tuple[float, NDArray[np.uint8]]],
    settings: SpotSettings = TUNED,
    layout: FaceLayout = ALIGNED_CROP,
    *,
    path: FacePath | None = None,
    core: int = CORE,
    overlap: int = OVERLAP,
) -> ClipEvents:
    """What happens in frames that come one by one: (time in seconds, (128, 128) grey), times increasing.

    `path` is as in `clip_events`.

    At most `core + 2 * overlap` frames are held. No event lasts from before a window to after it, and a window that
    begins in the middle of an expression knows the face at rest less well, as a clip does that begins so.
    """
    events: list[Event] = []
    blinks: list[Event] = []
    cuts_s: list[float] = []
    times: list[float] = []
    held: list[NDArray[np.uint8]] = []
    begins_s, lead, fast = -math.inf, 0, False

    def tell(until_s: float) -> None:
        found = clip_events(np.stack(held), np.array(times), settings, layout, path)
        events.extend(event for event in found.events if begins_s <= event.apex_s < until_s)
        blinks.extend(event for event in found.blinks if begins_s <= event.apex_s < until_s)
        cuts_s.extend(cut_s for cut_s in found.cuts_s if begins_s <= cut_s < until_s)

    for time_s, grey in frames:
        if fast and time_s - times[-1] < 1 / MOST_FPS - 1e-3:
            continue
        times.append(time_s)
        held.append(grey)
        if len(held) <= lead + core + overlap:
            continue
        kept = pace(np.array(times)).tolist()
        if len(kept) < len(held):  # many frames a second: from here on they are thinned out as they come
            times, held, fast = [times[i] for i in kept], [held[i] for i in kept], True
            lead = int(np.searchsorted(times, begins_s)) if math.isfinite(begins_s) else 0
            continue
        tell(times[lead + core])
        begins_s, first = times[lead + core], max(lead + core - overlap, 0)
        times, held, lead = times[first:], held[first:], lead + core - first
    if held:
        tell(math.inf)
    hidden = unread(path, times[-1]) if path is not None and times else []
    return ClipEvents(tuple(_in_order(events)), tuple(_in_order(blinks)), tuple(cuts_s), tuple(hidden))


def _in_order(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: event.onset_s)
