"""A person of any style, from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from emotrain.synthetic.bust import bust
from emotrain.synthetic.identity import Identity, sample_identity
from emotrain.synthetic.look import Look, varied
from emotrain.synthetic.painters import flat, line, shaded, textured
from emotrain.synthetic.styles import Style
from emotrain.synthetic.worn import worn

_PAINTERS: dict[Style, Callable[[Identity, np.random.Generator, int], Look]] = {
    "shaded": shaded,
    "textured": textured,
    "line": line,
    "flat": flat,
    "bust": bust,
}


def look_of(style: Style, rng: np.random.Generator, size: int = 128, name: str = "") -> Look:
    """A person drawn in `style` for pictures of `size` pixels: proportions, skin, hair, beard and what is worn."""
    identity = varied(sample_identity(rng, name), rng)
    look = _PAINTERS[style](identity, rng, size)
    props, height = worn(look.plane, look.identity, rng)
    return replace(look, props=props, prop_height=height)
