"""A clip that stands in train and test is found through compression, size and brightness; other people are not."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from emotrain.atomic_files import write_table
from emotrain.cli import main
from emotrain.records import FRAMES, Clip, Frame, to_table
from emotrain.synthetic.face import Face
from emotrain.synthetic.identity import sample_identity
from emotrain.video.near_duplicates import across_parts, frame_hash


def jpeg(image: np.ndarray, quality: int = 90) -> bytes:
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """A scene of its own for each of thirty clips: smooth random light, as different as rooms are."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (30, 9, 9, 3)).astype(np.uint8)
    return [cv2.resize(image, (160, 160), interpolation=cv2.INTER_CUBIC) for image in small]


def folder(home: Path, clips: list[Clip], images: dict[str, list[bytes]]) -> Path:
    metadata = {"root": str(home), "dataset": "csv", "label_set": "dfew"}
    write_table(to_table(clips, Clip, metadata), home / "clips.parquet")
    (home / "frames").mkdir()
    with pq.ParquetWriter(home / "frames" / "part-00000-of-00001.parquet", FRAMES) as part:
        for clip_id, of_clip in images.items():
            frames = [Frame(clip_id, i, i / 5, "keyframe", None, image) for i, image in enumerate(of_clip)]
            part.write_table(to_table(frames, Frame))
    return home


@pytest.mark.parametrize("folds", [True, False])
def test_a_copy_across_parts_is_named_and_one_inside_a_part_is_not(
    tmp_path: Path, pictures: list[np.ndarray], folds: bool, monkeypatch: pytest.MonkeyPatch, capsys: object
) -> None:
    clips, images = [], {}
    for i, picture in enumerate(pictures):
        part = {"test_fold": 1 + i % 5} if folds else {"split": "test" if i % 5 == 0 else "train"}
        clips.append(Clip(f"c{i}", "", "fear", source=f"film {i}", **part))
        images[f"c{i}"] = [jpeg(picture), jpeg(np.roll(picture, 40, 0)), jpeg(np.roll(picture, 80, 0))]
    worse = cv2.convertScaleAbs(cv2.resize(pictures[0], (80, 80)), alpha=1.1, beta=15)
    inside = {"test_fold": 1} if folds else {"split": "test"}
    outside = {"test_fold": 2} if folds else {"split": "train"}
    clips += [Clip("same part", "", "fear", **inside), Clip("copy", "", "fear", source="film 0", **outside)]
    images |= {"same part": images["c0"], "copy": [jpeg(np.zeros((80, 80, 3), np.uint8)), jpeg(worse, 30)]}
    found = across_parts(folder(tmp_path, clips, images))
    assert {frozenset((one.first, one.second)) for one in found.twins} == {
        frozenset(("c0", "copy")),
        frozenset(("same part", "copy")),
    }
    assert found.shared == {"source": ("film 0",)}
    assert frame_hash(jpeg(np.zeros((80, 80, 3), np.uint8))) is None, "black frames are alike and say nothing"
    monkeypatch.setattr("sys.argv", ["emotrain", "check", str(tmp_path), "--duplicates"])
    with suppress(SystemExit):  # the part was written by hand, without what a stage leaves beside it
        main()
    said = capsys.readouterr().out  # type: ignore[attr-defined]
    assert "2 pairs of 32 clips in different parts show nearly the same picture" in said
    assert "1 sources stand in more than one part: film 0" in said


def test_drawn_faces_of_different_people_are_not_alike() -> None:
    faces = [Face(sample_identity(np.random.default_rng(seed))) for seed in range(12)]
    hashes = [frame_hash(jpeg(face.render(np.zeros(19)))) for face in faces]
    bits = [int(np.bitwise_count(a ^ b).sum()) for i, a in enumerate(hashes) for b in hashes[:i] if a is not None]
    assert min(bits) > 26
