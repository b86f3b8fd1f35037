"""Clips without any face: what a face finder must refuse and nobody may tell an event of.

Noise, gradients, patterns, title cards, rolling text, drawn objects, landscapes, streets, rooms, screens, cartoon
animals, and people seen from behind. All of them move, most of them as real clips do: the camera pans or shakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.atomic_files import replacing
from emotrain.synthetic.clip_plan import stable_seed
from emotrain.synthetic.drawings import OBJECTS, animal, animal_head
from emotrain.synthetic.face import CENTRE
from emotrain.synthetic.figure import Figure, painted_size
from emotrain.synthetic.h264 import write_mp4
from emotrain.synthetic.identity import sample_identity
from emotrain.synthetic.performance import drift
from emotrain.synthetic.placement import similarity
from emotrain.synthetic.props import WORDS, Prop, Screen, write_words
from emotrain.synthetic.scenery import SCENERY, paint_scenery, sky, soft_noise, tone

Image = NDArray[np.uint8]
Rng = np.random.Generator
Scene = Callable[[float], Image]
"""What a clip shows at a time in seconds."""

FPS, LENGTH_S = 25, 2.0


@dataclass(frozen=True, slots=True)
class Faceless:
    """One clip without a face; `kind` is one of KINDS."""

    name: str
    kind: str
    seed: int


def plan_faceless(n: int, seed: int = 0) -> list[Faceless]:
    """`n` clips, the kinds in turn: a pure function of the arguments."""
    kinds = list(KINDS)
    return [
        Faceless(f"{kinds[i % len(kinds)]}-{i:03d}", kinds[i % len(kinds)], stable_seed(seed, "faceless", i))
        for i in range(n)
    ]


def render_faceless(clip: Faceless, width: int = 640, height: int = 360, length_s: float = LENGTH_S) -> Iterator[Image]:
    """The frames of a clip at FPS, (height, width, 3) uint8 RGB each."""
    rng = np.random.default_rng(clip.seed)
    shown = KINDS[clip.kind](rng, width, height, length_s)
    grain = float(rng.uniform(0, 4))
    for index in range(round(length_s * FPS)):
        frame = shown(index / FPS).astype(np.float32)
        frame += grain * rng.standard_normal(frame.shape[:2], dtype=np.float32)[..., None]
        yield np.clip(frame, 0, 255).astype(np.uint8)


def write_faceless(root: Path, n: int, seed: int = 0, width: int = 640, height: int = 360) -> list[Path]:
    """Write `n` clips as `root`/NAME.mp4 where they are not yet; returns their paths."""
    root.mkdir(parents=True, exist_ok=True)
    paths = []
    for clip in plan_faceless(n, seed):
        path = root / f"{clip.name}.mp4"
        if not path.exists():
            with replacing(path) as temporary:
                write_mp4(render_faceless(clip, width, height), temporary, width, FPS, height)
        paths.append(path)
    return paths


def _filmed(rng: Rng, plate: Image, width: int, height: int, length_s: float) -> Scene:
    """A camera that pans over a plate larger than the picture, by hand."""
    n = round(length_s * FPS) + 1
    room = np.array([plate.shape[1] - width, plate.shape[0] - height])
    start, end = rng.uniform(0.1, 0.9, 2) * room, rng.uniform(0.1, 0.9, 2) * room
    shake = rng.choice([0.0, 0.003, 0.01]) * width * np.stack([drift(rng, n, 0.25) for _ in range(2)], -1)
    angle = float(rng.normal(0, 3))

    def shown(time_s: float) -> Image:
        at = start + (end - start) * time_s / length_s + shake[min(round(time_s * FPS), n - 1)]
        middle = np.add(at, (width / 2, height / 2))
        turn = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), angle, 1.0)
        turn[:, 2] -= at
        picture = cv2.warpAffine(
            plate, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        return np.asarray(picture, np.uint8)

    return shown


def _plate(kinds: tuple[str, ...]) -> Callable[[Rng, int, int, float], Scene]:
    def scene(rng: Rng, width: int, height: int, length_s: float) -> Scene:
        plate = paint_scenery(str(rng.choice(kinds)), rng, round(1.4 * width), round(1.4 * height))
        return _filmed(rng, plate, width, height, length_s)

    return scene


def _noise(rng: Rng, width: int, height: int, length_s: float) -> Scene:
    grain, colour = float(rng.choice([0.0016, 0.01, 0.05, 0.15])), rng.random() < 0.5
    fields = [soft_noise(rng, 2 * width, height, grain) for _ in range(3)]
    speed = float(rng.uniform(0, 0.4)) * width

    def shown(time_s: float) -> Image:
        at = int(time_s * speed) if grain > 0.005 else int(rng.integers(0, width))
        parts = [field[:, at : at + width] for field in (fields if colour else fields[:1] * 3)]
        return np.clip(127 + 55 * np.dstack(parts), 0, 255).astype(np.uint8)

    return shown


def _gradient(rng: Rng, width: int, height: int, length_s: float) -> Scene:
    corners = rng.uniform(0, 255, (2, 2, 2, 3))

    def shown(time_s: float) -> Image:
        share = time_s / length_s
        small = np.clip(corners[0] * (1 - share) + corners[1] * share, 0, 255).astype(np.uint8)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)

    return shown


def _pattern(rng: Rng, width: int, height: int, length_s: float) -> Scene:
    y, x = np.mgrid[0:height, 0:width] / width
    angle, period, speed = rng.uniform(0, np.pi), rng.uniform(0.03, 0.2), rng.uniform(-1.5, 1.5)
    first, second = np.array(tone(rng, 20, 235, 50)), np.array(tone(rng, 20, 235, 50))
    rings, checks = rng.random() < 0.3, rng.random() < 0.4
    along = np.hypot(x - 0.5, y - 0.28) if rings else x * np.cos(angle) + y * np.sin(angle)

    def shown(time_s: float) -> Image:
        wave = np.sin(2 * np.pi * (along / period + speed * time_s))
        if checks:
            wave = wave * np.sin(2 * np.pi * (x * -np.sin(angle) + y * np.cos(angle)) / period)
        mix = (wave > 0)[..., None]
        return np.where(mix, first, second).astype(np.uint8)

    return shown


def _title(rng: Rng, width: int, height: int, length_s: float) -> Scene:
    plain = rng.random() < 0.5
    card = np.full((height, width, 3), tone(rng, 0, 255, 30), np.uint8) if plain else sky(rng, width, height)
    written = card.copy()
    lines = [str(word) for word in rng.choice(WORDS, int(rng.integers(1, 5)))]
    write_words(written, lines, rng)
    starts = float(rng.uniform(0, 0.6))

    def shown(time_s: float) -> Image:
        share = float(np.clip((time_s - starts) / 0.5, 0, 1))
        return np.asarray(cv2.addWeighted(written, share, card, 1 - share, 0), np.uint8)

    return shown


def _credits(rng: Rng, width: int, height: int, length_s: float) -> Scene:
    roll = np.full((3 * height, width, 3), tone(rng, 0, 40, 10), np.uint8)
    for third in range(3):
        write_words(roll[third * height : (third + 1) * height], [str(word) for word in rng.choice(WORDS, 7)], rng)
    speed = float(rng.uniform(0.2, 0.9)) * height

    def shown(time_s: float) -> Image:
        at = round(time_s * speed) % (2 * height)
        return np.ascontiguousarray(roll[at : at + height])

    return shown


def _objects(rng: Rng, width: int, height: int, length_s: float) -> Scene:
    plate = np.full((round(1.4 * height), round(1.4 * width), 3), tone(rng, 90, 230, 25), np.uint8)
    names = list(OBJECTS)
    for _ in range(int(rng.integers(3, 9))):
        at = rng.uniform(0.1, 0.9, 2) * (plate.shape[1], plate.shape[0])
        OBJECTS[names[rng.integers(len(names))]](plate, rng, float(at[0]), float(at[1]), rng.uniform(0.1, 0.3) * height)
    return _filmed(rng, plate, width, height, length_s)


def _screen(rng: Rng, width: int, height: int, length_s: float) -> Scene:
    plate = paint_scenery(str(rng.choice(list(SCENERY))), rng, width, height)
    prop = Prop("screen", width // 6, height // 8, 2 * width // 3, 3 * height // 4, int(rng.integers(1 << 40)))
    screen = Screen(prop)

    def shown(time_s: float) -> Image:
        plate[prop.y : prop.y + prop.h, prop.x : prop.x + prop.w] = screen.frame(time_s)
        return plate

    return shown


def _cartoon(rng: Rng, width: int, height: int, length_s: float) -> Scene:
    plate = paint_scenery(str(rng.choice(["landscape", "room", "street"])), rng, width, height)
    cast = [
        (int(rng.integers(1 << 30)), rng.uniform(0.2, 0.8), rng.uniform(0.18, 0.4)) for _ in range(rng.integers(1, 4))
    ]
    frontal = rng.random() < 0.5
    hop, beat = float(rng.uniform(0, 0.08)) * height, float(rng.uniform(1, 3))

    def shown(time_s: float) -> Image:
        picture = plate.copy()
        for seed, x, size in cast:
            y = 0.9 * height - abs(np.sin(np.pi * beat * time_s + seed)) * hop
            speaks = 0.5 + 0.5 * float(np.sin(2 * np.pi * 3 * time_s + seed))
            one = np.random.default_rng(seed)
            if frontal:
                animal_head(picture, one, x * width, float(y) - 0.4 * size * height, 1.3 * size * height, speaks)
            else:
                animal(picture, one, x * width, float(y), size * height, speaks)
        return picture

    return shown


def _from_behind(rng: Rng, width: int, height: int, length_s: float) -> Scene:
    plate = paint_scenery(str(rng.choice(list(SCENERY))), rng, width, height)
    n = round(length_s * FPS) + 1
    people = []
    for _ in range(int(rng.integers(1, 4))):
        crop = float(rng.uniform(0.12, 0.4)) * width
        figure = Figure(sample_identity(rng), painted_size(min(crop, 200)))
        at = rng.uniform((0.15, 0.35), (0.85, 0.6)) * (width, height) + 0.05 * crop * np.stack(
            [drift(rng, n, 0.4) for _ in range(2)], -1
        )
        people.append((crop, figure, similarity(crop, float(rng.normal(0, 4)), CENTRE, at)))
    people.sort(key=lambda person: person[0])
    rest = np.zeros(19, np.float32)

    def shown(time_s: float) -> Image:
        picture = plate.copy()
        for _, figure, places in people:
            place = places[min(round(time_s * FPS), n - 1)]
            figure.draw(picture, place, place, rest, back=True)
        return picture

    return shown


KINDS: dict[str, Callable[[Rng, int, int, float], Scene]] = {
    "noise": _noise,
    "gradient": _gradient,
    "pattern": _pattern,
    "title": _title,
    "credits": _credits,
    "objects": _objects,
    "landscape": _plate(("landscape",)),
    "street": _plate(("street",)),
    "room": _plate(("room", "shelves", "stage", "kitchen")),
    "screen": _screen,
    "cartoon": _cartoon,
    "from-behind": _from_behind,
}
