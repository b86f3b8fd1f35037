"""How the parts of a face move in a clip: dense optical flow, less the motion of the head, averaged over regions.

Flow goes from an anchor frame to every later frame, started from the flow of the frame before, so a displacement is
measured rather than summed up. The head's motion, fitted robustly to the parts that move with the skull, is taken off;
what remains is facial motion, in percent of the inter-ocular distance. Region means are linear in the flow, so flow and
head motion are averaged apart, all frames in one matrix product each, and no residual field is ever made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP, FaceLayout
from emotrain.motion.face_regions import Floats, box_weights, region_weights, rigid_weights
from emotrain.motion.flow import FLOW_GRID, FlowFromFirst, evened, flattened, halved, lit_unevenly
from emotrain.motion.head_motion import design, follows_turns, head_motion

SIZE = 128
"""Pixels on a side of the grey face crop; brightness is read at this size."""

FIT_GRID = 32

_NEGLIGIBLE = 1e-4
"""Pixels that weigh less than this share of a box's heaviest one are left out of it."""


@dataclass(frozen=True, slots=True)
class FaceMotion:
    """Tracks of one clip of T frames.

    `motion` (T, 17, 2) float32 is each region's displacement since the first frame in percent of the inter-ocular
    distance (x to the right, y down), `light` (T, B) the change of each box's brightness in percent of the face's,
    `eyes` (T, 2) the contrast of the right and left eye relative to the clip's median, `head` (T, 2, 4) the motion of
    the head since the first frame that was taken off, in fractions of the crop: coefficients of `head_motion.design`.
    """

    times_s: NDArray[np.float64]
    motion: Floats
    light: Floats
    eyes: Floats
    head: Floats
    layout: FaceLayout = ALIGNED_CROP

    @classmethod
    def still(cls, frames: int) -> FaceMotion:
        """A face that does not move at all."""
        flat = np.zeros((frames, 17, 2), np.float32)
        head = np.zeros((frames, 2, 4), np.float32)
        return cls(np.arange(frames) / 25, flat, flat[:, :0, 0], np.ones((frames, 2), np.float32), head)


def face_motion(
    grey: NDArray[np.uint8],
    times_s: NDArray[np.float64],
    layout: FaceLayout = ALIGNED_CROP,
    anchor_s: float = 6.0,
    light_steps: Sequence[int] = (),
) -> FaceMotion:
    """Tracks of the face in `grey` (T, 128, 128), shown at `times_s` (T,).

    A new anchor frame is taken every `anchor_s` seconds, because light and pose drift away from an old one; what was
    measured at the anchor is added to what is measured from it. `light_steps` are frames from which on the light is
    another. Raises ValueError when the shapes do not fit.
    """
    if grey.ndim != 3 or grey.shape[1:] != (SIZE, SIZE) or len(grey) != len(times_s) or len(grey) == 0:
        raise ValueError(
            f"face_motion: expected (T, {SIZE}, {SIZE}) and T > 0 times, found {grey.shape}, {len(times_s)}"
        )
    small = evened(halved(grey))
    if any(lit_unevenly(small[step - 1], small[step]) for step in light_steps):
        small = flattened(small)
    tracks: list[Floats] = []
    for start, end in _spans(times_s, anchor_s):
        part = Anchored(layout).measure(grey[start : end + 1], small[start : end + 1])
        if tracks:
            part[:, OWN:] += tracks[-1][-1, OWN:]
            part = part[1:]
        tracks.append(part)
    return motion_of(np.concatenate(tracks), times_s, layout, light_steps)


def motion_of(
    whole: Floats, times_s: NDArray[np.float64], layout: FaceLayout, light_steps: Sequence[int] = ()
) -> FaceMotion:
    """From what `Anchored` measured (T, 44 + B) to tracks; `light_steps` are as in `face_motion`."""
    count, regions = len(whole), 2 * len(_maps(layout).regions)
    contrast, head, motion, light = np.split(whole, np.cumsum((OWN, 8, regions)), axis=1)
    for step in light_steps:
        _level(light, contrast, step)
    turns = 100 / layout.inter_ocular * head.reshape(count, 2, 4)[:, :, 3]
    motion = motion - follows_turns(motion, turns, times_s[-1] - times_s[0])
    eyes_open = contrast / np.maximum(np.median(contrast, axis=0), 1e-3)
    return FaceMotion(
        times_s,
        motion.reshape(count, -1, 2),
        light,
        eyes_open.astype(np.float32),
        head.reshape(count, 2, 4),
        layout,
    )


OWN = 2
"""The first columns of a part, the contrast of the eyes: not relative to its anchor."""


def _level(light: Floats, contrast: Floats, step: int) -> None:
    """Take what a light step did out of brightness and eye contrast, in place: before and after it they are equal."""
    for tracks in (light, contrast):
        before, after = (np.median(p, axis=0) for p in (tracks[max(step - 3, 0) : step], tracks[step : step + 3]))
        if tracks is light:
            tracks[step:] -= after - before
        else:
            tracks[step:] *= before / np.maximum(after, 1e-3)


