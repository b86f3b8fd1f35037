"""Motion tracks and events on faces whose movements are known."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from emotrain.motion.candidates import Changes, bursts, holds
from emotrain.motion.face_motion import FaceMotion, face_motion
from emotrain.motion.face_regions import REGIONS
from emotrain.motion.spotting import spot
from emotrain.synthetic.action_units import AUS, INDEX
from emotrain.synthetic.face import Face, Pose
from emotrain.synthetic.identity import sample_identity

T = 75
TIMES = np.arange(T) / 30


@pytest.fixture(scope="module")
def face() -> Face:
    return Face(sample_identity(np.random.default_rng(3)), 128)


def bump(start_s: float, end_s: float, hold: bool = False) -> np.ndarray:
    """0..1 over time: a burst, or a rise of 0.2 s, a hold and a fall of 0.2 s."""
    inside = np.clip((TIMES - start_s) / (end_s - start_s), 0, 1)
    if not hold:
        return np.sin(np.pi * inside) ** 2
    edge = 0.2 / (end_s - start_s)
    return np.clip(np.minimum(inside, 1 - inside) / edge, 0, 1)


def film(face: Face, units: dict[str, np.ndarray], pose: Callable[[float], Pose] = lambda t: Pose()) -> FaceMotion:
    rng = np.random.default_rng(0)
    frames = []
    for t in range(T):
        intensities = np.zeros(len(AUS), np.float32)
        for name, course in units.items():
            intensities[INDEX[name]] = course[t]
        grey = cv2.cvtColor(face.render(intensities, pose(TIMES[t])), cv2.COLOR_RGB2GRAY)
        frames.append(np.clip(grey + rng.normal(0, 1.5, grey.shape), 0, 255).astype(np.uint8))
    return face_motion(np.stack(frames), TIMES)


def sway(t: float) -> Pose:
    wave = np.sin(2 * np.pi * t / 1.7)
    return Pose(0.015 * wave, 0.01 * np.sin(3 * t), 2.0 * wave, 1 + 0.015 * wave)


def test_head_motion_alone_is_no_event(face: Face) -> None:
    motion = film(face, {}, sway)
    assert np.abs(motion.head[:, :, 0]).max() > 0.01, "the head did move"
    assert spot(motion)[0] == []


def test_a_constant_video_is_no_event(face: Face) -> None:
    frame = cv2.cvtColor(face.render(np.zeros(len(AUS), np.float32)), cv2.COLOR_RGB2GRAY)
    motion = face_motion(np.repeat(frame[None], T, 0), TIMES)
    assert spot(motion) == ([], [])


@pytest.mark.parametrize(
    ("units", "region", "named"),
    [
        (("1",), "inner brow", "1"),
        (("2",), "outer brow", "2"),
        (("9",), "nose", "9"),
        (("17",), "lower lip", "17"),
        (("L12", "R12"), "mouth corner", "12"),
    ],
)
def test_a_burst_is_found_where_and_when_it_was_planted(
    face: Face, units: tuple[str, ...], region: str, named: str
) -> None:
    events, _ = spot(film(face, {unit: 0.7 * bump(1.0, 1.4) for unit in units}, sway))
    assert len(events) == 1
    event = events[0]
    assert event.apex_s == pytest.approx(1.2, abs=0.07)
    assert (event.onset_s, event.offset_s) == (pytest.approx(1.0, abs=0.1), pytest.approx(1.4, abs=0.1))
    assert any(region in name for name in event.regions[:3])
    assert set(event.regions) <= set(REGIONS)
    assert named in event.action_units


@pytest.mark.parametrize(("unit", "side", "other"), [("L12", "left", "right"), ("R12", "right", "left")])
def test_left_and_right_are_the_subjects_own(face: Face, unit: str, side: str, other: str) -> None:
    events, _ = spot(film(face, {unit: 0.9 * bump(0.9, 1.4)}))
    assert len(events) == 1
    assert f"{side} mouth corner" in events[0].regions
    assert f"{other} mouth corner" not in events[0].regions
    assert unit in events[0].action_units


def test_a_long_hold_is_one_event(face: Face) -> None:
    events, _ = spot(film(face, {"1": bump(0.3, 2.2, hold=True), "15": bump(0.3, 2.2, hold=True)}, sway))
    assert len(events) == 1
    assert events[0].offset_s - events[0].onset_s == pytest.approx(1.9, abs=0.3)


@pytest.mark.parametrize("begins_inside", [True, False])
def test_an_expression_cut_by_the_clips_end_is_kept(face: Face, begins_inside: bool) -> None:
    course = np.clip((TIMES - 1.2) / 0.3, 0, 1)
    units = dict.fromkeys(("1", "2", "26"), 1 - course if begins_inside else course)
    events, _ = spot(film(face, units))
    assert len(events) == 1
    assert {"1", "26"} <= set(events[0].action_units)
    assert (events[0].onset_s < 0.2) == begins_inside


def test_blinks_are_told_apart(face: Face) -> None:
    events, blinks = spot(film(face, {"45": np.clip(1.3 * bump(1.0, 1.25), 0, 1)}))
    assert events == []
    assert [round(blink.apex_s, 1) for blink in blinks] == [1.1]
    assert blinks[0].action_units == ("45",)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        face_motion(np.zeros((3, 64, 64), np.uint8), np.arange(3.0))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("find", [bursts, holds])
def test_whatever_the_tracks_do_every_candidate_lies_in_the_clip(find: Callable, seed: int) -> None:
    """What stands out of the noise of its moment need not move anything: the two are measured apart."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 80))
    times_s = np.cumsum(rng.uniform(0.01, 0.2, count))
    scaled = (rng.standard_normal((count, 2 * len(REGIONS))) * rng.choice([0.0, 1.0, 30.0], (count, 1))).astype(
        np.float32
    )
    moved = scaled * rng.choice([-1.0, 0.0, 1.0], (count, 1)).astype(np.float32)
    found = find(Changes(moved, scaled, rng.uniform(0.1, 2, scaled.shape[1]).astype(np.float32)), times_s, 5.0, 8)
    assert len(found) <= 8
    for one in found:
        assert times_s[0] <= one.onset_s <= one.apex_s <= one.offset_s <= times_s[-1]
        assert np.isfinite([one.clarity, one.motion, one.uneven]).all()
