"""A path is smooth where the face was seen and says nothing about the rest."""

from __future__ import annotations

import numpy as np
import pytest

from emotrain.face_layout import FaceLayout
from emotrain.faces.path import FacePath, face_path
from emotrain.faces.records import ClipFaces, Sighting
from emotrain.faces.rule import is_face
from emotrain.faces.yaw import NOSE, yaw_deg

FACE = np.array([[-0.5, 0], [0.5, 0], [0, 0.6], [-0.4, 1.1], [0.4, 1.1]])
"""Five points in units of the eye distance, from the point between the eyes."""

WIDTH, HEIGHT = 1280, 720


def landmarks(x: float, y: float, eyes: float, roll_deg: float = 0.0) -> np.ndarray:
    """Fractions of a 1280 x 720 frame for a face with its eyes `eyes` pixels apart."""
    angle = np.radians(roll_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (FACE @ turn.T * eyes + (x, y)) / (WIDTH, HEIGHT)


def seen(time_s: float, points: np.ndarray, shot: int = 0) -> Sighting:
    return Sighting("c", 0, shot, time_s, 0.9, (0.1, 0.1, 0.2, 0.2), tuple(map(tuple, points.tolist())))


def clip(looks: list[float], end_s: float, cuts: tuple[float, ...] = ()) -> ClipFaces:
    return ClipFaces("c", 1.0, 1, 100.0, 0, "the only face", WIDTH, HEIGHT, cuts, tuple(looks), end_s)


def through(path: FacePath, times: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Where (T, P, 2) fractions of the frame land in a crop of 100 pixels."""
    matrices = path.matrices(times, WIDTH, HEIGHT, 100).astype(float)
    return np.einsum("tij,tpj->tpi", matrices[:, :, :2], points * (WIDTH, HEIGHT) - 0.5) + matrices[:, None, :, 2] + 0.5


def test_a_moving_rolling_growing_face_keeps_its_place_in_the_crop() -> None:
    times = np.arange(0, 3, 0.1)

    def at(t: float) -> np.ndarray:
        return landmarks(300 + 200 * t, 300 + 20 * t, 60 + 10 * t, 8 * t)

    path = face_path(clip(times.tolist(), 2.9), [seen(t, at(t)) for t in times.tolist()])
    dense = np.arange(0, 2.9, 0.033)
    landed = through(path, dense, np.stack([at(t) for t in dense.tolist()]))
    eyes = np.array([[35.5, 40], [64.5, 40]])
    assert np.abs(landed[:, :2] - eyes).max() < 0.3
    assert path.seen == ((0.0, 2.9),)
    assert isinstance(path.layout, FaceLayout)
    assert path.layout.nose_tip == pytest.approx((0.5, 0.4 + 0.6 * 0.29), abs=0.01)
    assert path.layout.mouth == pytest.approx((0.5, 0.4 + 1.1 * 0.29), abs=0.01)
    assert path.eye_distance_px == pytest.approx(60 + 10 * times, abs=0.5)


def test_the_jitter_of_a_detector_is_smoothed_away() -> None:
    rng = np.random.default_rng(0)
    times = np.arange(0, 4, 0.1)
    still = landmarks(600, 300, 60)
    noisy = [seen(t, still + rng.normal(0, 0.03 * 60, still.shape) / (WIDTH, HEIGHT)) for t in times.tolist()]
    landed = through(face_path(clip(times.tolist(), 3.9), noisy), times, np.stack([still] * len(times)))
    raw = np.stack([np.array(one.landmarks) for one in noisy])
    jitter = np.abs(np.diff(landed[:, 0], axis=0)).mean() / 29
    assert jitter < 0.4 * (np.abs(np.diff(raw[:, 0] * (WIDTH, HEIGHT), axis=0)).mean() / 60)


def test_no_stretch_bridges_a_loss_or_a_cut_and_none_reaches_into_unseen_time() -> None:
    looks = [round(0.1 * i, 1) for i in range(60)]
    lost = [t for t in looks if not 1.45 < t < 4.55]
    points = landmarks(600, 300, 60)
    path = face_path(clip(looks, 5.95), [seen(t, points) for t in lost])
    assert path.seen == ((0.0, 1.4), (4.6, 5.95))
    inside = path.seen_at(np.array([0.0, 1.4, 1.45, 3.0, 4.59, 4.6, 5.9]))
    assert inside.tolist() == [True, True, False, False, False, True, True]
    cut = face_path(clip(looks, 5.95, (2.05,)), [seen(t, points, int(t > 2.05)) for t in looks])
    (first, second) = cut.seen
    assert first[0] == 0
    assert 2.0 <= first[1] < 2.05 == second[0]


def test_one_missed_look_is_bridged_and_two_are_not() -> None:
    looks = [round(0.1 * i, 1) for i in range(20)]
    points = landmarks(600, 300, 60)
    once = face_path(clip(looks, 1.9), [seen(t, points) for t in looks if t != 1.0])
    twice = face_path(clip(looks, 1.9), [seen(t, points) for t in looks if t not in (1.0, 1.1)])
    assert once.seen == ((0.0, 1.9),)
    assert twice.seen == ((0.0, 0.9), (1.2, 1.9))


def test_nothing_is_smoothed_across_a_cut() -> None:
    looks = [round(0.1 * i, 1) for i in range(20)]
    here, there = landmarks(300, 300, 60), landmarks(900, 400, 90, 10)
    path = face_path(clip(looks, 1.9, (1.0,)), [seen(t, here if t < 1 else there, int(t >= 1)) for t in looks])
    landed = through(path, np.array([0.9, 1.0]), np.stack([here, there]))
    assert landed[:, :2] == pytest.approx(np.array([[[35.5, 40], [64.5, 40]]] * 2), abs=0.05)


@pytest.mark.parametrize("yaw", [-60, -30, -10, 0, 20, 45])
@pytest.mark.parametrize("roll", [0, 25])
def test_yaw_is_that_of_a_turned_head(yaw: float, roll: float) -> None:
    solid = np.column_stack([FACE, [0.0, 0.0, NOSE, 0.15, 0.15]])
    a, b = np.radians(yaw), np.radians(roll)
    # The camera looks along z; the nose points to it. A turn by yaw moves it to larger x.
    turned = np.column_stack([solid[:, 0] * np.cos(a) + solid[:, 2] * np.sin(a), solid[:, 1]])
    rolled = turned @ np.array([[np.cos(b), np.sin(b)], [-np.sin(b), np.cos(b)]])
    assert yaw_deg(rolled * 80 + 300) == pytest.approx(yaw, abs=0.5)


@pytest.mark.parametrize(
    ("scores", "looks", "lasted_s", "shot_s", "told"),
    [
        ([0.9] * 20, 20, 4.0, 4.0, True),
        ([0.75] * 20, 20, 4.0, 4.0, False),  # the back of a head
        ([0.84] * 8, 8, 0.9, 5.2, False),  # an animal of a cartoon, for a second of five
        ([0.93] * 8, 8, 0.9, 5.2, True),  # a person who leaves
        ([0.93] * 2, 2, 0.2, 4.0, False),
        ([0.9], 1, 0.0, 0.0, True),  # a clip of one picture
        ([0.9, 0.9], 5, 4.0, 4.0, False),
    ],
)
def test_a_face_is_what_scores_well_in_most_looks_and_for_long_enough(
    scores: list[float], looks: int, lasted_s: float, shot_s: float, told: bool
) -> None:
    assert is_face(scores, looks, lasted_s, shot_s) is told
