"""Tracks that people already have are read as if the faces had been found here, and wrong files are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from clip_files import write_clip

from emotrain.clip_errors import ClipError
from emotrain.faces.detectors import detector_of
from emotrain.faces.find import FoundFaces, find_faces
from emotrain.faces.settings import FaceSettings
from emotrain.records import Clip
from emotrain.video.decode import open_clip

WIDTH, HEIGHT, FRAMES = 160, 90, 30
CLIP = Clip("c", "c.mp4", "anger")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    picture = np.random.default_rng(0).integers(0, 255, (9, 16, 3)).astype(np.uint8).repeat(10, 0).repeat(10, 1)
    return write_clip(tmp_path_factory.mktemp("video") / "c.mp4", [picture] * FRAMES, fps=10)


def points_68(x: float, y: float, eyes: float) -> np.ndarray:
    """68 points in pixels whose eyes, nose tip and mouth corners are known."""
    points = np.random.default_rng(1).uniform(-0.5, 0.5, (68, 2)) * (1.6, 1.6) + (0, 0.4)
    points[36:42], points[42:48] = (-0.5, 0), (0.5, 0)
    points[30], points[48], points[54] = (0, 0.6), (-0.4, 1.1), (0.4, 1.1)
    return points * eyes + (x, y)


def find(video: Path, detector: str, tracks: Path) -> FoundFaces:
    settings = FaceSettings(detector=detector, tracks=str(tracks))
    with open_clip(video) as reader:
        return find_faces(reader, settings, detector_of(settings), CLIP)


def rows_68(frames: range, **more: list[float]) -> dict[str, list[float]]:
    points = [points_68(60 + i, 40, 20) for i in frames]
    columns = {f"{axis}_{k}": [p[k, a] for p in points] for a, axis in enumerate("xy") for k in range(68)}
    return {**columns, **more}


def check(found: FoundFaces, seen: tuple[tuple[float, float], ...]) -> None:
    path = found.path()
    assert path is not None
    assert path.seen == tuple((pytest.approx(start), pytest.approx(end)) for start, end in seen)
    assert path.eye_distance_px == pytest.approx(20, abs=0.1)
    middle = path.landmarks[:, :2].mean(1) * (WIDTH, HEIGHT)
    assert middle[:, 0] == pytest.approx(60 + 10 * path.times_s, abs=0.2)


def test_openface_says_when_it_saw_nothing(video: Path, tmp_path: Path) -> None:
    success = [float(not 10 <= i < 20) for i in range(FRAMES)]
    table = rows_68(range(FRAMES), frame=[i + 1.0 for i in range(FRAMES)], success=success, confidence=[0.9] * FRAMES)
    # OpenFace puts a blank before each column name.
    pd.DataFrame(table).rename(columns=lambda name: f" {name}").to_csv(tmp_path / "c.csv", index=False)
    check(find(video, "openface", tmp_path), ((0.0, 0.9), (2.0, 2.9)))


def test_py_feat_names_the_video_in_its_rows(video: Path, tmp_path: Path) -> None:
    table = rows_68(range(FRAMES), frame=list(range(FRAMES)), FaceScore=[0.95] * FRAMES)
    file = tmp_path / "all.csv"
    pd.DataFrame({**table, "input": "/somewhere/c.mp4"}).to_csv(file, index=False)
    check(find(video, "py-feat", file), ((0.0, 2.9),))
    pd.DataFrame({**table, "input": "other.mp4"}).to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(ClipError, match=r"other\.csv: no row whose input is 'c' or 'c'"):
        find(video, "py-feat", tmp_path / "other.csv")


def test_plain_points_are_read_a_file_a_frame_or_a_file_a_clip(video: Path, tmp_path: Path) -> None:
    rows = [points_68(60 + i, 40, 20) for i in range(FRAMES)]
    (tmp_path / "frames" / "c").mkdir(parents=True)
    for i, row in enumerate(rows):
        np.savetxt(tmp_path / "frames" / "c" / f"{i + 1:05d}.txt", row)
    (tmp_path / "clips").mkdir()
    np.savetxt(tmp_path / "clips" / "c.csv", [row.ravel() for row in rows], delimiter=",")
    for folder in ("frames", "clips"):
        check(find(video, "landmarks68", tmp_path / folder), ((0.0, 2.9),))


def test_one_box_holds_for_the_clip_and_boxes_with_times_for_theirs(video: Path, tmp_path: Path) -> None:
    box = {"left": 0.2, "top": 0.1, "right": 0.5, "bottom": 0.9}
    pd.DataFrame([{"clip_id": "c", **box}]).to_parquet(tmp_path / "boxes.parquet")
    found = find(video, "boxes", tmp_path / "boxes.parquet")
    path = found.path()
    assert path is not None
    assert path.seen == ((0.0, pytest.approx(2.9)),)
    assert found.clip.width_px == pytest.approx(0.3 * WIDTH)
    timed = [{"clip_id": "c", "time_s": t, **box} for t in (0.0, 0.5, 1.0)]
    pd.DataFrame(timed).to_csv(tmp_path / "boxes.csv", index=False)
    assert find(video, "boxes", tmp_path / "boxes.csv").clip.looks_s == (0.0, 0.5, 1.0)
    pd.DataFrame([{"clip_id": "c", **box, "right": 0.1}]).to_csv(tmp_path / "odd.csv", index=False)
    with pytest.raises(ClipError, match=r"odd\.csv: the box .* of 'c' is not one; expected left < right"):
        find(video, "boxes", tmp_path / "odd.csv")


def test_tracks_and_detectors_must_fit() -> None:
    with pytest.raises(ValueError, match="yunet finds the faces itself"):
        FaceSettings(tracks="x.csv")
    with pytest.raises(ValueError, match="reads files that you have; name them in `tracks`"):
        detector_of(FaceSettings(detector="openface"))
