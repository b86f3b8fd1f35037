"""Drawn clips that show no face: an object on a table that something happens to, and events in a window of time.

| label set | class | what is seen |
|-|-|-|
| actions | pushed | the object slides to one side and stays there |
| actions | lifted | it rises slowly and stays up |
| actions | dropped | it hangs above the table and falls |
| actions | untouched | nothing, under the same camera |
| events | early / late flash | the light rises for a tenth of a second, in the first or the second half |
| events | early / late knock | the object shakes for a quarter of a second, in the first or the second half |
| events | nothing | nothing |

The camera drifts all the while. A flash or a knock is over between two keyframes and leaves nothing behind, so only
what is told of the time between them can say it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.atomic_files import replacing
from emotrain.emotions import DRAWN_SETS
from emotrain.synthetic.action_units import AUS
from emotrain.synthetic.h264 import write_mp4
from emotrain.synthetic.performance import FPS, Script

SETS = ("actions", "events")
LABELS = tuple(label for name in SETS for label in DRAWN_SETS[name].labels)
OBJECT_RENDERER = 1
"""Raised whenever the same seed would give other pictures."""

_LASTS_S = {"pushed": (0.4, 0.8), "lifted": (0.7, 1.2), "dropped": (0.2, 0.35), "flash": (0.1, 0.13)}
_LASTS_S["knock"] = (0.25, 0.35)
_STILL = ("untouched", "nothing")
_CLIP_S, _DRIFT, _NOISE = (2.5, 4.0), 0.03, 2.0


def write_object(label: str, rng: np.random.Generator) -> Script:
    """Draw what happens in a clip of a class, and when; raises ValueError for a class that is not drawn here."""
    if label not in LABELS:
        raise ValueError(f"no object clip of {label!r}; known: {', '.join(LABELS)}")
    duration = round(float(rng.uniform(*_CLIP_S)) * FPS) / FPS
    if label in _STILL:
        return Script(label, None, duration, None, None, None, 0.0, (0.0,) * len(AUS))
    half, _, what = label.rpartition(" ")
    lasts = float(rng.uniform(*_LASTS_S[what]))
    edge = {"early": (0.08, 0.42), "late": (0.58, 0.9)}.get(half, (0.1, 0.9))
    middle = float(rng.uniform(edge[0] * duration + lasts / 2, edge[1] * duration - lasts / 2))
    onset, offset = middle - lasts / 2, middle + lasts / 2
    return Script(label, None, duration, onset, middle, offset, 0.0, (0.0,) * len(AUS))


def render_object(script: Script, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """The frames of a clip: (size, size, 3) uint8 RGB each."""
    wide = size + 2 * round(_DRIFT * size) + 4
    back, thing = _background(wide, rng), _thing(size, rng)
    side, where = float(rng.choice([-1, 1])), float(rng.uniform(0.35, 0.65))
    phases, swings = rng.uniform(0, 2 * np.pi, 4), rng.uniform(0.4, 1.0, 2) * _DRIFT * size
    for number in range(script.n_frames):
        time_s = number / FPS
        dx, dy, gain = _state(script, time_s, side)
        frame = back.copy()
        x, y = wide / 2 + (where - 0.5 + dx) * size, wide / 2 + (0.22 - dy) * size
        _paste(frame, thing, x, y)
        rates = 2 * np.pi * time_s * np.array([0.31, 0.23])
        shift = (wide - size) / 2 + swings * np.sin(rates + phases[:2])
        seen = cv2.warpAffine(
            frame, np.array([[1, 0, -shift[0]], [0, 1, -shift[1]]]), (size, size), flags=cv2.INTER_LINEAR
        )
        noisy = seen * gain + rng.normal(0, _NOISE, seen.shape)
        yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def draw_objects(plans: Sequence[Any], *, root: Path, size: int) -> int:
    """Draw planned clips (`clip_plan.ClipPlan`) under `root`; returns how many. The annotation has their truth."""
    for plan in plans:
        frames = render_object(plan.script, size, np.random.default_rng([plan.seed, 3]))
        with replacing(root / plan.clip.path) as temporary:
            write_mp4(frames, temporary, size, FPS)
    return len(plans)


def _state(script: Script, time_s: float, side: float) -> tuple[float, float, float]:
    """Where the object is at a time, in sizes of the picture from its place on the table, and the gain of the light."""
    what = script.label.rpartition(" ")[2]
    if script.onset_s is None or script.offset_s is None:
        return 0.0, 0.0, 1.0
    part = float(np.clip((time_s - script.onset_s) / (script.offset_s - script.onset_s), 0, 1))
    eased = part * part * (3 - 2 * part)
    if what == "pushed":
        return side * 0.28 * eased, 0.0, 1.0
    if what == "lifted":
        return 0.0, 0.38 * eased, 1.0
    if what == "dropped":
        return 0.0, 0.4 * (1 - part * part), 1.0
    inside = 0 < part < 1
    if what == "flash":
        return 0.0, 0.0, 1.0 + (0.45 * np.sin(np.pi * part) ** 0.5 if inside else 0.0)
    shake = 0.03 * (1 - part) * np.sin(2 * np.pi * 10 * (time_s - script.onset_s)) if inside else 0.0
    return float(shake), 0.0, 1.0


def _background(wide: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A wall and a table, both with a grain that a camera's movement can be seen by."""
    picture = np.zeros((wide, wide, 3), np.float32)
    edge = round(0.62 * wide)
    picture[:edge], picture[edge:] = rng.uniform(90, 150, 3), rng.uniform(60, 120, 3)
    for blur, strength in ((1.5, 60.0), (6.0, 160.0)):
        grain = cv2.GaussianBlur(rng.normal(0, 1, (wide, wide)).astype(np.float32), (0, 0), blur)
        picture += (strength * grain)[..., None]
    return np.clip(picture, 20, 170)


def _thing(size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """An object with a pattern of its own: (side, side, 4) float32, the last its mask."""
    side = round(float(rng.uniform(0.17, 0.23)) * size) // 2 * 2
    colour = rng.uniform(40, 170, 3)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), 1.2)
    pixels = np.clip(colour + 90 * grain[..., None], 5, 175)
    mask = np.zeros((side, side), np.float32)
    if rng.random() < 0.5:
        cv2.circle(mask, (side // 2, side // 2), side // 2 - 1, 1.0, -1, cv2.LINE_AA)
    else:
        mask[1:-1, 1:-1] = 1.0
    return np.dstack([pixels, mask]).astype(np.float32)


def _paste(frame: NDArray[np.float32], thing: NDArray[np.float32], x: float, y: float) -> None:
    """Put the object with its centre at (x, y), between pixels where need be."""
    side = thing.shape[0]
    place = np.array([[1, 0, x - side / 2], [0, 1, y - side / 2]], np.float32)
    moved = cv2.warpAffine(thing, place, frame.shape[1::-1], flags=cv2.INTER_LINEAR)
    mask = moved[..., 3:]
    frame *= 1 - mask
    frame += moved[..., :3] * mask
