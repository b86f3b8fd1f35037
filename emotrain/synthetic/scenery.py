"""Backdrops without people: rooms, shelves, streets, landscapes and stages, painted by code."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Rng = np.random.Generator


def paint_scenery(kind: str, rng: Rng, width: int, height: int) -> Image:
    """A backdrop of one of the kinds of SCENERY, (height, width, 3) uint8 RGB; a pure function of `rng`."""
    picture = SCENERY[kind](rng, width, height)
    light = 1 + rng.uniform(-0.25, 0.25) * np.linspace(-1, 1, width, dtype=np.float32)[None]
    light = light + rng.uniform(-0.2, 0.2) * np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    light += 0.03 * soft_noise(rng, width, height, 0.16) + 0.025 * soft_noise(rng, width, height, 0.004)
    return np.clip(picture * light[..., None], 0, 255).astype(np.uint8)


def soft_noise(rng: Rng, width: int, height: int, grain: float) -> NDArray[np.float32]:
    """Smooth noise of about unit variance, (height, width), as coarse as `grain` of the width."""
    cell = max(grain * width, 1.0)
    coarse = rng.standard_normal((int(height / cell) + 3, int(width / cell) + 3), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def tone(rng: Rng, low: float, high: float, tint: float = 20.0) -> tuple[float, float, float]:
    """A colour of brightness low..high with a tint."""
    colour = np.clip(rng.uniform(low, high) + rng.normal(0, tint, 3), 0, 255)
    return float(colour[0]), float(colour[1]), float(colour[2])


def darker(colour: tuple[float, float, float], share: float) -> tuple[float, float, float]:
    """The colour times `share` (above 1: lighter)."""
    red, green, blue = (min(255.0, part * share) for part in colour)
    return red, green, blue


def box(
    picture: Image, x: float, y: float, w: float, h: float, colour: tuple[float, float, float], edge: int = -1
) -> None:
    """A filled rectangle (or its border of `edge` pixels), in pixels."""
    low, high = (round(x), round(y)), (round(x + w), round(y + h))
    cv2.rectangle(picture, low, high, colour, edge, cv2.LINE_AA)


def sky(rng: Rng, width: int, height: int) -> Image:
    """A sky with clouds, from zenith to horizon over the whole height."""
    high, low = np.add(tone(rng, 90, 170, 10), (-30, 0, 45)), np.array(tone(rng, 190, 235, 12))
    mix = np.linspace(0, 1, height)[:, None, None]
    picture = high * (1 - mix) + low * mix
    cloud = np.clip(0.6 * soft_noise(rng, width, height, 0.16) + 0.4 * soft_noise(rng, width, height, 0.05), 0, 1)
    return np.clip(picture + (245 - picture) * cloud[..., None], 0, 255).astype(np.uint8)


def _room(rng: Rng, width: int, height: int) -> Image:
    wall = tone(rng, 110, 215, 22)
    picture = np.full((height, width, 3), wall, np.uint8)
    if rng.random() < 0.5:
        paper, period = darker(wall, float(rng.uniform(0.88, 1.08))), width * rng.uniform(0.02, 0.06)
        for at in np.arange(0, width, 2 * period):
            box(picture, at, 0, period, height, paper)
    floor = height * float(rng.uniform(0.72, 0.86))
    box(picture, 0, floor, width, height, tone(rng, 60, 130, 20))
    box(picture, 0, floor - height * 0.02, width, height * 0.02, darker(wall, 0.7))
    for _ in range(int(rng.integers(0, 3))):
        _window(picture, rng, float(rng.uniform(0.02, 0.8)) * width, 0.10 * height, 0.20 * width, 0.45 * height)
    if rng.random() < 0.7:
        _sofa(picture, rng, float(rng.uniform(0, 0.6)) * width, floor, 0.4 * width)
    for _ in range(int(rng.integers(0, 3))):
        _lamp(picture, rng, float(rng.uniform(0.05, 0.95)) * width, floor, height)
    for _ in range(int(rng.integers(0, 3))):
        plant(picture, rng, float(rng.uniform(0.05, 0.95)) * width, floor + 0.05 * height, 0.3 * height)
    return picture


def _window(picture: Image, rng: Rng, x: float, y: float, w: float, h: float) -> None:
    rows, columns = slice(round(y), round(y + h)), slice(round(x), round(x + w))
    place = picture[rows, columns]
    if place.size:
        outside = _landscape(rng, round(w) + 1, round(h) + 1)
        place[:] = cv2.add(outside[: place.shape[0], : place.shape[1]], 25)
    frame, thick = tone(rng, 180, 240, 6), max(2, round(0.03 * w))
    box(picture, x, y, w, h, frame, thick)
    cv2.line(picture, (round(x + w / 2), round(y)), (round(x + w / 2), round(y + h)), frame, max(1, thick // 2))
    cv2.line(picture, (round(x), round(y + h / 2)), (round(x + w), round(y + h / 2)), frame, max(1, thick // 2))
    cloth = tone(rng, 90, 200, 40)
    for side in (x - 0.12 * w, x + 0.92 * w):
        for k in range(5):
            box(picture, side + 0.04 * w * k, y - 0.05 * h, 0.04 * w, 1.25 * h, darker(cloth, (0.85, 1.05)[k % 2]))


def _sofa(picture: Image, rng: Rng, x: float, floor: float, w: float) -> None:
    colour = tone(rng, 60, 170, 40)
    box(picture, x, floor - 0.38 * w, w, 0.34 * w, darker(colour, 0.85))
    for k in range(2):
        box(picture, x + 0.1 * w + 0.4 * w * k, floor - 0.34 * w, 0.38 * w, 0.2 * w, colour)
    box(picture, x + 0.08 * w, floor - 0.16 * w, 0.84 * w, 0.16 * w, darker(colour, 1.1))
    for side in (x - 0.03 * w, x + 0.93 * w):
        box(picture, side, floor - 0.26 * w, 0.1 * w, 0.28 * w, darker(colour, 0.95))


def _lamp(picture: Image, rng: Rng, x: float, floor: float, height: int) -> None:
    top, half = floor - float(rng.uniform(0.35, 0.6)) * height, 0.06 * height
    cv2.line(picture, (round(x), round(floor)), (round(x), round(top)), (60, 50, 45), max(2, height // 200))
    shade = [(x - half, top), (x - 0.6 * half, top - 1.4 * half), (x + 0.6 * half, top - 1.4 * half), (x + half, top)]
    cv2.fillPoly(picture, [np.round(shade).astype(np.int32)], tone(rng, 200, 250, 15), cv2.LINE_AA)


def plant(picture: Image, rng: Rng, x: float, floor: float, height: float) -> None:
    """A potted plant standing at (x, floor)."""
    pot = 0.28 * height
    for _ in range(int(rng.integers(9, 18))):
        lean, long = float(rng.normal(0, 0.35)), float(rng.uniform(0.5, 1.0)) * (height - pot)
        middle = (round(x + 0.5 * lean * long), round(floor - pot - 0.5 * long))
        size = (max(2, round(0.09 * height)), max(3, round(0.5 * long)))
        green = (40 + rng.uniform(0, 50), 90 + rng.uniform(0, 80), 40 + rng.uniform(0, 40))
        cv2.ellipse(picture, middle, size, float(np.degrees(lean)), 0, 360, green, -1, cv2.LINE_AA)
    rim = [(x - 0.5 * pot, floor - pot), (x + 0.5 * pot, floor - pot), (x + 0.36 * pot, floor), (x - 0.36 * pot, floor)]
    cv2.fillPoly(picture, [np.round(rim).astype(np.int32)], tone(rng, 90, 190, 30), cv2.LINE_AA)


def _shelves(rng: Rng, width: int, height: int) -> Image:
    wood = tone(rng, 70, 150, 18)
    picture = np.full((height, width, 3), darker(wood, 0.55), np.uint8)
    shelf = height / int(rng.integers(3, 6))
    for row in np.arange(0, height, shelf):
        at = 0.0
        while at < width:
            thick, tall = float(rng.uniform(0.008, 0.025)) * width, float(rng.uniform(0.55, 0.88)) * shelf
            if rng.random() < 0.12:
                at += 2.5 * thick
                continue
            colour = tone(rng, 50, 200, 45)
            box(picture, at, row + shelf * 0.93 - tall, thick, tall, colour)
            box(
                picture,
                at + 0.15 * thick,
                row + shelf * 0.93 - 0.8 * tall,
                0.7 * thick,
                0.12 * tall,
                darker(colour, 1.5),
            )
            at += thick * 1.05
        box(picture, 0, row + shelf * 0.93, width, shelf * 0.07, wood)
    for at in np.arange(0, width, width / int(rng.integers(2, 5))):
        box(picture, at, 0, 0.012 * width, height, darker(wood, 1.15))
    return picture


def _street(rng: Rng, width: int, height: int) -> Image:
    picture = sky(rng, width, height)
    ground, at = height * float(rng.uniform(0.70, 0.82)), 0.0
    while at < width:
        wide, tall = float(rng.uniform(0.10, 0.24)) * width, float(rng.uniform(0.35, 0.85)) * height
        wall, top = tone(rng, 80, 190, 25), ground - tall
        box(picture, at, top, wide, tall, wall)
        step, storey = wide / int(rng.integers(3, 7)), float(rng.uniform(0.06, 0.10)) * height
        for y in np.arange(top + 0.5 * storey, ground - storey, storey):
            for x in np.arange(at + 0.25 * step, at + wide - 0.4 * step, step):
                pane = tone(rng, 30, 90, 12) if rng.random() < 0.8 else (235, 215, 150)
                box(picture, x, y, 0.5 * step, 0.6 * storey, pane)
        at += wide
    box(picture, 0, ground, width, height - ground, tone(rng, 80, 130, 8))
    box(picture, 0, ground, width, 0.03 * height, tone(rng, 150, 190, 8))
    for _ in range(int(rng.integers(1, 4))):
        car(picture, rng, float(rng.uniform(0, 0.9)) * width, ground + 0.06 * height, 0.16 * width)
    for _ in range(int(rng.integers(0, 4))):
        tree(picture, rng, float(rng.uniform(0, 1)) * width, ground, float(rng.uniform(0.3, 0.5)) * height)
    return picture


def car(picture: Image, rng: Rng, x: float, y: float, w: float) -> None:
    """A car from the side, its wheels on y."""
    colour = tone(rng, 40, 220, 50)
    cabin = [(0.2, -0.20), (0.32, -0.36), (0.68, -0.36), (0.82, -0.20)]
    cv2.fillPoly(picture, [np.round([(x + a * w, y + b * w) for a, b in cabin]).astype(np.int32)], (60, 75, 90))
    box(picture, x, y - 0.22 * w, w, 0.16 * w, colour)
    for at in (0.22, 0.78):
        cv2.circle(
            picture, (round(x + at * w), round(y - 0.05 * w)), max(1, round(0.08 * w)), (25, 25, 28), -1, cv2.LINE_AA
        )


def tree(picture: Image, rng: Rng, x: float, ground: float, height: float) -> None:
    """A tree that stands at (x, ground)."""
    trunk = 0.07 * height
    box(picture, x - trunk / 2, ground - 0.5 * height, trunk, 0.5 * height, (85, 62, 45))
    green = np.array((50, 105, 50)) + rng.normal(0, 18, 3)
    for _ in range(26):
        away = rng.normal(0, (0.14, 0.13), 2) * height
        at = (round(x + away[0]), round(ground - 0.68 * height + away[1]))
        leaf = tuple(float(c) for c in np.clip(green * rng.uniform(0.75, 1.25), 0, 255))
        cv2.circle(picture, at, max(1, round(rng.uniform(0.05, 0.12) * height)), leaf, -1, cv2.LINE_AA)


def _landscape(rng: Rng, width: int, height: int) -> Image:
    picture = sky(rng, width, height)
    layers = int(rng.integers(3, 6))
    x = np.arange(width)
    for k in range(layers):
        base = height * (0.45 + 0.45 * k / layers)
        rough = 0.10 * (1 - k / layers) * height
        ridge = base - rough * soft_noise(rng, width, 4, 0.22)[1] - 0.25 * rough * soft_noise(rng, width, 4, 0.03)[1]
        far = 1 - k / layers
        colour = np.array(tone(rng, 70, 120, 12)) * (1, 1.15, 0.9) * (1 - far) + np.array((140, 155, 175)) * far
        points = np.concatenate([np.stack([x, ridge], 1), [(width, height), (0, height)]])
        cv2.fillPoly(picture, [np.round(points).astype(np.int32)], tuple(float(c) for c in colour), cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 9))):
        y = height * float(rng.uniform(0.75, 0.95))
        tree(picture, rng, float(rng.uniform(0, width)), y, (y / height - 0.55) * 0.9 * height)
    return picture


def _stage(rng: Rng, width: int, height: int) -> Image:
    cloth, folds = np.array(tone(rng, 40, 120, 50)), soft_noise(rng, width, 4, 0.012)[1]
    wave = 1 + 0.35 * np.sin(np.arange(width) / width * 2 * np.pi * rng.uniform(14, 30) + folds)
    picture = np.clip(np.broadcast_to(cloth * wave[None, :, None], (height, width, 3)), 0, 255).astype(np.uint8)
    glow = (float(rng.uniform(0.3, 0.7)) * width, float(rng.uniform(0.2, 0.6)) * height)
    y, x = np.mgrid[0:height, 0:width]
    away = ((x - glow[0]) / (0.35 * width)) ** 2 + ((y - glow[1]) / (0.5 * height)) ** 2
    lit = np.clip(picture * (0.45 + 1.1 * np.exp(-away))[..., None], 0, 255).astype(np.uint8)
    box(lit, 0, 0.88 * height, width, 0.12 * height, tone(rng, 50, 100, 12))
    return lit


def _kitchen(rng: Rng, width: int, height: int) -> Image:
    tile = tone(rng, 150, 225, 15)
    picture = np.full((height, width, 3), darker(tile, 0.75), np.uint8)
    side = width / int(rng.integers(14, 34))
    for y in np.arange(0, height, side):
        for x in np.arange(0, width, side):
            box(
                picture,
                x + 0.04 * side,
                y + 0.04 * side,
                0.92 * side,
                0.92 * side,
                darker(tile, float(rng.uniform(0.93, 1.04))),
            )
    wood = tone(rng, 90, 200, 25)
    for x in np.arange(0, width, width / 6):
        box(picture, x, 0, width / 6 - 3, 0.26 * height, wood)
        box(picture, x + 0.02 * width, 0.02 * height, width / 6 - 0.04 * width, 0.21 * height, darker(wood, 0.92), 3)
    box(picture, 0, 0.74 * height, width, 0.03 * height, tone(rng, 60, 110, 10))
    box(picture, 0, 0.77 * height, width, 0.3 * height, darker(wood, 0.85))
    for _ in range(int(rng.integers(3, 8))):
        x, h = float(rng.uniform(0, width)), float(rng.uniform(0.05, 0.16)) * height
        box(picture, x, 0.74 * height - h, 0.4 * h, h, tone(rng, 60, 230, 45))
    return picture


SCENERY: dict[str, Callable[[Rng, int, int], Image]] = {
    "room": _room,
    "shelves": _shelves,
    "street": _street,
    "landscape": _landscape,
    "stage": _stage,
    "kitchen": _kitchen,
}
