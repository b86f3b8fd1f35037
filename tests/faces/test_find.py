"""Faces are found where they are, all the time, and nowhere else; what is found keeps to shots and to the time seen."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from clip_files import write_clip
from scenes import backdrop, frames_of, pasted, placed

from emotrain.faces.detectors import Detector, detector_of
from emotrain.faces.find import FoundFaces, find_faces
from emotrain.faces.settings import FaceSettings
from emotrain.video.decode import open_clip

SETTINGS = FaceSettings()


@pytest.fixture(scope="module")
def detector(face_weights: Path) -> Detector:
    return detector_of(SETTINGS)  # type: ignore[return-value]


def find(video: Path, detector: Detector, **settings: str) -> FoundFaces:
    with open_clip(video) as reader:
        return find_faces(reader, FaceSettings(**settings), detector)  # type: ignore[arg-type]


def test_the_one_face_of_a_real_clip_is_seen_all_the_time(real_faces: Path, detector: Detector) -> None:
    found = find(real_faces / "single_face.mp4", detector)
    assert (found.clip.faces, found.clip.seen_share, found.clip.cuts_s) == (1, 1.0, ())
    assert found.clip.width_px == pytest.approx(0.23 * 640, rel=0.1)
    path = found.path()
    assert path is not None
    assert path.seen == ((0.0, pytest.approx(2.367, abs=0.01)),)
    assert np.abs(path.yaw_deg).max() < 12
    assert path.layout.chin_y < 1


def test_a_title_card_shows_no_face_and_is_told_so(real_faces: Path, detector: Detector) -> None:
    found = find(real_faces / "no_face.mp4", detector)
    assert (found.clip.track, found.clip.faces, found.sightings) == (None, 0, ())
    assert found.path() is None
    assert str(found.clip.reason).startswith("no face: none of")


def test_five_people_in_a_still_are_five_tracks_and_each_can_be_asked_for(
    real_faces: Path, detector: Detector, tmp_path: Path
) -> None:
    still = cv2.imread(str(real_faces / "multi_face.jpg"))
    for i in range(25):
        cv2.imwrite(str(tmp_path / f"{i:03d}.jpg"), still)
    found = {face: find(tmp_path, detector, face=face) for face in ("largest", "left", "right", "1", "5", "6")}
    assert {one.clip.faces for one in found.values()} == {5}
    paths = found["left"].paths()
    assert len(paths) == 5
    assert all(path.seen == ((0.0, pytest.approx(0.96)),) for path in paths.values())
    x = {track: float(path.landmarks[:, :2, 0].mean()) for track, path in paths.items()}
    assert found["left"].clip.track == found["1"].clip.track == min(x, key=lambda track: x[track])
    assert found["right"].clip.track == found["5"].clip.track == max(x, key=lambda track: x[track])
    assert found["6"].clip.track is None
    assert found["6"].clip.reason == "face 6 from the left was asked for, the clip shows 5"


def test_a_single_picture_is_a_clip_with_its_faces(real_faces: Path, detector: Detector, tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes((real_faces / "multi_face.jpg").read_bytes())
    found = find(tmp_path, detector)
    assert (found.clip.faces, found.clip.seen_share) == (5, 1.0)


@pytest.mark.parametrize("first", ["face", "card"])
def test_a_face_joined_to_a_faceless_part_ends_at_the_one_cut(
    real_faces: Path, detector: Detector, tmp_path: Path, first: str
) -> None:
    face = frames_of(real_faces / "single_face.mp4")
    card = np.stack([cv2.resize(frame, (640, 360)) for frame in frames_of(real_faces / "no_face.mp4")[:60]])
    black = np.zeros_like(face[:1])
    parts = [face, black, card] if first == "face" else [card, black, face]
    found = find(write_clip(tmp_path / "joined.mp4", np.concatenate(parts), fps=30), detector)
    (cut,) = found.clip.cuts_s
    assert cut == pytest.approx((len(parts[0]) + 1) / 30, abs=1e-3)
    path = found.path()
    assert path is not None
    ((start, end),) = path.seen
    if first == "face":
        assert start == 0
        assert cut - 0.3 < end < cut
    else:
        assert (start, end) == (cut, found.clip.end_s)
    assert found.clip.seen_share == pytest.approx((end - start) / found.clip.end_s)


@pytest.mark.parametrize(("share", "roll"), [(3, 0), (6, 0), (3, 20)])
def test_a_small_or_rolled_face_in_full_hd_is_aligned_as_the_clip_itself(
    real_faces: Path, detector: Detector, tmp_path: Path, share: int, roll: float
) -> None:
    video = real_faces / "single_face.mp4"
    frames = frames_of(video)[:40:2]
    into = placed(1920 / share / 640, roll, (640, 360), 1300, 500)
    scene = pasted(frames, backdrop(1080, 1920), np.stack([into] * len(frames)))
    small = find(write_clip(tmp_path / "small.mp4", scene, fps=15), detector)
    plain = find(write_clip(tmp_path / "plain.mp4", frames, fps=15), detector)
    assert small.clip.seen_share == plain.clip.seen_share == 1
    times = np.arange(len(frames)) / 15
    there, here = small.path(), plain.path()
    assert there is not None
    assert here is not None
    away = there.matrices(times, 1920, 1080, 128).astype(float)
    home = here.matrices(times, 640, 360, 128).astype(float)
    points = np.array([[250.0, 130], [330, 130], [290, 230]])
    landed = points @ into[:, :2].T + into[:, 2]
    apart = (landed @ away[:, :, :2].transpose(0, 2, 1) + away[:, None, :, 2]) - (
        points @ home[:, :, :2].transpose(0, 2, 1) + home[:, None, :, 2]
    )
    # In crop pixels, where the eyes are 37 apart.
    assert np.linalg.norm(apart.mean(0), axis=1).max() < 4
