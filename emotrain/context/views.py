"""Other views of the same clip: mirrored, cropped, lit otherwise, its keyframes at another phase of their segments.

A view is one for the whole clip: all its keyframes are cut and lit alike, and its words follow the mirror. Which view a
training draw shows is a pure function of (seed, place of the draw), so every epoch has its own and a resumed run sees
what it would have seen. At test time some views are averaged over (`test_views`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from emotrain.context.mirrored import mirrored
from emotrain.emotions import nearest
from emotrain.records import Summary
from emotrain.stable_hash import stable_hash

PHASES = (0.25, 0.75)
"""Where in their segments the keyframes of further test views lie, beside the stored ones."""


@dataclass(frozen=True, slots=True)
class View:
    """`phase` (0-1) is where in its segment each keyframe lies, None for the stored ones. `box` is left, top and side
    of what is kept of a frame, in shares of it; `gain` and `gamma` act on its brightness."""

    mirror: bool = False
    phase: float | None = None
    box: tuple[float, float, float] = (0.0, 0.0, 1.0)
    gain: float = 1.0
    gamma: float = 1.0

    def picture(self, image: Image.Image) -> Image.Image:
        """An RGB frame as this view shows it, of the same size."""
        left, top, side = self.box
        if side < 1:
            width, height = image.size
            box = (left * width, top * height, (left + side) * width, (top + side) * height)
            image = image.resize(image.size, Image.Resampling.BILINEAR, box)
        if self.mirror:
            image = ImageOps.mirror(image)
        if self.gain != 1 or self.gamma != 1:
            levels = 255 * np.minimum(self.gain * np.linspace(0, 1, 256) ** self.gamma, 1)
            image = image.point(levels.round().astype(int).tolist() * 3)
        return image

    def told(self, summaries: Sequence[Summary]) -> Sequence[Summary]:
        """The summaries of a clip as this view shows it."""
        return mirrored(summaries) if self.mirror else summaries


STORED = View()


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far views of training draws may go: `mirror` is a share of the draws, `crop` the largest share of a frame's
    side that is cut away, `light` how far gain and gamma leave 1, `phase` whether keyframes move in their segments."""

    mirror: float = 0.0
    crop: float = 0.0
    light: float = 0.0
    phase: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for key, most in (("mirror", 1.0), ("crop", 0.5), ("light", 0.5)):
            value = getattr(self, key)
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= most:
                raise ValueError(f"augment: {key}: {value!r}; expected a number from 0 to {most:g}")
        if not isinstance(self.phase, bool) or not isinstance(self.seed, int):
            raise ValueError(
                f"augment: phase: {self.phase!r}, seed: {self.seed!r}; expected true or false, and a number"
            )

    def view(self, draw: int) -> View:
        """The view that a draw shows of its clip."""
        rng = np.random.default_rng(stable_hash(f"{self.seed}/view/{draw}"))
        mirror, phase, cut, left, top, gain, gamma = rng.random(7)
        side = 1 - self.crop * cut
        return View(
            mirror=bool(mirror < self.mirror),
            phase=float(phase) if self.phase else None,
            box=(left * (1 - side), top * (1 - side), side),
            gain=1 + self.light * (2 * gain - 1),
            gamma=1 + self.light * (2 * gamma - 1),
        )


def view_of(draw: int | None, augmentation: Augmentation | None) -> View:
    """The view that a training draw shows of its clip; the stored one without a draw, or an augmentation."""
    return STORED if draw is None or augmentation is None else augmentation.view(draw)


def augmentation(given: Mapping[str, Any]) -> Augmentation | None:
    """The augmentation of a recipe's `augment`, None for an empty one; raises ValueError for an unknown key."""
    known = [entry.name for entry in fields(Augmentation)]
    for key in given:
        if key not in known:
            raise ValueError(f"augment: unknown key {key!r}; {nearest(str(key), known)}")
    return Augmentation(**given) if given else None


def _mirror(views: Sequence[View]) -> tuple[View, ...]:
    return (*views, *(View(True, view.phase) for view in views))


TEST_VIEWS: Mapping[str, tuple[View, ...]] = {
    "stored": (STORED,),
    "mirror": _mirror([STORED]),
    "phase": (STORED, *(View(phase=phase) for phase in PHASES)),
    "mirror+phase": _mirror([STORED, *(View(phase=phase) for phase in PHASES)]),
}
"""Views that likelihoods are averaged over at test time."""
