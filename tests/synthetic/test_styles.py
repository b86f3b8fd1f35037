"""Styles: the held-back one is refused for fitting, faces move where they should, heads turn with parallax."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from emotrain.synthetic.action_units import AUS, INDEX
from emotrain.synthetic.clip_plan import plan_clips
from emotrain.synthetic.clip_set import write_clip_set
from emotrain.synthetic.grades import GRADES, STRENGTHS, film
from emotrain.synthetic.head_turn import HeadPose, seen_from
from emotrain.synthetic.look import FIELD
from emotrain.synthetic.looks import look_of
from emotrain.synthetic.performance import write_script
from emotrain.synthetic.plane import Plane
from emotrain.synthetic.portrait import Lamp, Portrait
from emotrain.synthetic.styled_set import draw_batch
from emotrain.synthetic.styles import HELD_BACK, KNOWN, STYLES, HeldBack, for_fitting, known_style
from tests.synthetic.test_face import PLACES

SIZE = 128
REST = np.zeros(len(AUS), np.float32)
SEEN_AT = {"1": "left inner brow", "2": "left outer brow", "9": "nose", "L12": "left mouth corner", "17": "chin"}


@pytest.fixture(scope="module")
def portraits() -> dict[str, Portrait]:
    return {style: Portrait(look_of(style, np.random.default_rng(4), SIZE), SIZE) for style in STYLES}


def test_nothing_is_fitted_to_the_held_back_style() -> None:
    assert for_fitting(*KNOWN) == KNOWN
    assert HELD_BACK not in KNOWN
    with pytest.raises(HeldBack, match="never see it"):
        for_fitting("line", HELD_BACK)
    with pytest.raises(ValueError, match="expected one of shaded"):
        known_style("bronze")


@pytest.mark.parametrize("style", STYLES)
def test_units_show_where_they_act_and_on_the_right_side(portraits: dict[str, Portrait], style: str) -> None:
    rest = portraits[style].render(REST).astype(np.float32)
    for unit, region in SEEN_AT.items():
        units = REST.copy()
        units[INDEX[unit]] = 1.0
        change = np.abs(portraits[style].render(units) - rest).mean(axis=2)
        x, y = (round(at * SIZE) for at in PLACES[region])
        near = change[y - 8 : y + 8, x - 8 : x + 8].mean()
        far = change[int(0.8 * SIZE) :] if y < SIZE // 2 else change[: int(0.25 * SIZE)]
        assert near > max(1.0, 3 * far.mean()), f"{style}, AU {unit}: {near:.2f} near, {far.mean():.2f} far"


def test_a_turned_head_shows_parallax_and_a_picture_of_one_does_not(portraits: dict[str, Portrait]) -> None:
    look = portraits["shaded"].look
    nose, ears = np.array([[0.5, 0.6]]), np.array([[0.14, 0.5], [0.86, 0.5]])
    heights = [
        float(look.relief.height[tuple(np.round(FIELD.points(at)).astype(int)[::-1])]) for at in (nose[0], ears[0])
    ]
    assert heights[0] > heights[1] + 0.1
    seen = Plane(64, 0.0, 1.0)
    straight, _ = seen_from(HeadPose(), look.relief, seen)
    turned, _ = seen_from(HeadPose(yaw=15), look.relief, seen)
    shift = (straight - turned)[..., 0]
    at_nose, at_cheek = shift[38, 34], shift[38, 14]
    assert at_nose > 0.01, "the nose goes to the right of the picture"
    assert at_nose - at_cheek > 0.015, "what stands out goes further"
    places = np.stack(seen.grid(), axis=-1).reshape(-1, 2)
    affine = np.concatenate([np.ones((len(places), 1)), places], axis=1)
    left = shift.ravel() - affine @ np.linalg.lstsq(affine, shift.ravel(), rcond=None)[0]
    assert left.std() > 0.004, "no affine map of the picture is this motion"


def test_a_frame_does_not_depend_on_the_frames_before_it(portraits: dict[str, Portrait]) -> None:
    rng = np.random.default_rng(3)
    for portrait in portraits.values():
        shots = [(rng.random(len(AUS)).astype(np.float32), HeadPose(yaw=yaw, gaze_x=0.01)) for yaw in (20.0, -8.0)]
        forward = [portrait.render(*shot) for shot in shots]
        backward = [portrait.render(*shot) for shot in reversed(shots)][::-1]
        assert all(np.array_equal(a, b) for a, b in zip(forward, backward))


def test_light_falls_from_where_the_lamp_is(portraits: dict[str, Portrait]) -> None:
    for style in ("shaded", HELD_BACK):
        left, right = (portraits[style].render(REST, HeadPose(), Lamp(x, 0, 0.3)).mean(axis=2) for x in (-1.0, 1.0))
        cheek = slice(60, 85)
        assert left[cheek, 25:45].mean() > right[cheek, 25:45].mean() + 5
        assert right[cheek, 83:103].mean() > left[cheek, 83:103].mean() + 5


@pytest.mark.parametrize("grade", GRADES)
def test_a_grade_disturbs_as_much_as_it_says(grade: str) -> None:
    rng = np.random.default_rng(5)
    played = [film(write_script("surprise", "micro", rng, STRENGTHS), grade, rng) for _ in range(6)]
    yaw = np.array([[pose.yaw for pose in one.poses] for one in played if len(one.poses) == 120])
    assert np.abs(yaw).max() <= 25
    moving = yaw.std(axis=1)
    lamp = np.array([[lamp.x for lamp in one.lamps] for one in played]).std(axis=1)
    assert (moving.max() > 1, lamp.max() > 0.02) == ((False,) * 2 if grade == "still" else (True,) * 2)
    assert [one.crf for one in played] == [26] * 6 if grade == "hard" else max(one.crf for one in played) <= 24
    spoken = [one.units[:, INDEX["25"]].std() > 0.05 for one in played]
    assert all(spoken) if grade == "talking" else not all(spoken)


def test_styled_sets_have_their_truth_and_do_not_mix_with_others(tmp_path: Path) -> None:
    few = {"label_set": "dfew", "train": 0, "validation": 0, "test": 14, "seed": 3, "size": 64, "aligned": False}
    write_clip_set(tmp_path, **few, style=HELD_BACK, grade="hard")  # type: ignore[arg-type]
    rows = pq.read_table(tmp_path / "annotations.parquet").to_pylist()
    plans = plan_clips(label_set_name="dfew", train=0, validation=0, test=14, seed=3, strengths=STRENGTHS)
    assert [len(row["events"]) for row in rows] == [len(plan.events) for plan in plans]
    plan = next(plan for plan in plans if plan.events)
    for folder in ("truth", "videos"):
        (tmp_path / folder).mkdir()
    draw_batch([plan], root=tmp_path, size=64, styles=[HELD_BACK], grade="hard")
    with np.load(tmp_path / "truth" / f"{plan.clip_id}.npz") as truth:
        assert truth["pose"].shape == (plan.clip.n_frames, 9)
        assert truth["units"].shape == (plan.clip.n_frames, len(AUS))
        assert truth["events"][0, 0] == plan.events[0].onset_s
    with pytest.raises(ValueError, match="written with style 'bust', now 'line'"):
        write_clip_set(tmp_path, **few, style="line", grade="hard")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="style 'bust', now None"):
        write_clip_set(tmp_path, **few)  # type: ignore[arg-type]
