"""The known styles: a photograph-like face, a weathered one, an ink drawing and a flat cartoon of the same anatomy.

Each takes a person and gives a `Look`. They share muscles (varied from person to person) and where eyes and mouth are;
the held-back style shares neither (`bust`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from emotrain.synthetic.eyes import Eyes
from emotrain.synthetic.head_turn import Relief
from emotrain.synthetic.identity import Colour, Identity
from emotrain.synthetic.look import FIELD, Image, Look, own_muscles
from emotrain.synthetic.mouth import Mouth
from emotrain.synthetic.muscles import folds
from emotrain.synthetic.plane import MIDDLE, Floats, Plane, noise, pair, spot, step, with_margin
from emotrain.synthetic.skin import face_parts, figure_mask, paint, relief

Paint = Callable[[Plane, Identity, np.random.Generator], tuple[Floats, Identity]]


def painted_look(paint_face: Paint, identity: Identity, rng: np.random.Generator, size: int, **light: float) -> Look:
    """A look whose face `paint_face` paints; `light` are `lit`, `gloss` and `fold`, the strength of the folds."""
    plane = with_margin(2 * size)
    picture, drawn = paint_face(plane, identity, rng)
    canvas = np.ascontiguousarray(np.clip(picture, 0, 255).astype(np.uint8))
    x, y = FIELD.grid()
    return Look(
        identity=drawn,
        plane=plane,
        canvas=canvas,
        alpha=np.asarray(255 * figure_mask(plane, identity), np.uint8),
        backdrop=backdrop(rng, round(1.4 * size)),
        relief=Relief.of(FIELD, relief(x, y, FIELD.per_unit, identity) * float(rng.uniform(0.85, 1.15))),
        fields=own_muscles(rng),
        folds=folds(Plane(size, 0.0, 1.0), identity) * np.float32(light["fold"]),
        eyes=Eyes(plane, drawn, canvas),
        mouth=Mouth(plane, drawn, canvas),
        lit=light["lit"],
        gloss=light["gloss"],
        mouth_drop=float(rng.uniform(-0.02, 0.025)),
        eye_spread=float(rng.uniform(-0.06, 0.06)),
    )


def shaded(identity: Identity, rng: np.random.Generator, size: int) -> Look:
    """Skin under a lamp: the classic face, lit from anywhere."""

    def face(plane: Plane, person: Identity, rng: np.random.Generator) -> tuple[Floats, Identity]:
        return paint(plane, person, lit=False), person

    return painted_look(face, identity, rng, size, lit=1.0, gloss=float(rng.uniform(0, 40)), fold=1.0)


def textured(identity: Identity, rng: np.random.Generator, size: int) -> Look:
    """Weathered skin: grain at every scale, blotches, and hard light."""

    def face(plane: Plane, person: Identity, rng: np.random.Generator) -> tuple[Floats, Identity]:
        picture = paint(plane, person, lit=False)
        n = plane.pixels
        rough = sum(a * noise(rng, n, (g, g)) for a, g in ((0.05, 1.6), (0.05, 4), (0.05, 10), (0.04, 28)))
        tint = np.array(rng.uniform(-1, 1, 3), np.float32) * 0.05
        blotch = np.clip(noise(rng, n, (12, 12)) - 0.8, 0, 1)[..., None] * tint
        return picture * (1 + np.asarray(rough, np.float32)[..., None] + blotch), person

    return painted_look(face, identity, rng, size, lit=1.0, gloss=float(rng.uniform(10, 70)), fold=1.25)


def line(identity: Identity, rng: np.random.Generator, size: int) -> Look:
    """Ink on tinted paper: outlines, hatching and almost no skin to hold on to."""
    paper, ink = _paper(rng)
    person = replace(
        identity,
        skin=paper,
        hair=ink,
        lips=_mixed(paper, ink, float(rng.uniform(0.12, 0.4))),
        iris=_mixed(paper, ink, 0.65),
        beard=0.0,
        freckles=0.0,
    )

    def face(plane: Plane, person: Identity, rng: np.random.Generator) -> tuple[Floats, Identity]:
        x, y = plane.grid()
        n, unit = plane.pixels, plane.per_unit
        grain = 1 + 0.02 * noise(rng, n, (2.5, 2.5)) + 0.015 * noise(rng, n, (n / 9, n / 9))
        picture = np.array(paper, np.float32) * grain[..., None].astype(np.float32)
        parts = face_parts(plane, person, rng)
        thick = float(rng.uniform(0.006, 0.012))
        edges = _contour(parts.skin, thick * unit) + 0.7 * _contour(parts.hair, thick * unit)
        hatch = 0.5 + 0.5 * np.sin((x * float(rng.uniform(0.5, 1.5)) + y) * 2 * np.pi * float(rng.uniform(28, 46)))
        dark = np.clip((np.abs(x - MIDDLE) - 0.22) / 0.2, 0, 1) * (x * float(rng.choice([-1, 1])) > 0) * parts.skin
        wide = person.nose_width
        nose = spot(x, y, (MIDDLE + 0.028 * wide, 0.54), (0.006, 0.06)) + pair(
            x, y, (0.045 * wide, 0.622), (0.016, 0.007)
        )
        strokes = np.clip(parts.hair * (0.45 + 0.4 * noise(rng, n, (0.006 * unit, 0.2 * unit))), 0, 1)
        marks = np.max(
            [edges, 0.5 * (hatch > 0.62) * dark, 0.75 * nose, strokes, parts.brows, parts.shirt * (hatch > 0.7)], 0
        )
        return picture + (np.array(ink, np.float32) - picture) * np.clip(marks, 0, 1)[..., None].astype(
            np.float32
        ), person

    look = painted_look(face, person, rng, size, lit=float(rng.uniform(0.0, 0.35)), gloss=0.0, fold=1.3)
    blank = np.array(_mixed(paper, (255.0, 255.0, 255.0), 0.3), np.float32)
    scrawl = noise(rng, look.backdrop.shape[0], (2.5, 2.5))[..., None]
    return replace(look, backdrop=np.clip(blank * (1 + 0.02 * scrawl), 0, 255).astype(np.uint8))


def flat(identity: Identity, rng: np.random.Generator, size: int) -> Look:
    """A cartoon: areas of one colour, one step of shadow, dark outlines."""
    skin: Colour = identity.skin if rng.random() < 0.7 else tuple(float(v) for v in rng.uniform(90, 240, 3))  # type: ignore[assignment]
    hair: Colour = tuple(float(v) for v in rng.uniform(20, 220, 3))  # type: ignore[assignment]
    person = replace(identity, skin=skin, hair=hair, freckles=0.0, beard=0.0, eye_open=identity.eye_open * 1.15)

    def face(plane: Plane, person: Identity, rng: np.random.Generator) -> tuple[Floats, Identity]:
        x, y = plane.grid()
        parts = face_parts(plane, person, rng)
        unit = plane.per_unit
        picture = np.zeros((*x.shape, 3), np.float32)
        side = float(rng.choice([-1, 1]))
        edge = np.abs(side * (x - MIDDLE) - 0.12 - 0.25 * np.abs(y - 0.5) ** 1.5)
        shadow = step(side * (x - MIDDLE) - 0.17 - 0.05 * np.cos(9 * y) + 0 * edge, 0.012)
        shadow = np.maximum(shadow, 0.8 * spot(x, y, (MIDDLE + 0.04 * side, 0.625), (0.03, 0.012)))
        colour = np.array(person.skin, np.float32)
        layers = (
            (parts.behind, np.array(person.hair, np.float32) * 0.7),
            (parts.neck, colour * 0.72),
            (parts.shirt, np.array(person.shirt, np.float32)),
            (parts.ears, colour * 0.85),
            (parts.skin, colour),
        )
        for mask, paint_ in layers:
            picture += (paint_ - picture) * mask[..., None]
        picture *= (1 - 0.24 * shadow * parts.skin)[..., None]
        blush = pair(x, y, (0.22, 0.58), (0.06, 0.04)) * float(rng.uniform(0, 0.3))
        picture += blush[..., None] * np.array([40, -30, -20], np.float32)
        nose = pair(x, y, (0.02 * person.nose_width, 0.622), (0.012, 0.007))
        picture *= (1 - 0.6 * nose)[..., None]
        for mask in (parts.brows, parts.hair):
            picture += (np.array(person.hair, np.float32) * 0.85 - picture) * mask[..., None]
        outline = _contour(parts.skin, 0.008 * unit) + _contour(parts.hair, 0.008 * unit)
        return picture * (1 - 0.85 * np.clip(outline, 0, 1))[..., None], person

    return painted_look(face, person, rng, size, lit=float(rng.uniform(0.1, 0.5)), gloss=0.0, fold=0.6)


def backdrop(rng: np.random.Generator, pixels: int) -> Image:
    """Something out of focus behind a head, (pixels, pixels, 3): a wall, a gradient, blurred things."""
    first, second = rng.uniform(20, 235, (2, 3)).astype(np.float32)
    ramp = np.linspace(0, 1, pixels, dtype=np.float32)
    mix = ramp[:, None] * float(rng.uniform(-1, 1)) + ramp[None] * float(rng.uniform(-1, 1))
    mix = np.clip(0.5 + 0.6 * (mix - mix.mean()) + 0.12 * noise(rng, pixels, (pixels / 5, pixels / 5)), 0, 1)
    picture = np.ascontiguousarray(first * (1 - mix[..., None]) + second * mix[..., None])
    for _ in range(int(rng.integers(0, 9))):
        low = rng.integers(0, pixels, 2)
        high = low + rng.integers(pixels // 10, pixels // 2, 2)
        colour = tuple(float(v) for v in rng.uniform(20, 235, 3))
        cv2.rectangle(picture, [int(v) for v in low], [int(v) for v in high], colour, -1)
    picture = cv2.GaussianBlur(picture, (0, 0), pixels * float(rng.uniform(0.008, 0.05)))
    return np.clip(picture + 2.5 * noise(rng, pixels, (3, 3))[..., None], 0, 255).astype(np.uint8)


def _paper(rng: np.random.Generator) -> tuple[Colour, Colour]:
    light = rng.uniform(205, 250) - rng.uniform(0, 40, 3)
    dark = rng.uniform(10, 60) + rng.uniform(0, 40, 3)
    paper: Colour = (float(light[0]), float(light[1]), float(light[2]))
    ink: Colour = (float(dark[0]), float(dark[1]), float(dark[2]))
    return paper, ink


def _mixed(a: Colour, b: Colour, share: float) -> Colour:
    return tuple(p * (1 - share) + q * share for p, q in zip(a, b))  # type: ignore[return-value]


def _contour(mask: Floats, width: float) -> Floats:
    """A line around where a mask begins, about `width` pixels wide."""
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.6, width / 2))
    return np.asarray(4 * soft * (1 - soft), np.float32) ** 2
