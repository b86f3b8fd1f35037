"""The parts of a face that only move with it: head, hair, brows, nose and skin, painted once for each identity.

The head is a height field (skull, nose, cheekbones, eye sockets, chin) under one lamp, which gives the shading that
makes a face look round; pores, mottling, freckles and stubble give optical flow something to hold on to.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from emotrain.face_layout import ALIGNED_CROP
from emotrain.synthetic.identity import Identity
from emotrain.synthetic.muscles import resting_lines
from emotrain.synthetic.plane import MIDDLE, Floats, Plane, noise, pair, spot, step

_OUTLINE_Y = (-0.16, -0.10, 0.0, 0.15, 0.30, 0.45, 0.60, 0.70, 0.80, 0.88, 0.94, 0.985)
_OUTLINE_X = (0.0, 0.22, 0.335, 0.385, 0.398, 0.396, 0.378, 0.350, 0.295, 0.225, 0.140, 0.0)


def paint(plane: Plane, identity: Identity, lit: bool = True) -> Floats:
    """The identity's face at rest without eyes and lips: (pixels, pixels, 3) float32 RGB 0..255.

    Unless `lit`, the light is left to whoever knows where lamp and head are: the colour of the skin alone.
    """
    rng = np.random.default_rng(identity.seed)
    x, y = plane.grid()
    across, n, unit = np.abs(x - MIDDLE), plane.pixels, plane.per_unit
    edge = 2.5 / unit
    lamp = np.array([rng.choice([-1, 1]) * rng.uniform(0.15, 0.4), -0.45, 0.8], np.float32)
    shade, gloss = _shading(x, y, unit, identity, lamp / np.linalg.norm(lamp))
    if not lit:
        shade, gloss = np.ones_like(shade), np.zeros_like(gloss)

    image = _backdrop(rng, x, y, n, identity)
    hair = _hair_texture(rng, n, unit, identity)
    width = _half_width(y, identity)
    _lay(image, hair * 0.72, _hair_behind(across, y, edge, identity))
    neck = np.array(identity.skin, np.float32) * (0.62 + 0.12 * step(0.2 - across, 0.25)[..., None])
    _lay(image, neck, _neck(across, y, edge))
    _lay(image, np.broadcast_to(np.array(identity.shirt, np.float32), image.shape), _shirt(across, y, edge))
    _lay(image, np.array(identity.skin, np.float32) * 0.78 * np.ones_like(image), _ears(across, y, identity))

    skin = _skin(rng, x, y, n, identity) * (shade * _at_half_size(plane, identity))[..., None] + 255 * gloss[..., None]
    _nose_details(skin, x, y, identity)
    _lay(skin, hair * 0.55 + skin * 0.1, _brows(rng, x, y, n, unit, identity))
    _lay(image, skin, step(width - across, edge))
    _lay(image, hair, _hair_front(rng, across, y, edge, identity))
    return np.clip(image, 0, 255)


def head_mask(plane: Plane, identity: Identity) -> Floats:
    """How much of each pixel of `paint` is head, hair and neck: (pixels, pixels) in 0..1; shirt and backdrop are 0."""
    x, y = plane.grid()
    across, edge = np.abs(x - MIDDLE), 2.5 / plane.per_unit
    skin = step(_half_width(y, identity) - across, edge)
    neck = _neck(across, y, edge) * step(1.075 - 0.5 * across**2 - y, 4 * edge)
    behind = np.maximum(_hair_behind(across, y, edge, identity) * (1 - _shirt(across, y, edge)), neck)
    return np.asarray(np.max([skin, _ears(across, y, identity), behind], axis=0), np.float32)


def figure_mask(plane: Plane, identity: Identity) -> Floats:
    """How much of each pixel of `paint` is the person, shirt and all: what is not backdrop."""
    x, y = plane.grid()
    return np.maximum(head_mask(plane, identity), _shirt(np.abs(x - MIDDLE), y, 2.5 / plane.per_unit))


@dataclass(frozen=True, slots=True)
class FaceParts:
    """Where the parts of a painted face lie, each (pixels, pixels) in 0..1."""

    skin: Floats
    ears: Floats
    neck: Floats
    shirt: Floats
    behind: Floats
    hair: Floats
    brows: Floats


def face_parts(plane: Plane, identity: Identity, rng: np.random.Generator) -> FaceParts:
    """The shapes of a face without their colours, for styles that colour them otherwise."""
    x, y = plane.grid()
    across, edge = np.abs(x - MIDDLE), 2.5 / plane.per_unit
    return FaceParts(
        skin=step(_half_width(y, identity) - across, edge),
        ears=_ears(across, y, identity),
        neck=_neck(across, y, edge),
        shirt=_shirt(across, y, edge),
        behind=_hair_behind(across, y, edge, identity),
        hair=_hair_front(rng, across, y, edge, identity),
        brows=_brows(rng, x, y, plane.pixels, plane.per_unit, identity),
    )


def head_outline(identity: Identity) -> Floats:
    """Points around the bare face from hairline to chin, (N, 2) float32 crop fractions."""
    y = np.linspace(identity.hairline, _OUTLINE_Y[-1], 64, dtype=np.float32)[:, None]
    half = np.clip(_half_width(y, identity)[:, 0], 0, None)
    side = np.stack([half, y[:, 0]], axis=1)
    return np.concatenate([side * (1, 1) + (MIDDLE, 0), side * (-1, 1) + (MIDDLE, 0)]).astype(np.float32)


def _neck(across: Floats, y: Floats, edge: float) -> Floats:
    return step(0.235 - across, edge * 2) * step(y - 0.8, edge)


def _shirt(across: Floats, y: Floats, edge: float) -> Floats:
    return step(y - 1.08 - 0.2 * across, edge * 2)


def _ears(across: Floats, y: Floats, identity: Identity) -> Floats:
    return step(1 - ((across - 0.400 * identity.face_width) / 0.035) ** 2 - ((y - 0.48) / 0.085) ** 2, 0.3)


def _half_width(y: Floats, identity: Identity) -> Floats:
    width = np.interp(y, _OUTLINE_Y, _OUTLINE_X, left=-0.1, right=-0.1)
    jaw = 1 + (identity.jaw - 1) * np.clip((y - 0.45) / 0.3, 0, 1)
    rows = cv2.GaussianBlur((width * identity.face_width * jaw).astype(np.float32), (0, 0), 0.014 * y.shape[0])
    return np.asarray(rows, np.float32)


def relief(x: Floats, y: Floats, unit: float, identity: Identity) -> Floats:
    """How far the face stands out towards the viewer, in crop widths, where `unit` pixels are a crop width."""
    skull = np.sqrt(np.clip(1 - ((x - MIDDLE) / 0.47) ** 2 - ((y - 0.45) / 0.66) ** 2, 0.02, None)) * 0.36
    wide = identity.nose_width
    ridge_width = np.interp(y, (0.35, 0.45, 0.60), (0.032, 0.026, 0.040)).astype(np.float32) * wide
    ridge_height = np.interp(y, (0.33, 0.40, 0.585, 0.615, 0.64), (0.0, 0.022, 0.075, 0.062, 0.0)).astype(np.float32)
    height = skull + ridge_height * np.exp(-0.5 * ((x - MIDDLE) / ridge_width) ** 2)
    height += 0.016 * spot(x, y, (MIDDLE, 0.595), (0.034 * wide, 0.026)) + 0.022 * pair(
        x, y, (0.048 * wide, 0.606), (0.02, 0.018)
    )
    height += 0.016 * pair(x, y, (0.155, 0.325), (0.09, 0.026)) - 0.030 * pair(x, y, (0.15, 0.400), (0.075, 0.035))
    height += 0.014 * pair(x, y, (0.165, 0.42), (0.045, 0.030)) + 0.030 * pair(x, y, (0.215, 0.545), (0.085, 0.065))
    height += 0.026 * spot(x, y, (MIDDLE, 0.750), (0.115, 0.060)) - 0.007 * spot(x, y, (MIDDLE, 0.69), (0.012, 0.022))
    height += 0.030 * spot(x, y, (MIDDLE, 0.890), (0.085, 0.042)) - 0.010 * spot(x, y, (MIDDLE, 0.825), (0.08, 0.016))
    return np.asarray(cv2.GaussianBlur(height.astype(np.float32), (0, 0), 0.006 * unit), np.float32)


def _shading(x: Floats, y: Floats, unit: float, identity: Identity, lamp: Floats) -> tuple[Floats, Floats]:
    height = relief(x, y, unit, identity)
    slope_x, slope_y = np.gradient(height * unit, axis=1), np.gradient(height * unit, axis=0)
    length = np.sqrt(1 + slope_x**2 + slope_y**2)
    facing = (-slope_x * lamp[0] - slope_y * lamp[1] + lamp[2]) / length
    half = lamp + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    gloss = np.clip((-slope_x * half[0] - slope_y * half[1] + half[2]) / length, 0, 1) ** 28 * 0.07
    shade = 0.42 + 0.66 * np.clip(facing, 0, 1) ** 0.9
    return shade.astype(np.float32), gloss.astype(np.float32)


def _skin(rng: np.random.Generator, x: Floats, y: Floats, n: int, identity: Identity) -> Floats:
    tone = (
        1 + 0.030 * noise(rng, n, (n / 14, n / 14)) + 0.028 * noise(rng, n, (5, 5)) + 0.030 * noise(rng, n, (2.2, 2.2))
    )
    skin = np.array(identity.skin, np.float32) * tone[..., None].astype(np.float32)
    blush = 0.8 * pair(x, y, (0.225, 0.575), (0.075, 0.055)) + 0.6 * spot(x, y, (MIDDLE, 0.60), (0.04, 0.03))
    skin += blush[..., None] * np.array([9, -9, -8], np.float32) + noise(rng, n, (9, 9))[..., None] * np.array(
        [2, -1.5, -1.5]
    )
    freckles = np.clip(noise(rng, n, (3.2, 3.2)) - 1.35, 0, 1) * identity.freckles
    area = 0.35 + 0.65 * pair(x, y, (0.15, 0.54), (0.16, 0.08))
    skin *= 1 - (0.42 * freckles * area)[..., None] * np.array([0.75, 1, 1.15], np.float32)
    for _ in range(int(rng.integers(1, 5))):
        at = (float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.2, 0.9)))
        skin *= 1 - float(rng.uniform(0.15, 0.45)) * spot(x, y, at, (0.0045, 0.0045))[..., None]
    if identity.beard > 0:
        low = step(y - 0.70 - 0.5 * np.clip(0.32 - np.abs(x - MIDDLE), 0, 0.2) * 0.4, 0.12)
        stubble = np.clip(low - 0.9 * spot(x, y, (MIDDLE, 0.765), (0.10, 0.034)), 0, 1)
        grain = np.clip(0.55 + 0.30 * noise(rng, n, (1.8, 3.0)), 0, 1) * stubble * identity.beard
        skin += (np.array(identity.hair, np.float32) * 0.8 - skin) * (0.75 * grain)[..., None]
    return np.asarray(skin, np.float32)


def _at_half_size(plane: Plane, identity: Identity) -> Floats:
    half = Plane(plane.pixels // 2, plane.low, plane.high)
    return np.asarray(cv2.resize(resting_lines(half, identity), (plane.pixels, plane.pixels)), np.float32)


def _nose_details(skin: Floats, x: Floats, y: Floats, identity: Identity) -> None:
    wide = identity.nose_width
    nostrils = pair(x, y, (0.030 * wide, 0.622), (0.014 * wide, 0.0075))
    wings = pair(x, y, (0.068 * wide, 0.606), (0.006, 0.020)) + 0.6 * spot(x, y, (MIDDLE, 0.640), (0.040, 0.012))
    lids = 0.30 * pair(x, y, (0.165, 0.385), (0.060, 0.010)) + 0.22 * pair(x, y, (0.165, 0.415), (0.07, 0.035))
    below = 0.25 * spot(x, y, (MIDDLE, 0.822), (0.065, 0.013))
    skin *= (1 - np.clip(0.66 * nostrils + 0.22 * wings + lids * 0.55 + below, 0, 0.85))[..., None]


def _brows(rng: np.random.Generator, x: Floats, y: Floats, n: int, unit: float, identity: Identity) -> Floats:
    along = (np.abs(x - MIDDLE) - 0.070) / 0.190
    t = np.clip(along, 0, 1)
    arch = 0.030 * identity.brow_arch * np.sin(np.pi * np.clip(t * 0.85, 0, 1)) - 0.022 * t**3
    line = ALIGNED_CROP.brow_y + 0.012 + identity.brow_shift - arch
    thick = 0.0165 * identity.brow_thick * (1 - 0.62 * t**1.6)
    inside = step(thick - np.abs(y - line), 0.009) * step(along, 0.10) * step(1.02 - along, 0.10)
    strands = np.clip(0.82 + 0.22 * noise(rng, n, (0.010 * unit, 0.022 * unit)), 0, 1)
    return np.asarray(inside * strands, np.float32)


def _hair_texture(rng: np.random.Generator, n: int, unit: float, identity: Identity) -> Floats:
    strands = 1 + 0.16 * noise(rng, n, (0.009 * unit, 0.18 * unit)) + 0.12 * noise(rng, n, (0.05 * unit, 0.5 * unit))
    return np.asarray(np.array(identity.hair, np.float32) * strands[..., None] + 6, np.float32)


def _hair_behind(across: Floats, y: Floats, edge: float, identity: Identity) -> Floats:
    """Hair around the skull and, when it is long, down the sides."""
    crown = step(1 - (across / (0.455 * identity.face_width)) ** 2 - ((y - 0.30) / 0.55) ** 2, 0.06) * step(
        0.42 - y, 0.06
    )
    reach = 0.42 + 0.75 * identity.hair_length
    curtain = step(0.475 * identity.face_width - across, edge * 4) * step(reach - y, 0.08) * step(y - 0.25, 0.1)
    return np.clip(crown + (curtain if identity.hair_length > 0.3 else 0 * curtain), 0, 1)


def _hair_front(rng: np.random.Generator, across: Floats, y: Floats, edge: float, identity: Identity) -> Floats:
    fringe = noise(rng, len(y), (len(y) / 60, len(y))) * 0.006
    temple = (across / (0.385 * identity.face_width)) ** 5
    line = identity.hairline + fringe + (0.30 + 0.25 * float(identity.hair_length > 0.3)) * temple
    cap = step(1 - (across / (0.435 * identity.face_width)) ** 2 - ((y - 0.30) / 0.55) ** 2, 0.06)
    return np.asarray(step(line - y, 3 * edge) * cap, np.float32)


def _backdrop(rng: np.random.Generator, x: Floats, y: Floats, n: int, identity: Identity) -> Floats:
    first, second = (np.array(c, np.float32) for c in identity.backdrop)
    mix = np.clip(0.5 + 0.5 * (y - 0.5) + 0.18 * noise(rng, n, (n / 4, n / 4)), 0, 1)[..., None]
    return np.asarray(first * (1 - mix) + second * mix + 3 * noise(rng, n, (8, 8))[..., None], np.float32)


def _lay(image: Floats, paint_: Floats, mask: Floats) -> None:
    image += (paint_ - image) * mask[..., None]
