"""Clips put into scenes of which it is known where everything lies: small, rolled, moving, joined, covered."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from emotrain.video.decode import open_clip


@lru_cache(maxsize=2)
def frames_of(video: Path, size: int | None = None) -> np.ndarray:
    """(T, H, W, 3) uint8 RGB: all frames of a video."""
    with open_clip(video) as clip:
        return clip.frames(range(clip.n_frames), size)


def backdrop(height: int, width: int, seed: int = 0) -> np.ndarray:
    """(H, W, 3) uint8: soft shapes that are no face."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 200, (9, 16, 3)).astype(np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def placed(scale: float, roll_deg: float, size: tuple[int, int], x: float, y: float) -> np.ndarray:
    """(2, 3) map from pixels of a `size` (width, height) picture to a scene: its middle lands on pixel (x, y)."""
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), -roll_deg, scale)
    turn[:, 2] += (x - size[0] / 2, y - size[1] / 2)
    return turn


def pasted(frames: np.ndarray, scene: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """(T, H, W, 3): frame t drawn into `scene` through `maps[t]` (2, 3)."""
    out = []
    for frame, turn in zip(frames, maps):
        drawn = cv2.warpAffine(
            frame, turn, scene.shape[1::-1], dst=scene.copy(), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_TRANSPARENT
        )
        out.append(drawn)
    return np.stack(out)
