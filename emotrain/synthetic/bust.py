"""The held-back style: a modelled head of a kind that nothing was fitted to (see `styles.HELD_BACK`).

Ellipsoids make its relief, fractal noise its skin, single hairs its brows; muscles are `bust_muscles`, eyes and mouth
`bust_features`. Only the anatomy's prior (face_layout) and the list of action units are shared with the other styles.
"""

from __future__ import annotations

import cv2
import numpy as np

from emotrain.synthetic.bust_features import BustEyes, BustMouth
from emotrain.synthetic.bust_muscles import bust_fields, bust_folds
from emotrain.synthetic.head_turn import Relief
from emotrain.synthetic.identity import Identity
from emotrain.synthetic.look import FIELD, Image, Look
from emotrain.synthetic.plane import MIDDLE, Floats, Plane, step, with_margin

Rng = np.random.Generator


def bust(identity: Identity, rng: Rng, size: int) -> Look:
    """A person of the held-back style; colours are the identity's, everything else is this style's own."""
    plane = with_margin(2 * size)
    canvas = np.clip(_skin(plane, identity, rng), 0, 255).astype(np.uint8)
    canvas = np.ascontiguousarray(canvas)
    fields = bust_fields() * rng.uniform(0.75, 1.25, (len(bust_fields()), 1, 1, 1)).astype(np.float32)
    x, y = FIELD.grid()
    return Look(
        identity=identity,
        plane=plane,
        canvas=canvas,
        alpha=np.asarray(255 * _outline(plane, identity), np.uint8),
        backdrop=_bokeh(rng, round(1.4 * size)),
        relief=Relief.of(FIELD, _relief(x, y, rng)),
        fields=fields,
        folds=bust_folds(fields, size, float(rng.uniform(0.25, 0.45))),
        eyes=BustEyes(plane, identity, canvas, rng),
        mouth=BustMouth(plane, identity, canvas, rng),
        lit=1.0,
        gloss=float(rng.uniform(5, 55)),
        mouth_drop=float(rng.uniform(-0.02, 0.02)),
        eye_spread=float(rng.uniform(-0.05, 0.05)),
    )


def _relief(x: Floats, y: Floats, rng: Rng) -> Floats:
    """The upper envelope of ellipsoids, softened: skull, jaw, nose, cheekbones, lips, chin."""
    parts = [
        ((0.0, 0.36), (0.46, 0.60), 0.34, 0.0),
        ((0.0, 0.66), (0.36, 0.40), 0.24, 0.08),
        ((0.0, 0.52), (0.040 * rng.uniform(0.85, 1.2), 0.16), 0.07, 0.325),
        ((0.0, 0.60), (0.062, 0.045), 0.07, 0.325 + 0.03 * rng.uniform(0.3, 1.4)),
        ((0.0, 0.76), (0.15, 0.075), 0.04, 0.295),
        ((0.0, 0.89), (0.11, 0.065), 0.06, 0.245),
    ]
    sides = [((0.20, 0.56), (0.12, 0.10), 0.06, 0.26), ((0.165, 0.325), (0.12, 0.04), 0.03, 0.30)]
    total = np.full(x.shape, -0.05, np.float32)
    for (dx, at_y), (wide, tall), high, base in [*parts, *sides]:
        for side in (1, -1) if dx else (1,):
            inside = 1 - ((x - MIDDLE - side * dx) / wide) ** 2 - ((y - at_y) / tall) ** 2
            dome = base + high * np.sqrt(np.clip(inside, 0, None)) - 0.5 * (inside < 0)
            # A smooth maximum, so that parts grow out of each other.
            total = np.maximum(total, dome) + 0.012 * np.exp(-(((total - dome) / 0.03) ** 2))
    return np.asarray(cv2.GaussianBlur(total.astype(np.float32), (0, 0), 1.3), np.float32)


def _half_width(y: Floats, identity: Identity) -> Floats:
    """A superellipse for the skull and a narrower one for the jaw."""
    skull = 0.405 * np.clip(1 - np.abs((y - 0.36) / 0.50) ** 2.4, 0, None) ** (1 / 2.4)
    jaw = (0.355 * identity.jaw) * np.clip(1 - np.abs((y - 0.50) / 0.475) ** 2.9, 0, None) ** (1 / 2.9)
    return np.asarray(
        np.where(y < 0.5, np.maximum(skull, jaw), np.maximum(jaw, skull * 0.8)) * identity.face_width, np.float32
    )


def _outline(plane: Plane, identity: Identity) -> Floats:
    x, y = plane.grid()
    edge = 2.0 / plane.per_unit
    across = np.abs(x - MIDDLE)
    head = step(_half_width(y, identity) - across, edge)
    hair = step(_half_width((y + 0.035).astype(np.float32), identity) * 1.09 - across, edge) * step(0.40 - y, 0.05)
    neck = step(0.215 + 0.35 * np.clip(y - 1.02, 0, None) - across, edge) * step(y - 0.75, edge)
    ears = step(1 - ((across - 0.395 * identity.face_width) / 0.042) ** 2 - ((y - 0.47) / 0.10) ** 2, 0.25)
    return np.asarray(np.max([head, hair, neck, ears], axis=0), np.float32)


