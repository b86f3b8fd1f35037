"""The faces stage writes the same bytes however it is run, and names what it could not use."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from clip_files import write_clip
from scenes import frames_of

from emotrain.atomic_files import write_table
from emotrain.clip_errors import ClipError
from emotrain.datasets.clips import ClipIndex
from emotrain.faces.people import write_people
from emotrain.faces.records import face_rows, from_rows
from emotrain.faces.settings import FaceSettings
from emotrain.faces.stage import find_faces_stage
from emotrain.faces.store import FaceStore
from emotrain.records import Clip, to_table
from emotrain.stages.parts import finished_parts
from emotrain.stages.report import TooManyBadClips

SCRIPT = Path(__file__).parents[2] / "data_prep" / "find_faces.py"


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory, real_faces: Path, face_weights: Path) -> Path:
    """Three short clips with a face, one without, one that is empty."""
    folder = tmp_path_factory.mktemp("videos")
    face = frames_of(real_faces / "single_face.mp4", 320)
    for name, start in (("a", 0), ("b", 20), ("c", 40)):
        write_clip(folder / f"{name}.mp4", face[start : start + 20])
    card = frames_of(real_faces / "no_face.mp4", 320)[:20]
    write_clip(folder / "card.mp4", np.stack([cv2.resize(frame, (320, 180)) for frame in card]))
    (folder / "empty.mp4").write_bytes(b"")
    return folder


def index(data: Path, videos: Path, *names: str) -> Path:
    labels = {"card": "anger", "empty": "fear"}
    clips = [Clip(name, f"{name}.mp4", labels.get(name, "happiness")) for name in names]
    write_table(to_table(clips, Clip, {"root": str(videos)}), data / "clips.parquet")
    return data


def contents(data: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((data / "faces").iterdir()) if file.name != "report.json"}


def test_workers_and_array_tasks_write_the_same_bytes_and_every_clip_is_found_again(
    tmp_path: Path, videos: Path
) -> None:
    names = ("a", "b", "c", "card", "empty")
    runs = {name: tmp_path / name for name in ("whole", "array")}
    for data in runs.values():
        data.mkdir()
        index(data, videos, *names)
    report = find_faces_stage(runs["whole"], shards=2, workers=2, max_bad_share=0.3)
    for shard in (1, 0):
        find_faces_stage(runs["array"], only=(shard, 2), workers=1, limit_s=None, max_bad_share=1, max_faceless_share=1)
    assert contents(runs["whole"]) == contents(runs["array"])
    assert (report.done, report.quarantined) == ({"happiness": 3}, {"anger": 1, "fear": 1})
    store = FaceStore(runs["whole"] / "faces")
    assert sorted(store.clip_ids()) == ["a", "b", "c"]
    found = store.of("a")
    assert found.clip.seen_share == 1
    assert found.path() is not None
    with pytest.raises(ClipError, match=r"'card'.*quarantined in .*: no face: none of \d+ looked-at frames"):
        store.of("card")
    with pytest.raises(ClipError, match=r"'empty'.*the file is empty"):
        store.of("empty")
    done = subprocess.run(
        [sys.executable, "-m", "emotrain.cli", "faces", "report", str(runs["whole"]), "--clips", "2"],
        capture_output=True,
        text=True,
        check=True,
    )
    page = Path(done.stdout.strip()).read_text(encoding="utf-8")
    assert "3 of 5 clips show a face; 1 show none and 1 cannot be read" in page
    assert page.count("<article>") == 2 + 1 + 1
    assert "no face: none of" in page
    header = json.loads((runs["whole"] / "faces" / "faces.json").read_text())
    assert header["settings"]["detector"] == "yunet"
    assert len(header["detector_digest"]) == 64


def test_a_run_killed_with_signal_9_goes_on_and_ends_in_the_same_bytes(tmp_path: Path, videos: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for data in (whole, killed):
        data.mkdir()
        index(data, videos, "a", "b", "c")
    find_faces_stage(whole, shards=3, workers=1, limit_s=None)
    command = [sys.executable, str(SCRIPT), "--data", str(killed), "--shards", "3", "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not finished_parts(killed / "faces") and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(finished_parts(killed / "faces")) < 3, "killed too late to test anything"
    header = killed / "faces" / "faces.json"
    header.write_text(header.read_text().replace('"clips"', '"clipz"'))  # decides nothing, so it is written again
    find_faces_stage(killed, shards=3, workers=1, limit_s=None)
    left = contents(killed)
    assert {name: data for name, data in left.items() if not name.startswith(".")} == contents(whole)


def test_many_faceless_clips_are_said_to_be_that_and_what_to_do(tmp_path: Path, videos: Path) -> None:
    data = index(tmp_path, videos, "a", "card")
    with pytest.raises(TooManyBadClips, match=r"1 of 2 clips show no face \(50%, allowed 25%\): anger 1 of 1\."):
        find_faces_stage(data, workers=1, limit_s=None)
    # The other clip is done; the limit alone decides whether to go on.
    assert find_faces_stage(data, workers=1, limit_s=None, max_faceless_share=0.5).done == {"happiness": 1}
    with pytest.raises(ValueError, match=r"faces here were begun otherwise: face 'largest' there, 'left' now"):
        find_faces_stage(data, FaceSettings(face="left"), workers=1, limit_s=None, max_faceless_share=0.5)


def test_a_label_is_about_one_person(tmp_path: Path, videos: Path) -> None:
    with pytest.raises(ValueError, match="a clip's label is about one: say largest, central"):
        find_faces_stage(index(tmp_path, videos, "a"), FaceSettings(face="all"))


def two_people(folder: Path, real_faces: Path) -> Path:
    """A clip of one man twice, small on the left and large on the right."""
    face = frames_of(real_faces / "single_face.mp4", 320)[:20]
    beside = [np.concatenate([cv2.copyMakeBorder(cv2.resize(image, (240, 135)), 0, 45, 0, 0, cv2.BORDER_REPLICATE),
                              image], 1) for image in face]  # fmt: skip
    return write_clip(folder / "two.mp4", np.stack(beside))


def test_the_index_says_whom_a_clip_is_about_before_the_stage_does(
    tmp_path: Path, real_faces: Path, face_weights: Path
) -> None:
    two_people(tmp_path, real_faces)
    named = {"whoever": None, "small": "1", "right": "right", "third": "3", "nobody": "best", "each": "all"}
    clips = [Clip(name, "two.mp4", "happiness", face=face) for name, face in named.items()]
    write_table(to_table(clips, Clip, {"root": str(tmp_path)}), tmp_path / "clips.parquet")
    find_faces_stage(tmp_path, workers=1, limit_s=None, max_bad_share=1, max_faceless_share=1)
    store = FaceStore(tmp_path / "faces")
    width = {name: store.of(name).clip.width_px for name in ("whoever", "small", "right")}
    assert width["small"] < 0.8 * width["right"]
    assert width["whoever"] == width["right"]
    for name, why in (
        ("third", "shows 2"),
        ("nobody", "column face of the index: face 'best'"),
        ("each", "faces people"),
    ):
        with pytest.raises(ClipError, match=why):
            store.of(name)


def test_each_person_of_a_clip_becomes_a_clip_of_its_own(
    tmp_path: Path, videos: Path, real_faces: Path, face_weights: Path
) -> None:
    two_people(videos, real_faces)
    data, people = index(tmp_path, videos, "a", "card", "two"), tmp_path / "people"
    find_faces_stage(data, workers=1, limit_s=None, max_faceless_share=0.5)
    said = write_people(data, people)
    assert "3 people in 2 clips, 1 clips without a face left out" in said
    find_faces_stage(people, workers=1, limit_s=None)
    store = FaceStore(people / "faces")
    assert sorted(store.clip_ids()) == ["a@1", "two@1", "two@2"]
    left, right = store.of("two@1").clip.width_px, store.of("two@2").clip.width_px
    assert left is not None
    assert right is not None
    assert left < 0.8 * right
    assert {clip.source for clip in ClipIndex(people) if clip.path == "two.mp4"} == {"two"}
    with pytest.raises(ValueError, match="is there already"):
        write_people(data, people)


def test_rows_are_read_as_written(tmp_path: Path, videos: Path) -> None:
    data = index(tmp_path, videos, "a")
    find_faces_stage(data, workers=1, limit_s=None)
    import pyarrow as pa

    from emotrain.faces.records import FACES

    found = FaceStore(data / "faces").of("a")
    again = from_rows(pa.Table.from_pylist(face_rows(found.clip, found.sightings), schema=FACES))
    assert again == (found.clip, found.sightings)
