"""Drawn things and animals: what clips without people show."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.synthetic.scenery import box, car, darker, plant, tone, tree

Image = NDArray[np.uint8]
Rng = np.random.Generator
Colour = tuple[float, float, float]


def _disc(picture: Image, x: float, y: float, wide: float, tall: float, colour: Colour, turn: float = 0.0) -> None:
    size = (max(1, round(wide)), max(1, round(tall)))
    cv2.ellipse(picture, (round(x), round(y)), size, turn, 0, 360, colour, -1, cv2.LINE_AA)


def _cup(picture: Image, rng: Rng, x: float, y: float, size: float) -> None:
    colour = tone(rng, 60, 240, 40)
    cv2.circle(
        picture,
        (round(x + 0.5 * size), round(y)),
        max(2, round(0.25 * size)),
        darker(colour, 0.8),
        max(2, round(0.08 * size)),
    )
    box(picture, x - 0.45 * size, y - 0.45 * size, 0.9 * size, 0.9 * size, colour)
    _disc(picture, x, y - 0.45 * size, 0.45 * size, 0.12 * size, darker(colour, 0.6))


def _ball(picture: Image, rng: Rng, x: float, y: float, size: float) -> None:
    colour = tone(rng, 60, 230, 60)
    _disc(picture, x, y, 0.5 * size, 0.5 * size, colour)
    _disc(picture, x - 0.15 * size, y - 0.18 * size, 0.1 * size, 0.08 * size, darker(colour, 1.6))
    cv2.ellipse(
        picture, (round(x), round(y)), (round(0.5 * size), round(0.18 * size)), 20, 0, 180, darker(colour, 0.5), 2
    )


def _apple(picture: Image, rng: Rng, x: float, y: float, size: float) -> None:
    colour: Colour = (float(rng.uniform(150, 230)), float(rng.uniform(30, 180)), 40.0)
    for side in (-1, 1):
        _disc(picture, x + 0.14 * side * size, y, 0.3 * size, 0.38 * size, colour)
    cv2.line(
        picture, (round(x), round(y - 0.3 * size)), (round(x + 0.06 * size), round(y - 0.5 * size)), (80, 55, 30), 3
    )
    _disc(picture, x + 0.16 * size, y - 0.42 * size, 0.12 * size, 0.05 * size, (60, 140, 50), -25)


def _clock(picture: Image, rng: Rng, x: float, y: float, size: float) -> None:
    _disc(picture, x, y, 0.5 * size, 0.5 * size, tone(rng, 40, 120, 30))
    _disc(picture, x, y, 0.43 * size, 0.43 * size, (240, 238, 230))
    for hour in range(12):
        angle = np.pi * hour / 6
        _disc(
            picture,
            x + 0.36 * size * np.cos(angle),
            y + 0.36 * size * np.sin(angle),
            0.02 * size,
            0.02 * size,
            (30, 30, 30),
        )
    for long, wide in ((0.22, 4), (0.33, 2)):
        angle = float(rng.uniform(0, 2 * np.pi))
        tip = (round(x + long * size * np.cos(angle)), round(y + long * size * np.sin(angle)))
        cv2.line(picture, (round(x), round(y)), tip, (20, 20, 20), wide, cv2.LINE_AA)


def _chair(picture: Image, rng: Rng, x: float, y: float, size: float) -> None:
    wood = tone(rng, 70, 170, 25)
    for side in (-0.35, 0.28):
        box(picture, x + side * size, y - 0.6 * size, 0.07 * size, 1.15 * size, wood)
    for height in (-0.55, -0.38, 0.0):
        box(picture, x - 0.35 * size, y + height * size, 0.7 * size, 0.1 * size, darker(wood, 1.1))


def _flower(picture: Image, rng: Rng, x: float, y: float, size: float) -> None:
    cv2.line(
        picture, (round(x), round(y)), (round(x), round(y + 0.6 * size)), (50, 120, 50), max(2, round(0.05 * size))
    )
    colour = tone(rng, 120, 230, 60)
    for petal in range(7):
        angle = 2 * np.pi * petal / 7
        _disc(picture, x + 0.2 * size * np.cos(angle), y + 0.2 * size * np.sin(angle), 0.13 * size, 0.13 * size, colour)
    _disc(picture, x, y, 0.1 * size, 0.1 * size, (240, 200, 60))


def _book(picture: Image, rng: Rng, x: float, y: float, size: float) -> None:
    colour = tone(rng, 50, 200, 45)
    box(picture, x - 0.35 * size, y - 0.5 * size, 0.7 * size, size, colour)
    box(picture, x - 0.35 * size, y - 0.5 * size, 0.08 * size, size, darker(colour, 0.7))
    for row in range(3):
        box(picture, x - 0.18 * size, y + (0.12 * row - 0.3) * size, 0.42 * size, 0.05 * size, darker(colour, 1.7))


OBJECTS: dict[str, Callable[[Image, Rng, float, float, float], None]] = {
    "cup": _cup,
    "ball": _ball,
    "apple": _apple,
    "clock": _clock,
    "chair": _chair,
    "flower": _flower,
    "book": _book,
    "plant": plant,
    "tree": tree,
    "car": car,
}


def animal(picture: Image, rng: Rng, x: float, floor: float, size: float, speaks: float) -> None:
    """A cartoon animal on four legs seen from the side, `size` pixels high; `speaks` opens its mouth, 0..1."""
    fur, dark = tone(rng, 90, 230, 40), (25.0, 22.0, 22.0)
    pale, way = darker(fur, 1.25), float(rng.choice([-1, 1]))
    for leg in (-0.32, -0.18, 0.14, 0.28):
        box(picture, x + leg * size, floor - 0.3 * size, 0.09 * size, 0.3 * size, darker(fur, 0.8))
    _disc(picture, x, floor - 0.38 * size, 0.42 * size, 0.22 * size, fur)
    cv2.ellipse(
        picture,
        (round(x - 0.42 * way * size), round(floor - 0.5 * size)),
        (round(0.16 * size), round(0.2 * size)),
        0,
        0,
        200,
        fur,
        max(3, round(0.05 * size)),
        cv2.LINE_AA,
    )
    hx, hy = x + 0.42 * way * size, floor - 0.68 * size
    ears = float(rng.uniform(0.10, 0.34))
    for side in (-0.12, 0.06):
        _disc(picture, hx + side * size, hy - 0.18 * size, 0.06 * size, ears * size, darker(fur, 0.85), 12 * way)
    _disc(picture, hx, hy, 0.22 * size, 0.2 * size, fur)
    snout = hx + 0.22 * way * size
    _disc(picture, snout, hy + 0.06 * size, 0.16 * size, 0.09 * size, pale)
    _disc(picture, snout, hy + (0.13 + 0.03 * speaks) * size, 0.10 * size, 0.03 * size * (0.3 + speaks), (120, 40, 45))
    _disc(picture, snout + 0.14 * way * size, hy + 0.02 * size, 0.04 * size, 0.03 * size, dark)
    _disc(picture, hx + 0.08 * way * size, hy - 0.06 * size, 0.045 * size, 0.055 * size, (250, 250, 250))
    _disc(picture, hx + 0.095 * way * size, hy - 0.055 * size, 0.02 * size, 0.028 * size, dark)


def animal_head(picture: Image, rng: Rng, x: float, y: float, size: float, speaks: float) -> None:
    """A cartoon animal that looks at the camera, `size` pixels wide: two eyes, a muzzle and ears, yet nobody's face."""
    fur = tone(rng, 80, 230, 40)
    pale, dark, tall = darker(fur, 1.3), (25.0, 22.0, 22.0), float(rng.uniform(0.12, 0.45))
    away, wide = float(rng.uniform(0.16, 0.26)), float(rng.uniform(0.07, 0.13))
    for side in (-1, 1):
        _disc(picture, x + 0.34 * side * size, y - 0.40 * size, 0.14 * size, tall * size, darker(fur, 0.85), 14 * side)
    _disc(picture, x, y, 0.5 * size, float(rng.uniform(0.42, 0.6)) * size, fur)
    for side in (-1, 1):
        _disc(picture, x + away * side * size, y - 0.12 * size, wide * size, 1.2 * wide * size, (250, 250, 250))
        _disc(picture, x + 0.9 * away * side * size, y - 0.10 * size, 0.5 * wide * size, 0.6 * wide * size, dark)
    _disc(picture, x, y + 0.24 * size, 0.27 * size, 0.18 * size, pale)
    _disc(picture, x, y + 0.13 * size, 0.08 * size, 0.05 * size, dark)
    _disc(picture, x, y + 0.30 * size, 0.12 * size, (0.015 + 0.06 * speaks) * size, (120, 40, 45))
