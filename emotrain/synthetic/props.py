"""Things on the walls of a scene: signs, posters (with words, a landscape or a still face) and screens that play."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.synthetic.figure import Figure
from emotrain.synthetic.identity import sample_identity
from emotrain.synthetic.placement import similarity
from emotrain.synthetic.plane import MIDDLE
from emotrain.synthetic.scenery import SCENERY, box, darker, paint_scenery, tone

Image = NDArray[np.uint8]
Rng = np.random.Generator

WORDS = ("OPEN", "EXIT", "ROOM 12", "SUMMER SALE", "PLATFORM 3", "CAFE", "THE LAST TRAIN", "EPISODE 4", "NO ENTRY")
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)


@dataclass(frozen=True, slots=True)
class Prop:
    """Something on the backdrop: its kind (sign, poster, portrait or screen), place and size in backdrop pixels."""

    kind: str
    x: int
    y: int
    w: int
    h: int
    seed: int


def hang(picture: Image, prop: Prop, faces: bool = True) -> None:
    """Paint a prop onto a backdrop in place; without `faces` a portrait shows a landscape."""
    rng = np.random.default_rng(prop.seed)
    content = np.full((prop.h, prop.w, 3), tone(rng, 60, 230, 35), np.uint8)
    if prop.kind == "sign":
        write_words(content, [str(rng.choice(WORDS))], rng)
    elif prop.kind == "poster" or (prop.kind == "portrait" and not faces):
        content = paint_scenery(str(rng.choice(list(SCENERY))), rng, prop.w, prop.h)
        write_words(content[int(0.7 * prop.h) :], [str(rng.choice(WORDS))], rng)
    elif prop.kind == "portrait":
        _portrait(content, rng)
    else:
        content = Screen(prop).frame(0)
    rim = max(2, prop.w // 40)
    box(
        content,
        0,
        0,
        prop.w - 1,
        prop.h - 1,
        (20, 20, 22) if prop.kind == "screen" else darker(tone(rng, 60, 220), 0.8),
        rim,
    )
    lay(picture, content, prop.x, prop.y)


def lay(picture: Image, content: Image, x: int, y: int) -> None:
    """Copy `content` to (x, y) of the picture, cut at its edges."""
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + content.shape[1], picture.shape[1]), min(y + content.shape[0], picture.shape[0])
    if right > left and bottom > top:
        picture[top:bottom, left:right] = content[top - y : bottom - y, left - x : right - x]


def out_of_focus(picture: Image, blur: float) -> Image:
    """The picture behind a lens that blurs by `blur` pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), blur), np.uint8) if blur > 0.2 else picture


def write_words(picture: Image, lines: list[str], rng: Rng) -> None:
    """Lines of text, as large as the picture takes them, in a colour that can be read."""
    height, width = picture.shape[:2]
    font, row = int(rng.choice(_FONTS)), height / max(len(lines), 1)
    dark = float(picture.mean()) > 127
    colour = tone(rng, 10, 60, 12) if dark else tone(rng, 200, 250, 12)
    for i, line in enumerate(lines):
        (w, h), _ = cv2.getTextSize(line, font, 1.0, 2)
        scale = min(0.85 * width / w, 0.6 * row / h)
        at = (round((width - scale * w) / 2), round((i + 0.5) * row + scale * h / 2))
        cv2.putText(picture, line, at, font, scale, colour, max(1, round(2 * scale)), cv2.LINE_AA)


class Screen:
    """A television or monitor that plays: a street that scrolls past, bars, or lines of text, with cuts of its own."""

    def __init__(self, prop: Prop, blur: float = 0.0) -> None:
        self.prop = prop
        rng = np.random.default_rng([prop.seed, 1])
        self.shows = [out_of_focus(self._show(rng), blur) for _ in range(2)]
        self.speed = float(rng.uniform(0.1, 0.6)) * prop.w
        self.turns_s = float(rng.uniform(0.9, 2.5))

    def frame(self, time_s: float) -> Image:
        """What it shows, (h, w, 3) uint8."""
        show = self.shows[int(time_s / self.turns_s) % 2]
        at = round(time_s * self.speed) % (show.shape[1] - self.prop.w)
        return np.ascontiguousarray(show[:, at : at + self.prop.w])

    def _show(self, rng: Rng) -> Image:
        w, h = 3 * self.prop.w, self.prop.h
        kind = rng.choice(["landscape", "street", "bars", "text"])
        if kind == "bars":
            picture = np.zeros((h, w, 3), np.uint8)
            for k in range(24):
                box(picture, k * w / 24, 0, w / 24, h, tone(rng, 40, 230, 60))
        elif kind == "text":
            picture = np.full((h, w, 3), tone(rng, 10, 60, 15), np.uint8)
            for third in range(3):
                write_words(
                    picture[:, third * w // 3 : (third + 1) * w // 3], [str(v) for v in rng.choice(WORDS, 4)], rng
                )
        else:
            picture = paint_scenery(str(kind), rng, w, h)
        return np.asarray(cv2.add(picture, 20), np.uint8)


def _portrait(content: Image, rng: Rng) -> None:
    """A still, drawn face: what a picture on the wall shows."""
    h, w = content.shape[:2]
    size = min(160, max(56, round(0.9 * w)))
    figure = Figure(sample_identity(rng), size)
    units = np.zeros(19, np.float32)
    units[rng.integers(0, 12, 2)] = 0.7
    place = similarity(min(w, h) * 0.85, float(rng.uniform(-4, 4)), (MIDDLE, 0.5), (w / 2, 0.46 * h))
    figure.draw(content, place, place, units)
