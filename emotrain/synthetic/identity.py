"""Who is on screen: everything about a face that does not change while the person moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]

_SKIN: tuple[Colour, ...] = (
    (244, 208, 184),
    (234, 190, 160),
    (222, 174, 140),
    (204, 150, 114),
    (176, 122, 88),
    (142, 94, 66),
    (118, 78, 56),
    (98, 65, 49),
)
_HAIR_DARK: tuple[Colour, ...] = ((26, 20, 18), (44, 30, 22), (66, 44, 30))
_HAIR_LIGHT: tuple[Colour, ...] = ((104, 66, 36), (150, 106, 58), (192, 156, 98), (132, 58, 30))
_HAIR_GREY: Colour = (150, 148, 146)
_IRIS: tuple[Colour, ...] = ((64, 40, 24), (88, 56, 30), (110, 92, 50), (84, 108, 84), (86, 118, 146))


@dataclass(frozen=True, slots=True)
class Identity:
    """A person. Colours are RGB 0..255; lengths are factors around 1; shifts are fractions of the crop."""

    name: str
    seed: int
    skin: Colour
    hair: Colour
    iris: Colour
    lips: Colour
    backdrop: tuple[Colour, Colour]
    shirt: Colour
    face_width: float
    jaw: float
    eye_width: float
    eye_open: float
    eye_shift: float
    brow_thick: float
    brow_arch: float
    brow_shift: float
    nose_width: float
    mouth_width: float
    lip_full: float
    mouth_shift: float
    hairline: float
    hair_length: float
    age: float
    freckles: float
    beard: float


def sample_identity(rng: np.random.Generator, name: str = "") -> Identity:
    """Draw a person; facial proportions vary by a few percent around the aligned-crop prior."""
    skin = _mix(_SKIN, rng)
    dark_skin = sum(skin) < 390
    age = float(rng.beta(1.3, 2.0))
    feminine = bool(rng.random() < 0.5)
    hair = _mix(_HAIR_DARK if dark_skin or rng.random() < 0.5 else _HAIR_LIGHT, rng)
    if age > 0.6 and rng.random() < 0.6:
        hair = _blend(hair, _HAIR_GREY, 0.75)
    iris = _mix(_IRIS[:2] if dark_skin else _IRIS, rng)
    lip_tint: Colour = (178, 66, 74) if feminine else (176, 84, 78)
    lips = _blend(skin, lip_tint, float(rng.uniform(0.5, 0.75) if feminine else rng.uniform(0.35, 0.5)))

    def around(spread: float) -> float:
        return float(np.clip(rng.normal(1.0, spread), 1 - 2 * spread, 1 + 2 * spread))

    tone = rng.uniform(40, 215, 3) * 0.4 + rng.uniform(40, 215) * 0.6
    second = np.clip(tone + rng.normal(0, 22, 3), 20, 235)
    return Identity(
        name=name,
        seed=int(rng.integers(2**31)),
        skin=skin,
        hair=hair,
        iris=iris,
        lips=_blend(lips, (0, 0, 0), 0.12),
        backdrop=(_colour(tone), _colour(second)),
        shirt=_colour(rng.uniform(20, 210, 3)),
        face_width=around(0.03),
        jaw=around(0.06) * (0.96 if feminine else 1.04),
        eye_width=around(0.05),
        eye_open=around(0.08) * (1.04 if feminine else 0.97),
        eye_shift=float(rng.normal(0, 0.004)),
        brow_thick=around(0.15) * (0.8 if feminine else 1.15),
        brow_arch=around(0.3),
        brow_shift=float(rng.normal(0, 0.005)),
        nose_width=around(0.08),
        mouth_width=around(0.05),
        lip_full=around(0.13) * (1.1 if feminine else 0.9),
        mouth_shift=float(rng.normal(0, 0.005)),
        hairline=float(rng.uniform(0.05, 0.11) - (0.03 if age > 0.6 and not feminine else 0.0)),
        hair_length=float(rng.uniform(0.6, 1.1) if feminine else rng.uniform(0.0, 0.25)),
        age=age,
        freckles=float(rng.uniform(0.2, 1.0) if rng.random() < 0.35 else rng.uniform(0.0, 0.2)),
        beard=0.0 if feminine or rng.random() < 0.55 else float(rng.uniform(0.3, 1.0)),
    )


def _colour(values: np.ndarray) -> Colour:
    return float(values[0]), float(values[1]), float(values[2])


def _blend(a: Colour, b: Colour, share: float) -> Colour:
    return _colour(np.asarray(a) * (1 - share) + np.asarray(b) * share)


def _mix(palette: tuple[Colour, ...], rng: np.random.Generator) -> Colour:
    """A colour between two neighbours of the palette, so that no two people share one exactly."""
    at = float(rng.uniform(0, len(palette) - 1))
    return _blend(palette[int(at)], palette[min(int(at) + 1, len(palette) - 1)], at - int(at))
