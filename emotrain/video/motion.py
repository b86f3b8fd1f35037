"""How the parts of a face move in a clip: dense optical flow, less the motion of the head, averaged over regions.

Flow goes from an anchor frame to every later frame, started from the flow of the frame before, so a displacement is
measured rather than summed up. An affine map fitted robustly to the parts that move with the skull is taken off; what
remains is facial motion, in percent of the inter-ocular distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP, FaceLayout
from emotrain.video.face_regions import Floats, box_weights, region_weights, rigid_weights

SIZE = 128
"""Pixels on a side of the grey face crop that flow is computed on."""

FLOW_GRID = 64
"""Flow is kept on a 64 x 64 grid: with FinestScale = 1 it has no finer detail."""

FIT_GRID = 32
FIT_STEPS = 5


@dataclass(frozen=True, slots=True)
class FaceMotion:
    """Tracks of one clip of T frames.

    `motion` (T, 17, 2) float32 is each region's displacement since the first frame in percent of the inter-ocular
    distance (x to the right, y down), `light` (T, B) the change of each box's brightness in percent of the face's,
    `eyes` (T, 2) the contrast of the right and left eye relative to the clip's median, `head` (T, 2, 3) the affine
    motion that was taken off, in fractions of the crop.
    """

    times_s: NDArray[np.float64]
    motion: Floats
    light: Floats
    eyes: Floats
    head: Floats


def face_motion(
    grey: NDArray[np.uint8], times_s: NDArray[np.float64], layout: FaceLayout = ALIGNED_CROP, anchor_s: float = 6.0
) -> FaceMotion:
    """Tracks of the face in `grey` (T, 128, 128), shown at `times_s` (T,).

    A new anchor frame is taken every `anchor_s` seconds, because light and pose drift away from an old one; what was
    measured at the anchor is added to what is measured from it. Raises ValueError when the shapes do not fit.
    """
    if grey.ndim != 3 or grey.shape[1:] != (SIZE, SIZE) or len(grey) != len(times_s) or len(grey) == 0:
        raise ValueError(
            f"face_motion: expected (T, {SIZE}, {SIZE}) and T > 0 times, found {grey.shape}, {len(times_s)}"
        )
    anchors = _anchors(times_s, anchor_s)
    parts: list[tuple[Floats, Floats, Floats, Floats]] = []
    for start, stop in pairwise(anchors):
        motion, light, contrast, head = _from_anchor(grey[start : stop + 1], layout)
        if parts:
            motion, light = motion + parts[-1][0][-1], light + parts[-1][1][-1]
            parts[-1] = tuple(track[:-1] for track in parts[-1])  # type: ignore[assignment]
        parts.append((motion, light, contrast, head))
    motion, light, contrast, head = (np.concatenate(tracks) for tracks in zip(*parts))
    eyes = contrast / np.maximum(np.median(contrast, axis=0), 1e-3)
    return FaceMotion(times_s, motion, light, eyes.astype(np.float32), head)


def _anchors(times_s: NDArray[np.float64], anchor_s: float) -> list[int]:
    last = len(times_s) - 1
    count = max(1, round((times_s[-1] - times_s[0]) / anchor_s))
    return [*sorted({round(k * last / count) for k in range(count)} | {0}), last]


def _from_anchor(grey: NDArray[np.uint8], layout: FaceLayout) -> tuple[Floats, Floats, Floats, Floats]:
    maps = _maps(layout)
    flow = _flow(grey)
    texture = _texture(grey[0])
    head = _affine(_resize(flow, FIT_GRID), maps.fit * _resize(texture[None, ..., None], FIT_GRID).ravel())
    residual = flow.reshape(len(grey), -1, 2) - _design(FLOW_GRID) @ head.transpose(0, 2, 1)
    regions = maps.regions * (texture.ravel() + 0.05 * texture.mean())
    regions /= regions.sum(1, keepdims=True)
    motion = np.einsum("rp,tpc->trc", regions, residual, optimize=True) * (100 / layout.inter_ocular)
    light, contrast = _appearance(grey, head, maps)
    return motion.astype(np.float32), light, contrast, head


@dataclass(frozen=True, slots=True)
class _Maps:
    regions: Floats
    boxes: Floats
    fit: Floats
    skull: Floats


@cache
def _maps(layout: FaceLayout) -> _Maps:
    skull = rigid_weights(SIZE, layout)
    return _Maps(
        region_weights(FLOW_GRID, layout),
        box_weights(SIZE, layout),
        rigid_weights(FIT_GRID, layout),
        skull / skull.sum(),
    )


@cache
def _design(size: int) -> Floats:
    """(size^2, 3): 1, x, y of each grid place, in fractions of the crop."""
    ticks: Floats = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
    y, x = np.meshgrid(ticks, ticks, indexing="ij")
    return np.stack([np.ones_like(x), x, y], axis=-1).reshape(-1, 3)


def _flow(grey: NDArray[np.uint8]) -> Floats:
    """(T, 64, 64, 2) displacement from the first frame to each frame, in fractions of the crop."""
    import cv2

    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    dis.setFinestScale(1)
    flows = np.zeros((len(grey), FLOW_GRID, FLOW_GRID, 2), np.float32)
    flow: Floats | None = None
    for t in range(1, len(grey)):
        flow = dis.calc(grey[0], grey[t], flow)
        flows[t] = cv2.resize(flow, (FLOW_GRID, FLOW_GRID), interpolation=cv2.INTER_AREA)
    flows /= SIZE
    return flows


def _resize(fields: Floats, size: int) -> Floats:
    """Block means of (T, S, S, C) fields; S is a multiple of `size`."""
    step = fields.shape[1] // size
    total = np.zeros((len(fields), size, size, fields.shape[3]), np.float32)
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


def _affine(flow: Floats, prior: Floats) -> Floats:
    """(T, 2, 3) affine maps fitted to (T, 32, 32, 2) flow by iteratively re-weighted least squares.

    Weights are `prior` times the Geman-McClure weight of the residual, its scale 1.5 times the weighted median residual
    of each frame; all frames are solved at once.
    """
    design = _design(FIT_GRID)
    target = flow.reshape(len(flow), -1, 2)
    products = (design[:, :, None] * design[:, None, :]).reshape(-1, 9)
    ridge = 1e-6 * np.eye(3, dtype=np.float32)
    trusted = prior > 0.3 * prior.max()
    weights = np.broadcast_to(prior, target.shape[:2])
    for step in range(FIT_STEPS):
        normal = (weights @ products).reshape(-1, 3, 3) + ridge * weights.sum(1)[:, None, None]
        right = np.einsum("tp,tpc,pk->tkc", weights, target, design, optimize=True)
        head = np.linalg.solve(normal, right)
        if step < FIT_STEPS - 1:
            squared = ((target - design @ head) ** 2).sum(-1)
            scale = 2.25 * np.median(squared[:, trusted], axis=1, keepdims=True) + 1e-8
            weights = prior / (1 + squared / scale) ** 2
    return head.transpose(0, 2, 1).astype(np.float32)


def _appearance(grey: NDArray[np.uint8], head: Floats, maps: _Maps) -> tuple[Floats, Floats]:
    """Brightness change (T, B) in percent and eye contrast (T, 2), in frames warped back onto the first."""
    import cv2

    shift = np.eye(2, 3, dtype=np.float32)
    stable = np.empty(grey.shape, np.float32)
    for t, frame in enumerate(grey):
        matrix = head[t].copy()
        matrix = np.stack([matrix[:, 1], matrix[:, 2], matrix[:, 0] * SIZE], axis=1) + shift
        stable[t] = cv2.warpAffine(
            frame, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
    flat = stable.reshape(len(grey), -1)
    face = flat @ maps.skull
    gain = np.maximum(face, 1.0)[:, None]
    level = flat @ maps.boxes.T / gain
    light = 100 * (level - level[0])
    eyes = maps.boxes[:2]
    spread = np.sqrt(np.maximum((flat * flat) @ eyes.T / gain**2 - (flat @ eyes.T / gain) ** 2, 0.0))
    return light.astype(np.float32), spread.astype(np.float32)
