"""A new video is brought to what the adapter was trained on: aligned to its face, or refused for lack of one."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from clip_files import write_clip
from scenes import backdrop, frames_of, pasted, placed

from emotrain.clip_errors import ClipError
from emotrain.inference.predict import predict_all
from emotrain.inference.recogniser import Recogniser, load
from emotrain.records import Event


@pytest.fixture(scope="module")
def reader(trained) -> Recogniser:  # type: ignore[no-untyped-def]
    return load(trained.adapter, device="cpu")


def write(path: Path, frames: np.ndarray, fps: float = 30.0) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=round(fps))
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        stream.options = {"crf": "16", "preset": "veryfast"}
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def smile(events: tuple[Event, ...]) -> Event:
    return next(event for event in events if "12" in event.action_units)


def test_a_real_smile_is_told_as_one_wherever_the_face_lies(
    reader: Recogniser, real_faces: Path, tmp_path: Path
) -> None:
    frames = frames_of(real_faces / "single_face.mp4")
    scene = backdrop(1080, 1920)
    videos = [real_faces / "single_face.mp4"]
    for name, scale, roll in (("third", 1.0, 0.0), ("sixth, rolled", 0.5, 20.0)):
        maps = np.stack([placed(scale, roll, (640, 360), 1200, 500)] * len(frames))
        videos.append(write(tmp_path / f"{name}.mp4", pasted(frames, scene, maps)))
    for video in videos:
        reading = reader.predict(video)
        assert smile(reading.events).onset_s == pytest.approx(0.5, abs=0.15), video
        assert reading.face is not None
        assert (reading.face.faces, reading.face.read) == (1, "the face, aligned by the eyes as in training")
        assert reading.face.seen == pytest.approx(1.0, abs=0.02)


def test_an_aligned_crop_is_read_as_it_is(reader: Recogniser, trained) -> None:  # type: ignore[no-untyped-def]
    reading = reader.predict(trained.clip(0))
    assert reading.face is not None
    assert reading.face.read == "the frames as they are"


def test_a_video_without_a_face_is_refused_by_name_and_nothing_is_told_of_it(
    reader: Recogniser, real_faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = real_faces / "no_face.mp4"
    with pytest.raises(ClipError, match=r"no_face\.mp4: no face"):
        reader.predict(card)
    with pytest.raises(ClipError, match="1 of 1 clips"):
        predict_all(reader, [card], json=str(tmp_path / "out.jsonl"))
    (row,) = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert row == {"path": str(card), "error": row["error"]}
    assert "no face" in row["error"]
    assert "no_face.mp4" in capsys.readouterr().err


@pytest.mark.parametrize("first", ["face", "card"])
def test_nothing_is_told_of_the_part_without_a_face(
    reader: Recogniser, real_faces: Path, tmp_path: Path, first: str
) -> None:
    face = frames_of(real_faces / "single_face.mp4")
    card = np.stack([np.asarray(image[:360, :640]) for image in frames_of(real_faces / "no_face.mp4", 640)])
    card = np.pad(card, ((0, 0), (0, 360 - card.shape[1]), (0, 640 - card.shape[2]), (0, 0)))[:60]
    black = np.zeros((1, 360, 640, 3), np.uint8)
    parts = (face, black, card) if first == "face" else (card, black, face)
    video = write(tmp_path / "joined.mp4", np.concatenate(parts))
    reading = reader.predict(video)
    starts = 0.0 if first == "face" else 61 / 30
    assert all(starts - 0.05 <= e.onset_s and e.offset_s <= starts + len(face) / 30 + 0.05 for e in reading.events)
    smile(reading.events)
    text = " ".join(gap.text for gap in reading.gaps)
    assert text.count("cut to another shot") == 1, "the black frame is none"
    assert "face not seen" in text
    assert any(gap.seen_share is not None and gap.seen_share < 0.5 for gap in reading.gaps)


def test_one_of_several_people_can_be_asked_for(
    reader: Recogniser,
    real_faces: Path,
    trained,
    tmp_path: Path,  # type: ignore[no-untyped-def]
) -> None:
    real, drawn = frames_of(real_faces / "single_face.mp4"), frames_of(trained.clip(0), 256)
    count = min(len(real), len(drawn))
    scene = np.repeat(backdrop(480, 1100)[None], count, axis=0)
    scene[:, 60:420, 20:660] = real[:count]
    scene[:, 120:376, 800:1056] = drawn[:count]
    video = write(tmp_path / "two.mp4", scene)
    left, right = reader.with_face("left").predict(video), reader.with_face("2").predict(video)
    assert left.face is not None
    assert right.face is not None
    assert (left.face.faces, left.face.track, right.face.track) == (2, 1, 2)
    assert left.face.box[0] < 0.4 < 0.7 < right.face.box[0]
    everybody = reader.with_face("all").predict_people(video)
    assert [reading.face and reading.face.track for reading in everybody] == [1, 2]
    assert everybody[0].probabilities == pytest.approx(left.probabilities, abs=1e-4)
    with pytest.raises(ClipError, match="3"):
        reader.with_face("3").predict(video)


def test_a_clip_of_noise_is_refused(reader: Recogniser, tmp_path: Path) -> None:
    noise = [np.random.default_rng(i).integers(0, 255, (96, 128, 3), np.uint8) for i in range(20)]
    with pytest.raises(ClipError, match="no face"):
        reader.predict(write_clip(tmp_path / "noise.mp4", noise))
