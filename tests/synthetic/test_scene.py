"""A scene keeps the clip that it films, hides nothing of its event, and knows where the face is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emotrain.faces.detectors import detector_of
from emotrain.faces.find import find_faces
from emotrain.faces.settings import FaceSettings
from emotrain.synthetic.action_units import AUS, INDEX
from emotrain.synthetic.clip_plan import ClipPlan, plan_clips
from emotrain.synthetic.clip_set import render_clip
from emotrain.synthetic.face import CENTRE, Pose
from emotrain.synthetic.figure import Figure
from emotrain.synthetic.identity import sample_identity
from emotrain.synthetic.performance import FPS, perform
from emotrain.synthetic.placement import Doubles, apply, landmarks, similarity
from emotrain.synthetic.scene import render_scene
from emotrain.synthetic.scene_plan import ScenePlan, SceneSettings, plan_scene
from emotrain.synthetic.scene_set import film_batch, read_scene_truth, scene_path
from emotrain.synthetic.scene_tracks import SceneTruth, scene_truth, set_up_tracks
from emotrain.video.decode import open_clip

SMALL = SceneSettings(width=192, company=1.0, happenings=1.0)


@pytest.fixture(scope="module")
def plans() -> list[ClipPlan]:
    return plan_clips(train=22, validation=0, test=88, seed=11)[22:]


@pytest.fixture(scope="module")
def planned(plans: list[ClipPlan]) -> list[tuple[ScenePlan, SceneTruth]]:
    """Scenes with as many happenings as there is room for, and their truth; nothing is rendered."""
    return [(scene, _truth(scene)) for scene in (plan_scene(plan, SMALL) for plan in plans)]


def _truth(scene: ScenePlan) -> SceneTruth:
    performance = perform(scene.clip.script, "moderate", np.random.default_rng([scene.clip.seed, 1]))
    tracks = tuple(set_up_tracks(scene, set_up, performance) for set_up in scene.set_ups)
    return scene_truth(scene, tracks, performance)


def test_the_true_landmarks_lie_on_the_drawn_face() -> None:
    for person, (scale, roll, yaw) in enumerate([(90, 0, 0.0), (140, 20, 0.02)]):
        identity = sample_identity(np.random.default_rng(person))
        figure, place = Figure(identity, 96), similarity(scale, roll, CENTRE, (110.0, 95.0))
        rest = np.zeros(len(AUS), np.float32)
        smile, jaw = rest.copy(), rest.copy()
        smile[[INDEX["L12"], INDEX["R12"]]] = 1.0
        jaw[INDEX["26"]] = 1.0
        for units in (rest, smile, jaw):
            true = apply(place, landmarks(identity, units[None], np.array([yaw]))[0])
            eye_distance = np.linalg.norm(true[1] - true[0])
            blink = units.copy()
            blink[INDEX["45"]] = 1.0
            lids = _change(figure, place, units, blink, yaw)
            parted = units.copy()
            parted[[INDEX["25"], INDEX["23"]]] = (0.9, 0.0)
            lips = _change(figure, place, units, parted, yaw)
            middle = (true[0] + true[1]) / 2
            along = (true[1] - true[0]) / eye_distance
            y, x = np.mgrid[0 : lids.shape[0], 0 : lids.shape[1]] + 0.5
            side = (x - middle[0]) * along[0] + (y - middle[1]) * along[1]
            for which, half in ((0, side < 0), (1, side > 0)):
                found = np.array([(x * lids * half).sum(), (y * lids * half).sum()]) / (lids * half).sum()
                assert np.linalg.norm(found - true[which]) < 0.06 * eye_distance
            reach = side[lips > 12]
            for found_at, corner in ((reach.min(), true[3]), (reach.max(), true[4])):
                assert found_at == pytest.approx((corner - middle) @ along, abs=0.08 * eye_distance)


def _change(figure: Figure, place: Doubles, first: np.ndarray, second: np.ndarray, yaw: float) -> np.ndarray:
    pictures = []
    for units in (first, second):
        picture = np.full((220, 220, 3), 128, np.uint8)
        figure.draw(picture, place, place, units, Pose(yaw=yaw))
        pictures.append(picture.astype(np.float32))
    return np.abs(pictures[0] - pictures[1]).mean(axis=2)


def test_nothing_hides_the_event_or_cuts_into_it(planned: list[tuple[ScenePlan, SceneTruth]]) -> None:
    for scene, truth in planned:
        event = next(iter(scene.clip.events), None)
        if event is None:
            continue
        during = (truth.time_s >= event.onset_s - 0.2) & (truth.time_s <= event.offset_s + 0.2)
        assert truth.seen[during].all(), f"{scene.clip.clip_id}: {scene.happening}"
        assert not any(event.onset_s - 0.2 < cut < event.offset_s + 0.2 for cut in truth.cuts_s)


def test_people_leave_and_come_back_and_cameras_cut(planned: list[tuple[ScenePlan, SceneTruth]]) -> None:
    found = {scene.happening for scene, _ in planned}
    assert found >= {"returns", "enters", "leaves", "cut", "cutaway"}
    for scene, truth in planned:
        away = [stop - start for start, stop in _gaps(truth)]
        if scene.happening in ("none", "cut"):
            assert truth.seen.all()
        else:
            assert len(away) == 1
            assert away[0] >= 0.4 - 1.5 / FPS
        assert len(truth.cuts_s) == {"cut": 1, "cutaway": 2}.get(scene.happening, 0)
        assert sum(stop - start for start, stop, _ in scene.shots) == len(truth.time_s)


def _gaps(truth: SceneTruth) -> list[tuple[float, float]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], ~truth.seen, [False]]).astype(int)))
    return [(a / FPS, b / FPS) for a, b in zip(edges[::2], edges[1::2])]


def test_the_face_is_as_large_as_asked_for_and_the_largest(planned: list[tuple[ScenePlan, SceneTruth]]) -> None:
    widths = []
    for scene, truth in planned:
        for start, stop, number in scene.shots:
            set_up, box = scene.set_ups[number], truth.box[start:stop]
            if set_up.faceless:
                assert np.isnan(box).all()
                continue
            if abs(set_up.roll) < 3:
                width = np.median(box[:, 2] - box[:, 0])
                assert width == pytest.approx(set_up.face, rel=0.25)
                widths.append(width)
            if set_up.company is not None:
                other = truth.other_box[start:stop]
                assert np.nanmax(other[:, 2] - other[:, 0]) < np.median(box[:, 2] - box[:, 0])
    assert min(widths) < 0.12
    assert max(widths) > 0.45


def test_a_scene_films_the_very_performance_of_the_aligned_clip(plans: list[ClipPlan]) -> None:
    scene = plan_scene(plans[0], SMALL)
    filmed, truth, _ = render_scene(scene)
    aligned, _ = render_clip(plans[0], 64)
    assert np.array_equal(filmed.units, aligned.units)
    assert filmed.poses == aligned.poses
    assert len(truth.time_s) == plans[0].clip.n_frames


def test_truth_does_not_depend_on_the_size_and_frames_only_on_the_seed(plans: list[ClipPlan]) -> None:
    scene = plan_scene(next(plan for plan in plans if plan.events), SMALL)
    wide = _truth(plan_scene(scene.clip, replace(SMALL, width=1280)))
    assert np.array_equal(wide.landmarks, _truth(scene).landmarks, equal_nan=True)
    first, second = (render_scene(scene)[2] for _ in range(2))
    for _, one, other in zip(range(4), first, second):
        assert one.shape == (108, 192, 3)
        assert np.array_equal(one, other)


def test_settings_out_of_range_are_refused() -> None:
    for wrong in ({"width": 961}, {"face": (0.5, 0.4)}, {"company": 1.2}, {"aspect": 9.0}):
        with pytest.raises(ValueError, match=f"scene {next(iter(wrong))}"):
            SceneSettings(**wrong)  # type: ignore[arg-type]


def test_the_faces_stage_meets_the_truth_of_a_scene(plans: list[ClipPlan], face_weights: Path, tmp_path: Path) -> None:
    settings = SceneSettings(width=480, face=(0.12, 0.3), company=0.0, happenings=1.0)
    clip = next(plan for plan in plans if plan_scene(plan, settings).happening == "returns")
    for folder in ("scenes", "scene_truth"):
        (tmp_path / folder).mkdir()
    film_batch([clip], root=tmp_path, settings=settings, level="moderate")
    truth, looked = read_scene_truth(tmp_path, clip.clip_id), FaceSettings(size=480)
    with open_clip(scene_path(tmp_path, clip.clip_id)) as reader:
        path = find_faces(reader, looked, detector_of(looked)).path()
    assert path is not None
    told = path.seen_at(truth.time_s.astype(np.float64))
    assert told[truth.seen].mean() > 0.85
    gone = np.zeros(len(told), bool)
    for start, stop in _gaps(truth):
        gone[round(start * FPS) + 8 : round(stop * FPS) - 8] = True
    assert not told[gone].any()
    at = np.searchsorted(truth.time_s, path.times_s - 1e-3)
    there = truth.seen[at]
    off = (path.landmarks[there] - truth.landmarks[at][there]) * (480, 270)
    assert np.linalg.norm(off, axis=2).mean() < 0.2 * float(np.median(path.eye_distance_px))
