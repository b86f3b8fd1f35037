"""A person who can be pasted into a picture: the head that `Face` renders, cut out, above a painted torso."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.synthetic.face import Face, Light, Pose
from emotrain.synthetic.identity import Identity
from emotrain.synthetic.placement import Doubles
from emotrain.synthetic.skin import head_mask
from emotrain.synthetic.torso import BOTTOM, LEFT, TOP, paint_torso

Image = NDArray[np.uint8]

MARGIN = 0.32
"""Hair reaches so far above the crop."""

SIZES = (64, 96, 144, 216, 320)
"""Pixels of a crop's width that heads are painted at; close-ups beyond the last are a little soft, as with a lens."""


def painted_size(crop_px: float) -> int:
    """The size to paint a head at whose crop is at most `crop_px` pixels wide in the picture."""
    return next((size for size in SIZES if size >= crop_px), SIZES[-1])


AHEAD, EVEN = Pose(), Light()


class Figure:
    """One person at one painted size. Holds the drawing state of `Face`: one object per thread."""

    def __init__(self, identity: Identity, size: int) -> None:
        self.identity, self.size = identity, size
        # Hair fades into the backdrop it is painted on; in front of its own colour it leaves no halo.
        cut_out = replace(identity, backdrop=(identity.hair, identity.hair))
        self.face = Face(cut_out, size, margin=MARGIN, whole=True)
        alpha = np.round(255 * head_mask(self.face.window, identity)).astype(np.uint8)
        self.alpha = cv2.merge([alpha] * 3)
        # Small figures are seen down to the knees, large ones to the chest.
        self.torso = paint_torso(identity, size, min(BOTTOM, TOP + 900 / size))

    def draw(
        self,
        picture: Image,
        head: Doubles,
        body: Doubles,
        units: NDArray[np.floating],
        pose: Pose = AHEAD,
        light: Light = EVEN,
        back: bool = False,
    ) -> None:
        """Draw into `picture` (H, W, 3) in place; `head` and `body` (2, 3) lead from crop fractions to its pixels.

        Of `pose` only yaw and gaze are used, the rest is in `head`. `back` shows the person from behind.
        """
        _paste(picture, self.torso, _tile_to(body, self.size, LEFT, TOP))
        if back:
            tile = self._from_behind()
        else:
            shown = self.face.render(units, Pose(yaw=pose.yaw, gaze_x=pose.gaze_x, gaze_y=pose.gaze_y), light)
            shown = cv2.multiply(shown, self.alpha, scale=1 / 255)
            tile = cv2.merge([*cv2.split(shown), self.alpha[..., 0]])
        _paste(picture, tile, _tile_to(head, self.size, -MARGIN, -MARGIN))

    def _from_behind(self) -> Image:
        """The head covered with hair down to the neck: RGBA, multiplied by alpha."""
        window = self.face.window
        x, y = window.grid()
        rng = np.random.default_rng([self.identity.seed, 6])
        strands = 1 + 0.18 * np.repeat(rng.standard_normal((1, window.pixels)), window.pixels, axis=0)
        round_ = np.sqrt(np.clip(1 - ((x - 0.5) / 0.5) ** 2 - ((y - 0.35) / 0.85) ** 2, 0.1, 1))
        hair = np.array(self.identity.hair) * (strands * round_)[..., None] + 8
        edge = 0.80 + 0.02 * rng.standard_normal((1, window.pixels))
        nape = np.clip((y - edge) / 0.03 + 0.5, 0, 1)[..., None] * (np.abs(x - 0.5) < 0.24)[..., None]
        colour = hair + (np.array(self.identity.skin) * 0.75 - hair) * nape
        tile = np.dstack([colour * (self.alpha / 255.0), self.alpha[..., 0]])
        return np.asarray(np.clip(tile, 0, 255), np.uint8)


def _tile_to(matrix: Doubles, per_unit: float, left: float, top: float) -> Doubles:
    """From the pixels of a tile that starts at (left, top) to where its crop fractions lie in the picture."""
    first = np.array([left, top]) + 0.5 / per_unit
    return np.concatenate([matrix[:, :2] / per_unit, (matrix[:, :2] @ first + matrix[:, 2] - 0.5)[:, None]], axis=1)


def _paste(picture: Image, tile: Image, matrix: Doubles) -> None:
    """Lay a tile (h, w, 4), colour multiplied by alpha, over the picture where `matrix` takes its pixels."""
    h, w = tile.shape[:2]
    corners = np.array([(-1, -1), (w, -1), (w, h), (-1, h)]) @ matrix[:, :2].T + matrix[:, 2]
    low = np.clip(np.floor(corners.min(0)).astype(int), 0, (picture.shape[1], picture.shape[0]))
    high = np.clip(np.ceil(corners.max(0)).astype(int) + 1, 0, (picture.shape[1], picture.shape[0]))
    if (high <= low).any():
        return
    matrix = np.concatenate([matrix[:, :2], (matrix[:, 2] - low)[:, None]], axis=1)
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    layer = cv2.warpAffine(tile, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    *colour, alpha = cv2.split(layer)
    place = picture[low[1] : high[1], low[0] : high[0]]
    behind = cv2.multiply(place, cv2.merge([255 - alpha] * 3), scale=1 / 255)
    place[:] = cv2.add(behind, cv2.merge(colour))
