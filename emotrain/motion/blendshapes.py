"""Action-unit intensities from blendshapes: evidence that a network sees, beside what flow measures.

Blendshapes were made after FACS, so most of them are one action unit's; the table says which. A unit of both sides is
told of the side alone where the other moves less than half as much. How a face looks at rest differs between people
most around brows and eyes, so those units are told by their change alone; cue_events takes off what is left of a bias.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import FaceLayout
from emotrain.faces.landmarker import BLENDSHAPES, Landmarker
from emotrain.motion.cues import Cues
from emotrain.motion.face_regions import Floats

CROP = 204
"""Side in pixels of the crops that are looked at: what the network's picture holds of an aligned crop."""

PRESENT = 0.3
"""From this intensity a unit is there."""

UNITS: dict[str, tuple[float, tuple[str, ...]]] = {
    "1": (0.75, ("browInnerUp",)),
    "2": (1.0, ("browOuterUpLeft", "browOuterUpRight")),
    "4": (1.0, ("browDownLeft", "browDownRight")),
    "5": (2.0, ("eyeWideLeft", "eyeWideRight")),
    "9": (1.0, ("noseSneerLeft", "noseSneerRight")),
    "10": (1.0, ("mouthUpperUpLeft", "mouthUpperUpRight")),
    "12": (1.0, ("mouthSmileLeft", "mouthSmileRight")),
    "14": (1.0, ("mouthDimpleLeft", "mouthDimpleRight")),
    "15": (1.0, ("mouthFrownLeft", "mouthFrownRight")),
    "17": (0.8, ("mouthShrugLower",)),
    "20": (1.0, ("mouthStretchLeft", "mouthStretchRight")),
    "25": (1.5, ("mouthLowerDownLeft", "mouthLowerDownRight")),
    "26": (2.0, ("jawOpen",)),
    "45": (1.0, ("eyeBlinkLeft", "eyeBlinkRight")),
}
"""Blendshapes of each unit, and a factor after which PRESENT holds for all: a jaw is seen to drop at .15. Cheeks (6)
and tight lips (23, 24) are hardly ever given and squinting (7) at every glance down, so they are left out."""

SIDED = ("12", "14")
BY_CHANGE = ("1", "2", "4", "5")
QUIET_SHARE = 0.1

_PLACE = {name: place for place, name in enumerate(BLENDSHAPES)}


def blendshape_cues(
    frames: Iterable[tuple[float, NDArray[np.uint8]]], layout: FaceLayout, landmarker: Landmarker
) -> Cues:
    """What the network sees in crops that come one by one: (time in seconds, (H, W, 3) RGB), the face in each as
    `layout` says. Frames in which it sees no face leave a hole in time."""
    times: list[float] = []
    rows: list[NDArray[np.float32]] = []
    for time_s, crop in frames:
        row = landmarker.blendshapes(crop, layout)
        if row is not None:
            times.append(time_s)
            rows.append(row)
    shapes = np.stack(rows) if rows else np.empty((0, len(BLENDSHAPES)), np.float32)
    units, intensity = intensities(shapes)
    return Cues(np.array(times), units, intensity, PRESENT)


def intensities(shapes: Floats) -> tuple[tuple[str, ...], Floats]:
    """The units, and (T, U) float32 of how strongly each is there, from (T, 52) blendshapes of one face."""
    columns: dict[str, Floats] = {}
    for unit, (factor, names) in UNITS.items():
        sides = np.minimum(factor * np.stack([shapes[:, _PLACE[name]] for name in names]), 1)
        if unit in SIDED:
            even = sides.min(0) >= 0.5 * sides.max(0)
            columns[unit] = np.where(even, sides.mean(0), 0)
            for side, name in enumerate("LR"):
                columns[name + unit] = np.where(even | (sides[side] < sides.max(0)), 0, sides[side])
        else:
            columns[unit] = sides.mean(0)
        if unit in BY_CHANGE and len(shapes):
            columns[unit] = np.maximum(columns[unit] - np.quantile(columns[unit], QUIET_SHARE), 0)
    # A smile lifts the upper lip.
    columns["10"] = np.maximum(columns["10"] - shapes[:, [_PLACE[name] for name in UNITS["12"][1]]].mean(1), 0)
    return tuple(columns), np.stack(list(columns.values()), axis=1).astype(np.float32)
