"""A person in a style: all that a picture of a face needs and that does not change while the face moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emotrain.synthetic.head_turn import Relief
from emotrain.synthetic.identity import Identity
from emotrain.synthetic.muscles import displacements
from emotrain.synthetic.plane import MIDDLE, Floats, Plane, with_margin

Image = NDArray[np.uint8]

FIELD = with_margin(64)
"""The coarse plane of displacement fields and relief."""


class Drawn(Protocol):
    """The eyes: redrawn on the canvas whenever their units or the gaze changed."""

    def draw(self, canvas: Image, units: NDArray[np.floating], gaze: tuple[float, float]) -> None: ...


class DrawnMouth(Protocol):
    """The mouth: redrawn on the canvas whenever its units changed."""

    def draw(self, canvas: Image, units: NDArray[np.floating]) -> None: ...


@dataclass(frozen=True, slots=True)
class Look:
    """A face in a style. Sizes in pixels are those of `plane` and of FIELD.

    `canvas` (P, P, 3) is the face at rest as it is coloured, `alpha` (P, P) what of it is the person and not backdrop;
    `props` (P, P, 4), colour multiplied by alpha, is worn `prop_height` crop widths before the skin (glasses, a
    fringe) and moves with the head alone. `fields` (20, F, F, 2) are the displacements in crop fractions, `folds`
    (19, P', P') shading to add. `lit` is how much the lamp matters (0..1), `gloss` the height of highlights (0..255).
    `mouth_drop` and `eye_spread` are how this face's proportions depart from the plane that it is painted on.
    """

    identity: Identity
    plane: Plane
    canvas: Image
    alpha: Image
    backdrop: Image
    relief: Relief
    fields: Floats
    folds: Floats
    eyes: Drawn
    mouth: DrawnMouth
    lit: float
    gloss: float
    props: Image | None = None
    prop_height: float = 0.05
    mouth_drop: float = 0.0
    eye_spread: float = 0.0


def varied(identity: Identity, rng: np.random.Generator) -> Identity:
    """The person with proportions further from the prior than `sample_identity` draws them."""

    def by(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    return replace(
        identity,
        face_width=identity.face_width * by(0.93, 1.06),
        jaw=identity.jaw * by(0.90, 1.10),
        eye_width=identity.eye_width * by(0.86, 1.14),
        eye_open=identity.eye_open * by(0.82, 1.25),
        brow_thick=identity.brow_thick * by(0.6, 1.6),
        brow_arch=identity.brow_arch * by(0.4, 1.6),
        brow_shift=identity.brow_shift + float(rng.uniform(-0.012, 0.012)),
        nose_width=identity.nose_width * by(0.8, 1.3),
        mouth_width=identity.mouth_width * by(0.85, 1.15),
        lip_full=identity.lip_full * by(0.6, 1.5),
        age=float(rng.beta(1.0, 1.3)),
    )


def own_muscles(rng: np.random.Generator) -> Floats:
    """The displacement fields of one person, (20, F, F, 2): stronger or weaker, uneven, shifted and turned a little."""
    x, y = FIELD.grid()
    wide, tall = rng.uniform(0.90, 1.10, 2)
    at_x = MIDDLE + (x - MIDDLE) / np.float32(wide)
    at_y = np.float32(0.55) + (y - np.float32(0.55)) / np.float32(tall) + np.float32(rng.normal(0, 0.008))
    fields = displacements(at_x.astype(np.float32), at_y.astype(np.float32))
    side = np.tanh((x - MIDDLE) / 0.06)
    gain = rng.uniform(0.7, 1.3, (len(fields), 1, 1)) * (1 + rng.normal(0, 0.08, (len(fields), 1, 1)) * side)
    turn = np.deg2rad(rng.normal(0, 9, (len(fields), 1, 1))) * side
    cos, sin = np.cos(turn) * gain, np.sin(turn) * gain
    turned = np.stack([cos * fields[..., 0] - sin * fields[..., 1], sin * fields[..., 0] + cos * fields[..., 1]], -1)
    return np.asarray(turned, np.float32)
