"""Drawn people in a room, and pictures that a camera might give."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from scenes import backdrop

from emotrain.faces.detectors import Detected
from emotrain.inference.face_view import FaceView
from emotrain.live.keyframe_grid import Grid
from emotrain.live.watcher import Watcher
from emotrain.motion.spotting import SpotSettings
from emotrain.synthetic.clip_plan import plan_clips
from emotrain.synthetic.clip_set import render_clip
from emotrain.video.decoders.array_picture import ArrayPicture

FPS = 30
WIDTH, HEIGHT, FACE = 320, 240, 160


def scene(number: int) -> np.ndarray:
    """(T, 240, 320, 3): a drawn person in the middle of a room."""
    plan = plan_clips(train=0, validation=0, test=88, seed=31)[number]
    room, frames = backdrop(HEIGHT, WIDTH), []
    for face in render_clip(plan, FACE)[1]:
        frame = room.copy()
        frame[50 : 50 + FACE, 80 : 80 + FACE] = face
        frames.append(frame)
    return np.stack(frames)


def watcher_of(detector: object | None = None) -> Watcher:
    view = FaceView(SimpleNamespace(faces={}, frames={"crop": "face", "view": "face"}))  # type: ignore[arg-type]
    if detector is not None:
        view.__dict__["detector"] = detector
    return Watcher(view, Grid(8, 4.0, 112), SpotSettings())


class Painted:
    """A detector that sees a face wherever the picture is bright in its middle: no weights, no time."""

    def faces_in(self, picture: np.ndarray) -> list[Detected]:
        height, width = picture.shape[:2]
        if picture[height // 2, width // 2].mean() < 200:
            return []
        box = np.array([0.3, 0.2, 0.7, 0.8])
        points = np.array([[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.43, 0.65], [0.57, 0.65]])
        return [Detected(0.95, box, points)]

    def digest(self) -> str:
        return "painted"


def picture_of(level: int, shape: tuple[int, int] = (120, 160), seed: int = 0) -> ArrayPicture:
    """A textured picture with a face for `Painted` where it is bright; all of one grey for a level of 0."""
    image = np.random.default_rng(seed).integers(0, 60, (*shape, 3), dtype=np.uint8) // (1 if level else 60)
    image[shape[0] // 4 : -shape[0] // 4, shape[1] // 4 : -shape[1] // 4] //= 3
    image[shape[0] // 2 - 3 : shape[0] // 2 + 3, shape[1] // 2 - 3 : shape[1] // 2 + 3] = level
    return ArrayPicture(0.0, *shape, lambda: image)
