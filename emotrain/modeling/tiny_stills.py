"""Frames for the tiny base's eyesight: people of their own, random action units, and no emotion anywhere.

People are drawn in the classic way, or in the styles that are asked for, their heads turned and lit from anywhere. The
held-back style is for examination alone: schooling refuses stills that show it. Everybody is drawn from a seed
namespace that the clip generator does not use, so no face of the demo's clips was seen. Units are drawn independently
of each other, never by a class's prototype: the base learns what a lip corner does, and nothing about which emotion it
goes with.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotrain.progress import track
from emotrain.stages.workers import Died, spread
from emotrain.synthetic.action_units import AUS, INDEX
from emotrain.synthetic.styles import Style

NAMESPACE = 0x71B45E
"""First word of every seed here; the clip generator's seeds begin with other numbers."""

JPEG_QUALITY = (70, 96)


EXAM_PEOPLE = range(1_000_000, 1_000_048)
"""People whom no training frame shows."""

ACTS, SHOTS = 15, 2
"""Each person performs so many acts (one vector of units each), shot so many times at different strength."""

FRAMES_EACH = ACTS * SHOTS + 2
"""The last two frames of a person show the face at rest."""


@dataclass(frozen=True, slots=True)
class Stills:
    """N frames: `images (N, size, size, 3)` uint8 RGB, `units (N, 19)` float32 in 0..1, FRAMES_EACH rows a person.

    `styles` are those of the people who are not drawn in the classic way.
    """

    images: NDArray[np.uint8]
    units: NDArray[np.float32]
    styles: tuple[Style, ...] = ()

    def __len__(self) -> int:
        return len(self.images)


def joined(first: Stills, second: Stills) -> Stills:
    """The people of both, one after the other."""
    return Stills(
        np.concatenate([first.images, second.images]),
        np.concatenate([first.units, second.units]),
        tuple(dict.fromkeys([*first.styles, *second.styles])),
    )


def render_stills(
    seed: int,
    people: int,
    image_processor: Any,
    first: int = 0,
    workers: int | None = None,
    styles: tuple[Style, ...] = (),
) -> Stills:
    """Render FRAMES_EACH frames of each of `people` people, numbered from `first`, resized as the processor does it.

    They are drawn in `styles` by turns, in the classic way where there is none. A pure function of its arguments but
    `workers` (processes; default: one a core).
    """
    workers = len(os.sched_getaffinity(0)) if workers is None else workers
    numbers = range(first, first + people)
    parts = []
    with spread(workers, people) as run, track("render stills", people * FRAMES_EACH, "frames") as advance:
        for number, drawn in zip(numbers, run(partial(_person, seed, styles), numbers)):
            if isinstance(drawn, Died):
                raise RuntimeError(f"render_stills: the process that drew person {number} {drawn.reason}; run again")
            images, units = drawn
            parts.append((_resized(images, image_processor), units))
            advance(FRAMES_EACH)
    return Stills(
        np.concatenate([images for images, _ in parts]),
        np.concatenate([units for _, units in parts]),
        styles,
    )


def random_units(rng: np.random.Generator) -> NDArray[np.float32]:
    """Independent intensities of one to six units, (19,) float32; smiles and dimples are two-sided or one-sided."""
    units = np.zeros(len(AUS), np.float32)
    names = [name for name in AUS if name[0] not in "LR" and name != "45"] + ["12", "14"]
    for name in rng.choice(names, size=int(rng.integers(1, 7)), replace=False):
        value = float(rng.uniform(0.3, 1.0))
        if name in ("12", "14"):
            side = rng.choice(["LR", "L", "R"], p=[0.5, 0.25, 0.25])
            for letter in side:
                units[INDEX[f"{letter}{name}"]] = value
        else:
            units[INDEX[name]] = value
    return units


