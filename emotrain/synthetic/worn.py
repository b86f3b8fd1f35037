"""What people wear before their faces: glasses, and hair that hangs over the brows."""

from __future__ import annotations

import cv2
import numpy as np

from emotrain.face_layout import ALIGNED_CROP
from emotrain.synthetic.identity import Identity
from emotrain.synthetic.look import Image
from emotrain.synthetic.plane import MIDDLE, Plane

GLASSES, FRINGE = 0.2, 0.12
"""Shares of people who wear glasses, and whose hair hangs over their brows."""


def worn(plane: Plane, identity: Identity, rng: np.random.Generator) -> tuple[Image | None, float]:
    """What a person wears, (pixels, pixels, 4) uint8 with colour multiplied by alpha, and how far before the skin."""
    draw = rng.random()
    if draw < GLASSES:
        return _premultiplied(*_glasses(plane, rng)), 0.05
    if draw < GLASSES + FRINGE:
        return _premultiplied(*_fringe(plane, identity, rng)), 0.025
    return None, 0.0


def _glasses(plane: Plane, rng: np.random.Generator) -> tuple[Image, Image]:
    n, unit = plane.pixels, plane.per_unit
    colour, alpha = np.zeros((n, n, 3), np.uint8), np.zeros((n, n), np.uint8)
    frame = tuple(float(v) for v in rng.uniform(5, 120, 3) * (rng.random() < 0.5) + rng.uniform(5, 60))
    tint = tuple(float(v) for v in rng.uniform(20, 200, 3))
    wide, tall = rng.uniform(0.095, 0.125), rng.uniform(0.062, 0.095)
    thick = max(1, round(float(rng.uniform(0.006, 0.022)) * unit))
    round_ = rng.random() < 0.5
    eye_x, eye_y = ALIGNED_CROP.left_eye[0] - MIDDLE, ALIGNED_CROP.left_eye[1] + 0.012
    lenses = []
    for side in (-1, 1):
        centre = plane.points(np.array([MIDDLE + side * eye_x, eye_y]))
        if round_:
            t = np.linspace(0, 2 * np.pi, 40)
            outline = centre + np.stack([np.cos(t) * wide * 0.9, np.sin(t) * tall * 1.15], 1) * unit
        else:
            t = np.linspace(0, 2 * np.pi, 40)
            corner = np.sign([np.cos(t), np.sin(t)]) * np.abs([np.cos(t), np.sin(t)]) ** 0.45
            outline = centre + corner.T * [wide * unit, tall * unit]
        lenses.append(np.round(outline * 16).astype(np.int32))
    shade = int(rng.choice([0, 0, 40, 110]))
    for lens in lenses:
        cv2.fillPoly(colour, [lens], tint, cv2.LINE_AA, 4)
        cv2.fillPoly(alpha, [lens], shade, cv2.LINE_AA, 4)
    bridge = [plane.points(np.array([MIDDLE + side * (eye_x - wide * 0.9), eye_y - 0.01])) for side in (-1, 1)]
    arms = [
        [plane.points(np.array([MIDDLE + side * d, eye_y - 0.01])) for d in (eye_x + wide * 0.9, 0.41)]
        for side in (-1, 1)
    ]
    lines = [np.round(np.array(ends) * 16).astype(np.int32) for ends in (bridge, *arms)]
    for picture, value in ((colour, frame), (alpha, 255)):
        cv2.polylines(picture, lenses, True, value, thick, cv2.LINE_AA, 4)
        cv2.polylines(picture, lines, False, value, thick, cv2.LINE_AA, 4)
    return colour, alpha


def _fringe(plane: Plane, identity: Identity, rng: np.random.Generator) -> tuple[Image, Image]:
    n = plane.pixels
    colour, alpha = np.zeros((n, n, 3), np.uint8), np.zeros((n, n), np.uint8)
    reach, parting = float(rng.uniform(0.27, 0.36)), float(rng.uniform(0.25, 0.75))
    width = max(1, round(0.009 * plane.per_unit))
    for at in rng.uniform(0.14, 0.86, 110):
        end = at + 0.10 * np.sign(at - parting) * abs(at - parting) ** 0.5 + rng.normal(0, 0.01)
        low = reach - 0.35 * (at - MIDDLE) ** 2 + rng.normal(0, 0.012)
        bend = (0.6 * at + 0.4 * end, 0.55 * low)
        t = np.linspace(0, 1, 9)[:, None]
        curve = (1 - t) ** 2 * (at, -0.02) + 2 * t * (1 - t) * bend + t**2 * (end, low)
        strand = [np.round(plane.points(curve) * 16).astype(np.int32)]
        tone = [float(v) for v in np.clip(np.array(identity.hair) * rng.uniform(0.7, 1.25) + 6, 0, 255)]
        cv2.polylines(colour, strand, False, tone, width, cv2.LINE_AA, 4)
        cv2.polylines(alpha, strand, False, 255, width, cv2.LINE_AA, 4)
    return colour, alpha


def _premultiplied(colour: Image, alpha: Image) -> Image:
    shown = cv2.multiply(colour, cv2.merge([alpha] * 3), scale=1 / 255)
    return np.ascontiguousarray(np.dstack([shown, alpha]))
