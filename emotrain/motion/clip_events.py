"""From the grey frames of a clip to its facts: events, blinks and cuts, each shot looked at for itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP, FaceLayout
from emotrain.faces.path import FacePath
from emotrain.motion.face_motion import face_motion
from emotrain.motion.readable import readable, unread
from emotrain.motion.spotting import SpotSettings, spot
from emotrain.records import Event, Unread
from emotrain.video.shots import find_shots, followable

TUNED = SpotSettings()

MOST_FPS = 62.0
"""Frames that follow each other faster are thinned out before anything is computed: at 50 frames/s, half of 100 and a
quarter of 200, a change of a tenth of a second still has five frames."""

SHORTEST_SHOT_S = 0.3
"""Less is too short to tell what a face does from how it is."""


@dataclass(frozen=True, slots=True)
class ClipEvents:
    """The events and blinks of a clip in order of onset, the times at which the picture was cut, in seconds, and the
    stretches in which a followed face could not be read."""

    events: tuple[Event, ...]
    blinks: tuple[Event, ...]
    cuts_s: tuple[float, ...]
    unread: tuple[Unread, ...] = ()


def clip_events(
    grey: NDArray[np.uint8],
    times_s: NDArray[np.float64],
    settings: SpotSettings = TUNED,
    layout: FaceLayout = ALIGNED_CROP,
    path: FacePath | None = None,
) -> ClipEvents:
    """What happens in `grey` (T, 128, 128), shown at `times_s` (T,); no event spans a cut. T is at least 1.

    With a `path` the frames are crops along it: each stretch in which the face was seen is looked at for itself, by the
    layout that was measured, and nothing is told where the face could not be read. Cuts are then the caller's to tell:
    a crop that follows a head says nothing about the picture.
    """
    if path is not None:
        return _along(path, grey, times_s, settings)
    paced = pace(times_s)
    if len(paced) < len(times_s):
        grey, times_s = grey[paced], times_s[paced]
    shots = find_shots(grey, times_s)
    events: list[Event] = []
    blinks: list[Event] = []
    for shot in shots:
        times = times_s[shot.frames]
        if times[-1] - times[0] < SHORTEST_SHOT_S:
            continue
        frames = grey if len(shot.frames) == len(grey) else grey[shot.frames]
        if not followable(frames):
            continue
        seen = face_motion(frames, times, layout, light_steps=shot.light_steps)
        found, blinked = spot(seen, settings)
        events += found
        blinks += blinked
    cuts = tuple(float(times_s[shot.frames[0]]) for shot in shots[1:])
    return ClipEvents(tuple(events), tuple(blinks), cuts)


def _along(path: FacePath, grey: NDArray[np.uint8], times_s: NDArray[np.float64], settings: SpotSettings) -> ClipEvents:
    parts = unread(path, float(times_s[-1]))
    events: list[Event] = []
    blinks: list[Event] = []
    for start_s, end_s in path.seen:
        inside = np.flatnonzero((times_s >= start_s) & (times_s <= end_s))
        if len(inside):
            seen = clip_events(grey[inside], times_s[inside], settings, path.layout)
            events += readable(seen.events, parts)
            blinks += readable(seen.blinks, parts)
    return ClipEvents(tuple(events), tuple(blinks), (), tuple(parts))


def pace(times_s: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices of the frames to look at: all, or the first of every 1 / MOST_FPS seconds where they come faster."""
    least = 1 / MOST_FPS
    if len(times_s) < 3 or np.median(np.diff(times_s)) >= least:
        return np.arange(len(times_s))
    kept = [0]
    for index, time_s in enumerate(times_s.tolist()):
        # Time stamps are rounded, in some containers to a millisecond.
        if time_s - times_s[kept[-1]] >= least - 1e-3:
            kept.append(index)
    return np.array(kept)
