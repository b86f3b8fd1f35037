"""A face moves where its action unit acts, on the right side, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from emotrain.synthetic.action_units import AUS, INDEX, REGIONS
from emotrain.synthetic.face import Face, Light, Pose
from emotrain.synthetic.identity import sample_identity

SIZE = 128
PLACES = {
    **{f"{side} inner brow": (0.5 + sign * 0.085, 0.300) for side, sign in (("left", 1), ("right", -1))},
    **{f"{side} outer brow": (0.5 + sign * 0.220, 0.300) for side, sign in (("left", 1), ("right", -1))},
    **{f"{side} upper lid": (0.5 + sign * 0.165, 0.395) for side, sign in (("left", 1), ("right", -1))},
    **{f"{side} lower lid": (0.5 + sign * 0.165, 0.450) for side, sign in (("left", 1), ("right", -1))},
    **{f"{side} cheek": (0.5 + sign * 0.190, 0.570) for side, sign in (("left", 1), ("right", -1))},
    **{f"{side} mouth corner": (0.5 + sign * 0.145, 0.755) for side, sign in (("left", 1), ("right", -1))},
    "glabella": (0.5, 0.33),
    "nose": (0.5, 0.58),
    "upper lip": (0.5, 0.73),
    "lower lip": (0.5, 0.79),
    "chin": (0.5, 0.89),
}


@pytest.fixture(scope="module")
def faces() -> list[Face]:
    return [Face(sample_identity(np.random.default_rng(i)), SIZE) for i in range(3)]


def _change(face: Face, unit: str, value: float = 1.0) -> np.ndarray:
    """Absolute change of grey level that one unit makes, (SIZE, SIZE)."""
    units = np.zeros(len(AUS), np.float32)
    rest = face.render(units).astype(np.float32)
    units[INDEX[unit]] = value
    return np.abs(face.render(units) - rest).mean(axis=2)


def _window(region: str) -> tuple[slice, slice]:
    """A square of 0.1 of the crop around a region's centre."""
    x, y = (round(at * SIZE) for at in PLACES[region])
    half = round(0.05 * SIZE)
    return slice(y - half, y + half), slice(x - half, x + half)


@pytest.mark.parametrize("unit", AUS)
def test_each_unit_moves_pixels_in_its_own_region_and_leaves_the_far_half_of_the_face(
    faces: list[Face], unit: str
) -> None:
    for face in faces:
        change = _change(face, unit)
        inside = max(change[_window(region)].mean() for region in REGIONS[unit])
        assert inside > 2.0, f"AU {unit} hardly shows: {inside:.2f} grey levels"
        upper = unit in ("1", "2", "4", "5", "6", "7", "45")
        far = change[int(0.70 * SIZE) :] if upper else change[: int(0.25 * SIZE)]
        assert far.mean() < 0.1 * inside


@pytest.mark.parametrize("number", ["12", "14"])
def test_the_subjects_left_lies_at_larger_x(faces: list[Face], number: str) -> None:
    for face in faces:
        left, right = _change(face, f"L{number}"), _change(face, f"R{number}")
        assert left[:, SIZE // 2 :].sum() > 4 * left[:, : SIZE // 2].sum()
        assert right[:, : SIZE // 2].sum() > 4 * right[:, SIZE // 2 :].sum()


@pytest.mark.parametrize("unit", [name for name in AUS if name != "45"])
def test_more_of_a_unit_shows_more(faces: list[Face], unit: str) -> None:
    weak, strong = _change(faces[0], unit, 0.3).sum(), _change(faces[0], unit, 0.9).sum()
    assert strong > 1.3 * weak


def test_a_frame_does_not_depend_on_the_frames_before_it(faces: list[Face]) -> None:
    rng = np.random.default_rng(3)
    shots = [(rng.random(len(AUS)).astype(np.float32), Pose(dx=0.01, roll=2.0, gaze_x=g)) for g in (0.0, 0.01, -0.01)]
    forward = [faces[0].render(*shot) for shot in shots]
    backward = [faces[0].render(*shot) for shot in reversed(shots)][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forward, backward))


def test_pose_and_light_do_what_they_say(faces: list[Face]) -> None:
    rest = np.zeros(len(AUS), np.float32)
    still = faces[0].render(rest).astype(np.float32)
    moved = faces[0].render(rest, Pose(dx=10 / SIZE)).astype(np.float32)
    assert np.abs(moved[20:110, 30:110] - still[20:110, 20:100]).mean() < 1.0
    dim = faces[0].render(rest, Pose(), Light(gain=0.5)).astype(np.float32)
    assert dim.mean() == pytest.approx(still.mean() / 2, rel=0.01)
    side = faces[0].render(rest, Pose(), Light(slope_x=0.3)).astype(np.float32)
    assert (side - still)[:, 100:].mean() > 0 > (side - still)[:, :28].mean()


def test_the_eyes_and_the_mouth_lie_where_the_aligned_crop_has_them(faces: list[Face]) -> None:
    ticks = (np.arange(SIZE) + 0.5) / SIZE
    for face in faces:
        blink, lips = _change(face, "45"), _change(face, "25")
        left = blink[:, SIZE // 2 :]
        assert (left.sum(1) @ ticks) / left.sum() == pytest.approx(0.42, abs=0.02)
        assert (left.sum(0) @ ticks[SIZE // 2 :]) / left.sum() == pytest.approx(0.665, abs=0.02)
        assert (lips.sum(1) @ ticks) / lips.sum() == pytest.approx(0.775, abs=0.03)


def test_units_of_another_length_are_refused(faces: list[Face]) -> None:
    with pytest.raises(ValueError, match=r"shape \(17,\), expected \(19,\)"):
        faces[0].render(np.zeros(17, np.float32))