def _spans(times_s: NDArray[np.float64], anchor_s: float) -> list[tuple[int, int]]:
    """Anchor frame and last frame of each stretch; a stretch begins at the last frame of the one before."""
    last = len(times_s) - 1
    count = max(1, round((times_s[-1] - times_s[0]) / anchor_s))
    anchors = [*sorted({round(k * last / count) for k in range(count)} | {0}), last]
    return list(pairwise(anchors))


class Anchored:
    """What moves since the first frame that it is given, the anchor; frames may come in parts."""

    def __init__(self, layout: FaceLayout) -> None:
        self._layout, self._maps, self._flow = layout, _maps(layout), FlowFromFirst()
        self._regions: Floats | None = None
        self._prior: Floats | None = None
        self._level: Floats | None = None

    def measure(self, grey: NDArray[np.uint8], small: NDArray[np.uint8]) -> Floats:
        """(T, 2 + 8 + 34 + B) of the next T frames: eye contrast, and since the anchor head motion, region motion and
        brightness change. `grey` (T, 128, 128), `small` (T, 64, 64) the same as the flow sees it."""
        flow = self._flow.to(small)
        if self._regions is None:
            texture = _texture(grey[0])
            self._prior = self._maps.fit * _block_means(texture[None], FIT_GRID).ravel()
            regions = self._maps.regions * (texture.ravel() + 0.05 * texture.mean() + np.float32(1e-6))
            regions /= regions.sum(1, keepdims=True)
            self._regions = regions
        assert self._prior is not None
        blocks = _block_means(flow.reshape(-1, FLOW_GRID, FLOW_GRID), FIT_GRID).reshape(2, len(grey), -1)
        head = head_motion(blocks, self._prior, design(FIT_GRID, self._layout))
        moved = (
            flow.reshape(2, len(grey), -1) @ self._regions.T
            - head @ (self._regions @ design(FLOW_GRID, self._layout)).T
        )
        moved *= 100 / self._layout.inter_ocular
        motion = moved.transpose(1, 2, 0).reshape(len(grey), -1)
        level, contrast = _appearance(grey, head[..., :3], self._maps)
        if self._level is None:
            self._level = level[0]
        light = 100 * (level - self._level)
        return np.concatenate([contrast, head.transpose(1, 0, 2).reshape(len(grey), 8), motion, light], axis=1)


@dataclass(frozen=True, slots=True)
class _Maps:
    """`seen` are the pixels that any box weighs, `boxes` their weights, `eye_pixels` where in `seen` the eyes lie."""

    regions: Floats
    seen: NDArray[np.intp]
    boxes: Floats
    eye_pixels: NDArray[np.intp]
    fit: Floats
    skull: Floats


@cache
def _maps(layout: FaceLayout) -> _Maps:
    skull = rigid_weights(SIZE, layout)
    boxes = box_weights(SIZE, layout)
    boxes = np.where(boxes > _NEGLIGIBLE * boxes.max(1, keepdims=True), boxes, 0)
    boxes /= boxes.sum(1, keepdims=True)
    seen = np.flatnonzero(boxes.any(0))
    return _Maps(
        region_weights(FLOW_GRID, layout),
        seen,
        np.ascontiguousarray(boxes[:, seen].T),
        np.flatnonzero(boxes[:2, seen].any(0)),
        rigid_weights(FIT_GRID, layout),
        skull / skull.sum(),
    )


def _block_means(fields: Floats, size: int) -> Floats:
    """Block means of (N, S, S) fields; S is a multiple of `size`."""
    step = fields.shape[1] // size
    total = np.zeros((len(fields), size, size), np.float32)
    for row in range(step):
        for column in range(step):
            total += fields[:, row::step, column::step]
    total /= step * step
    return total


def _texture(frame: NDArray[np.uint8]) -> Floats:
    """(64, 64) gradient strength, saturating: flow can be trusted where there is something to follow."""
    import cv2

    smooth = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 1.0)
    strength = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    strength = cv2.GaussianBlur(strength, (0, 0), 2.0)
    return cv2.resize(strength / (strength + 20.0), (FLOW_GRID, FLOW_GRID), interpolation=cv2.INTER_AREA)


def _appearance(grey: NDArray[np.uint8], head: Floats, maps: _Maps) -> tuple[Any, Any]:
    """Brightness (T, B) as shares of the face's and eye contrast (T, 2), in frames warped back onto the first."""
    import cv2

    matrices = np.concatenate([head[..., 1:], head[..., :1] * SIZE], axis=2).transpose(1, 0, 2)
    matrices = np.ascontiguousarray(matrices + np.eye(2, 3, dtype=np.float32))
    face = np.empty(len(grey), np.float32)
    flat = np.empty((len(grey), len(maps.seen)), np.float32)
    for t, frame in enumerate(grey):
        stable = cv2.warpAffine(
            frame,
            matrices[t],
            (SIZE, SIZE),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ).reshape(-1)
        face[t] = stable.astype(np.float32) @ maps.skull
        flat[t] = stable[maps.seen]
    gain = np.maximum(face, 1.0)[:, None]
    level = flat @ maps.boxes / gain
    eyes = flat[:, maps.eye_pixels]
    second = np.square(eyes) @ maps.boxes[maps.eye_pixels, :2] / gain**2
    contrast = np.sqrt(np.maximum(second - level[:, :2] ** 2, 0.0))
    return level, contrast
