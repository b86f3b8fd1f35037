"""Frames of a clip in a scene: the camera moves over a painted backdrop, people are pasted in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.synthetic.figure import Figure, painted_size
from emotrain.synthetic.identity import sample_identity
from emotrain.synthetic.performance import FPS, Level, Performance, perform
from emotrain.synthetic.placement import Doubles
from emotrain.synthetic.props import Prop, Screen, hang, lay, out_of_focus
from emotrain.synthetic.scene_plan import ScenePlan, SetUp
from emotrain.synthetic.scene_tracks import PLATE, Person, SceneTruth, Tracks, scene_truth, set_up_tracks
from emotrain.synthetic.scenery import SCENERY, paint_scenery
from emotrain.synthetic.sensor import Sensor

Image = NDArray[np.uint8]


def render_scene(scene: ScenePlan, level: Level = "moderate") -> tuple[Performance, SceneTruth, Iterator[Image]]:
    """What happens in the clip, where its face is, and the frames of the scene: (height, width, 3) uint8 RGB each.

    Performance and seed are those of the aligned clip: the same person does the same at the same times.
    """
    performance = perform(scene.clip.script, level, np.random.default_rng([scene.clip.seed, 1]))
    tracks = tuple(set_up_tracks(scene, set_up, performance) for set_up in scene.set_ups)
    return performance, scene_truth(scene, tracks, performance), _frames(scene, tracks, performance)


def _frames(scene: ScenePlan, tracks: tuple[Tracks, ...], performance: Performance) -> Iterator[Image]:
    settings = scene.settings
    noise = np.random.default_rng([scene.clip.seed, 2])
    sensor = Sensor(settings.height, performance.noise, noise, settings.width)
    for start, stop, number in scene.shots:
        backdrop = Backdrop(scene.set_ups[number], settings.width, settings.height, settings.props)
        figures = [_figure(person, settings.width) for person in tracks[number].people]
        for frame in range(start, stop):
            picture = backdrop.seen(tracks[number].backdrop[frame], frame / FPS)
            gain = performance.lights[frame].gain
            picture = np.asarray(cv2.convertScaleAbs(picture, alpha=gain), np.uint8)
            for figure, person in zip(figures, tracks[number].people):
                acted = person.performance
                head, body = (_pixels(matrix[frame], settings.width) for matrix in (person.head, person.body))
                figure.draw(picture, head, body, acted.units[frame], acted.poses[frame], acted.lights[frame])
            yield sensor(picture)


def _figure(person: Person, width: int) -> Figure:
    crop_px = width * float(np.hypot(*person.head[:, :, 0].T).max())
    return _painted(person.seed, person.identity.name, painted_size(crop_px))


@lru_cache(maxsize=4)
def _painted(seed: int, name: str, size: int) -> Figure:
    return Figure(sample_identity(np.random.default_rng(seed), name), size)


def _pixels(matrix: Doubles, width: int) -> Doubles:
    """A similarity to widths as one to pixel edges: a point at pixel coordinate p lies in pixel floor(p)."""
    return matrix * width


class Backdrop:
    """The painted wall or landscape behind the people of a set-up, with what hangs on it and the screens that play."""

    def __init__(self, set_up: SetUp, width: int, height: int, props: float = 0.7) -> None:
        self.width, self.height = width, height
        rng = np.random.default_rng([set_up.seed, 2])
        w, h = round(PLATE * width), round(PLATE * height)
        self.plate = paint_scenery(str(rng.choice(list(SCENERY))), rng, w, h)
        blur = width / 960 * float(rng.uniform(0.3, 0.8) + 3.5 * max(set_up.face - 0.15, 0.0))
        blur = 0.0 if set_up.faceless else blur
        self.screens: list[Screen] = []
        for _ in range(int(rng.integers(1, 5)) if rng.random() < props else 0):
            prop = _prop(rng, w, h, 1.6 * set_up.face * width)
            # What hangs in front of a faceless shot has no face either.
            hang(self.plate, prop, faces=not set_up.faceless)
            if prop.kind == "screen":
                self.screens.append(Screen(prop, blur))
        self.plate = out_of_focus(self.plate, blur)

    def seen(self, camera: Doubles, time_s: float) -> Image:
        """The part that the camera sees at a time, (height, width, 3) uint8; `camera` is (2, 3) in widths."""
        for screen in self.screens:
            lay(self.plate, screen.frame(time_s), screen.prop.x, screen.prop.y)
        edge = np.array([(PLATE - 1) / 2 * self.width, (PLATE - 1) / 2 * self.height])
        matrix = np.concatenate([camera[:, :2], (self.width * camera[:, 2] - camera[:, :2] @ edge)[:, None]], axis=1)
        size = (self.width, self.height)
        mode = cv2.BORDER_REFLECT_101
        return np.asarray(cv2.warpAffine(self.plate, matrix, size, flags=cv2.INTER_LINEAR, borderMode=mode), np.uint8)


def _prop(rng: np.random.Generator, width: int, height: int, crop_px: float) -> Prop:
    """Something to hang up, somewhere in the middle of a backdrop of that size."""
    kind = str(rng.choice(["sign", "poster", "portrait", "screen"], p=[0.3, 0.25, 0.15, 0.3]))
    w = int(np.clip(rng.uniform(0.08, 0.25) * width, 32, None))
    if kind == "portrait":
        # A face on the wall is smaller than the one in front of it.
        w = int(np.clip(rng.uniform(0.3, 0.7) * crop_px, 40, 0.25 * width))
    h = round(w * {"sign": 0.3, "poster": 1.35, "portrait": 1.25, "screen": 0.58}[kind])
    x, y = int(rng.uniform(0.12, 0.85) * width) - w // 2, int(rng.uniform(0.15, 0.6) * height) - h // 2
    return Prop(kind, x, y, w, h, int(rng.integers(1 << 40)))
