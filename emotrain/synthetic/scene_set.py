"""The clips of a synthetic set, filmed in scenes: the same ids, people and events as the aligned clips beside them.

root/scenes/<clip_id>.mp4        H.264, 30 frames a second, 16:9
root/scene_truth/<clip_id>.npz   the arrays of scene_tracks.SceneTruth, `happening` and `aspect`
root/scene_set.json              the arguments
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np

from emotrain.atomic_files import replacing
from emotrain.synthetic.clip_plan import ClipPlan
from emotrain.synthetic.h264 import write_mp4
from emotrain.synthetic.performance import FPS, Level
from emotrain.synthetic.scene import render_scene
from emotrain.synthetic.scene_plan import SceneSettings, plan_scene
from emotrain.synthetic.scene_tracks import SceneTruth

SCENE_RENDERER = 1
"""Raised whenever the same seed would give other scenes, so that old and new ones never mix in one set."""

SCENES, SCENE_TRUTH = "scenes", "scene_truth"

_CRF = "21"
"""A scene has eighteen times the pixels of an aligned clip; this is what films are kept at."""


def scene_path(root: Path, clip_id: str) -> Path:
    """The video of a clip in its scene."""
    return root / SCENES / f"{clip_id}.mp4"


def film_batch(plans: list[ClipPlan], *, root: Path, settings: SceneSettings, level: Level) -> int:
    """Film clips in their scenes, one after the other; returns how many."""
    for plan in plans:
        scene = plan_scene(plan, settings)
        _, truth, frames = render_scene(scene, level)
        with replacing(root / SCENE_TRUTH / f"{plan.clip_id}.npz") as temporary, temporary.open("wb") as file:
            arrays = {field.name: getattr(truth, field.name) for field in fields(SceneTruth)}
            np.savez_compressed(file, **arrays, happening=np.array(scene.happening), aspect=np.array(settings.aspect))
        # The video lands last: a video that exists always has its truth beside it.
        with replacing(scene_path(root, plan.clip_id)) as temporary:
            write_mp4(frames, temporary, settings.width, FPS, settings.height, _CRF)
    return len(plans)


def read_scene_truth(root: Path, clip_id: str) -> SceneTruth:
    """The truth beside a filmed clip; raises FileNotFoundError where none was filmed."""
    with np.load(root / SCENE_TRUTH / f"{clip_id}.npz", allow_pickle=False) as stored:
        return SceneTruth(**{field.name: stored[field.name] for field in fields(SceneTruth)})