def _person(seed: int, styles: tuple[Style, ...], number: int) -> tuple[list[NDArray[np.uint8]], NDArray[np.float32]]:
    import cv2

    rng = np.random.default_rng([NAMESPACE, seed, number])
    shown = _styled(styles[number % len(styles)], rng) if styles else _classic(f"base-{seed}-{number}", rng)
    acts = np.repeat([random_units(rng) for _ in range(ACTS)], SHOTS, axis=0)
    acts[1::SHOTS] *= rng.uniform(0.3, 0.9, (ACTS, 1))
    units = np.concatenate([acts, np.zeros((2, len(AUS)))]).astype(np.float32)
    blinks = rng.random(len(units)) < 0.1
    units[blinks, INDEX["45"]] = rng.uniform(0.2, 1.0, blinks.sum())
    images = []
    for row in units:
        image = shown(row).astype(np.float32)
        image = np.clip(image + rng.normal(0, rng.uniform(0, 5), image.shape), 0, 255).astype(np.uint8)
        quality = int(rng.integers(*JPEG_QUALITY))
        _, encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        images.append(np.asarray(cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8))
    return images, units


Shown = Callable[[NDArray[np.float32]], NDArray[np.uint8]]


def _classic(name: str, rng: np.random.Generator) -> Shown:
    from emotrain.synthetic.face import Face
    from emotrain.synthetic.identity import sample_identity

    face = Face(sample_identity(rng, name), 128)
    return lambda row: face.render(row, _pose(rng), _light(rng))


def _styled(style: Style, rng: np.random.Generator) -> Shown:
    """Draws a person of that style, the head turned and the lamp moved from frame to frame."""
    import cv2

    from emotrain.synthetic.head_turn import MOST_DEGREES, HeadPose
    from emotrain.synthetic.looks import look_of
    from emotrain.synthetic.portrait import Lamp, Portrait

    portrait = Portrait(look_of(style, rng))

    def shown(row: NDArray[np.float32]) -> NDArray[np.uint8]:
        yaw, pitch, roll = np.clip(rng.normal(0, (8, 5, 4)), -MOST_DEGREES, MOST_DEGREES)
        dx, dy, grown, gaze_x, gaze_y = rng.normal(0, (0.015, 0.015, 0.03, 0.006, 0.003))
        pose = HeadPose(dx, dy, 1 + grown, yaw, pitch, roll, gaze_x, gaze_y, float(rng.uniform(2.2, 8)))
        across, down = np.deg2rad(rng.uniform((-75, -65), (75, 30)))
        lamp = Lamp(
            float(np.sin(across) * np.cos(down)),
            float(np.sin(down)),
            float(np.cos(across) * np.cos(down)),
            float(rng.uniform(0.75, 1.2)),
            float(rng.uniform(0.45, 0.8)),
        )
        frame = portrait.render(row, pose, lamp)
        blur = float(rng.uniform(0, 0.7))
        return np.asarray(cv2.GaussianBlur(frame, (0, 0), blur), np.uint8) if blur > 0.2 else frame

    return shown


def _pose(rng: np.random.Generator) -> Any:
    from emotrain.synthetic.face import Pose

    still = rng.random() < 0.3
    amount = 0.3 if still else 1.0
    return Pose(
        dx=amount * rng.normal(0, 0.015),
        dy=amount * rng.normal(0, 0.015),
        roll=amount * rng.normal(0, 3.0),
        scale=1 + amount * rng.normal(0, 0.03),
        yaw=amount * rng.normal(0, 0.015),
        gaze_x=rng.normal(0, 0.006),
        gaze_y=rng.normal(0, 0.003),
    )


def _light(rng: np.random.Generator) -> Any:
    from emotrain.synthetic.face import Light

    return Light(rng.uniform(0.75, 1.2), rng.normal(0, 0.08), rng.normal(0, 0.08))


def _resized(images: list[NDArray[np.uint8]], image_processor: Any) -> NDArray[np.uint8]:
    """The processor's own resize to its frame size, before it normalises: (n, size, size, 3) uint8."""
    import torch

    stack = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    factor = image_processor.patch_size * image_processor.merge_size
    small = image_processor.resize(stack, size=image_processor.size, resample=image_processor.resample, factor=factor)
    return np.ascontiguousarray(small.clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy())
