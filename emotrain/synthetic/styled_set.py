"""The clips of a synthetic set drawn in a style and filmed under the disturbances of a grade."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.atomic_files import replacing
from emotrain.synthetic.clip_plan import ClipPlan, stable_seed
from emotrain.synthetic.grades import Filmed, GradeName, film
from emotrain.synthetic.h264 import write_mp4
from emotrain.synthetic.looks import look_of
from emotrain.synthetic.performance import FPS
from emotrain.synthetic.portrait import Portrait
from emotrain.synthetic.sensor import Sensor
from emotrain.synthetic.styles import Style

STYLE_RENDERER = 1
"""Raised whenever the same seed would give other pictures."""


def style_of(plan: ClipPlan, styles: Sequence[Style]) -> Style:
    """The style that the person of a clip is drawn in: one for each person."""
    return styles[stable_seed(plan.person_seed, "style") % len(styles)]


def render_styled(
    plan: ClipPlan, size: int, style: Style, grade: GradeName
) -> tuple[Filmed, Iterator[NDArray[np.uint8]]]:
    """What happens in a planned clip, and its frames as the camera saw them: (size, size, 3) uint8 RGB each."""
    filmed = film(plan.script, grade, np.random.default_rng([plan.seed, 1]))
    sensor = Sensor(size, filmed.noise, np.random.default_rng([plan.seed, 2]))
    return filmed, _frames(_portrait(style, plan.person_seed, plan.subject, size), filmed, sensor)


def _frames(portrait: Portrait, filmed: Filmed, sensor: Sensor) -> Iterator[NDArray[np.uint8]]:
    for units, pose, lamp in zip(filmed.units, filmed.poses, filmed.lamps):
        frame = portrait.render(units, pose, lamp)
        if filmed.blur > 0.2:
            frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), filmed.blur), np.uint8)
        yield sensor(frame)


def draw_batch(plans: list[ClipPlan], *, root: Path, size: int, styles: Sequence[Style], grade: GradeName) -> int:
    """Draw clips under `root` and write the truth beside them; returns how many."""
    for plan in plans:
        filmed, frames = render_styled(plan, size, style_of(plan, styles), grade)
        write_truth(root, plan, filmed.units, filmed.time_s, filmed.poses)
        with replacing(root / plan.clip.path) as temporary:
            write_mp4(frames, temporary, size, FPS, crf=str(filmed.crf))
    return len(plans)


def write_truth(
    root: Path, plan: ClipPlan, units: NDArray[np.float32], time_s: NDArray[np.float32], poses: Sequence[Any]
) -> None:
    """The truth of a clip; it lands before the video, so that a video that exists always has its truth beside it."""
    times = np.array([(event.onset_s, event.apex_s, event.offset_s) for event in plan.events]).reshape(-1, 3)
    with replacing(root / "truth" / f"{plan.clip_id}.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            units=units.astype(np.float16),
            time_s=time_s,
            pose=np.array([astuple(pose) for pose in poses], np.float32),
            events=times,
        )


@lru_cache(maxsize=2)
def _portrait(style: Style, person_seed: int, name: str, size: int) -> Portrait:
    return Portrait(look_of(style, np.random.default_rng([person_seed, 11]), size, name), size)