def _skin(plane: Plane, identity: Identity, rng: Rng) -> Floats:
    x, y = plane.grid()
    n, unit = plane.pixels, plane.per_unit
    grain = 0.045 * _fractal(rng, n, 1.1) + 0.03 * _fractal(rng, n, 0.55)
    colour = np.array(identity.skin, np.float32) * (1 + grain[..., None])
    warm = _blob(x, y, (0.21, 0.57), 0.07) + _blob(x, y, (0.0, 0.60), 0.04) + 0.5 * _blob(x, y, (0.0, 0.89), 0.06)
    cool = _blob(x, y, (0.165, 0.47), 0.035)
    colour += warm[..., None] * np.array([12, -8, -6], np.float32) + cool[..., None] * np.array(
        [-14, -10, 0], np.float32
    )
    colour[:] *= (1 - 0.55 * _ellipse(x, y, (0.027, 0.625), (0.014, 0.009)))[..., None]
    if rng.random() < 0.45:
        low = step(y - 0.66 + 0.5 * np.clip(np.abs(x - MIDDLE) - 0.2, 0, None), 0.08)
        free = 1 - _ellipse(x, y, (0.0, 0.765), (0.12, 0.045))
        strength = float(rng.uniform(0.15, 0.8)) * np.clip(0.7 + 0.5 * _fractal(rng, n, 0.4), 0, 1)
        beard = (low * free * strength)[..., None]
        colour += (np.array(identity.hair, np.float32) * 0.8 - colour) * beard
    picture = np.ascontiguousarray(colour)
    _brows(picture, plane, identity, rng)
    across = np.abs(x - MIDDLE)
    line = identity.hairline + 0.06 + 0.22 * np.clip(across / 0.40, 0, 1) ** 4 + 0.008 * _fractal(rng, n, 0.6)
    hair = np.array(identity.hair, np.float32) * (1 + 0.30 * np.clip(_fractal(rng, n, 0.5), -2, 2))[..., None]
    outside = step(across - _half_width(y, identity), 2 / unit) * step(0.40 - y, 0.05)
    top = np.maximum(step(line - y, 0.012), outside)
    return np.asarray(picture + (hair - picture) * top[..., None], np.float32)


def _brows(picture: Floats, plane: Plane, identity: Identity, rng: Rng) -> None:
    """Single hairs, combed outwards and up."""
    colour = tuple(float(v) * 0.8 for v in identity.hair)
    t = np.linspace(0, 1, 70)
    for side in (1, -1):
        for row in np.linspace(-1, 1, max(3, round(5 * identity.brow_thick))):
            thick = 0.011 * identity.brow_thick * (1 - 0.7 * t**2)
            x = 0.068 + 0.185 * t + rng.normal(0, 0.003, t.shape)
            y = (
                0.336
                + identity.brow_shift
                - 0.034 * np.sin(np.pi * t * 0.8)
                + row * thick
                + rng.normal(0, 0.002, t.shape)
            )
            lean = 0.020 * (1 - 0.4 * t)
            root = plane.points(np.stack([MIDDLE + side * x, y], 1))
            tip = plane.points(np.stack([MIDDLE + side * (x + lean), y - 0.016 * (1 - 1.3 * t)], 1))
            for a, b in zip(root, tip):
                ends = [[int(v * 8) for v in point] for point in (a, b)]
                cv2.line(picture, ends[0], ends[1], colour, 1, cv2.LINE_AA, 3)


def _fractal(rng: Rng, n: int, slope: float) -> Floats:
    """Noise whose amplitude falls as 1 / frequency^slope, of unit variance, (n, n)."""
    frequency = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.rfftfreq(n)[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((n, n))) / np.maximum(frequency, 4 / n) ** slope
    field = np.fft.irfft2(spectrum, (n, n))
    return np.asarray(field / field.std(), np.float32)


def _bokeh(rng: Rng, pixels: int) -> Image:
    """Discs of light out of focus."""
    picture = np.ascontiguousarray(np.broadcast_to(rng.uniform(10, 160, 3), (pixels, pixels, 3)).astype(np.float32))
    for _ in range(int(rng.integers(3, 26))):
        at = [int(v) for v in rng.integers(0, pixels, 2)]
        colour = tuple(float(v) for v in rng.uniform(30, 255, 3))
        cv2.circle(picture, at, int(rng.uniform(0.02, 0.11) * pixels), colour, -1, cv2.LINE_AA)
    soft = cv2.GaussianBlur(picture, (0, 0), pixels * float(rng.uniform(0.01, 0.03)))
    return np.clip(soft + 2 * _fractal(rng, pixels, 0.3)[..., None], 0, 255).astype(np.uint8)


def _blob(x: Floats, y: Floats, at: tuple[float, float], wide: float) -> Floats:
    return np.asarray(np.exp(-(((np.abs(x - MIDDLE) - at[0]) ** 2 + (y - at[1]) ** 2) / wide**2)), np.float32)


def _ellipse(x: Floats, y: Floats, at: tuple[float, float], half: tuple[float, float]) -> Floats:
    inside = 1 - ((np.abs(x - MIDDLE) - at[0]) / half[0]) ** 2 - ((y - at[1]) / half[1]) ** 2
    return step(np.asarray(inside, np.float32), 0.6)
