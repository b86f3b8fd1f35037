"""The frames stage: what it stores, what it refuses, and that it finds what it stored again."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from clip_files import numbered, read_number, write_clip
from PIL import Image

from emotrain.atomic_files import write_table
from emotrain.datasets.clips import ClipIndex
from emotrain.faces.framing import framing_of
from emotrain.records import Clip, Frame, to_table
from emotrain.stages.parts import part_path, read_parts
from emotrain.stages.quarantine import damage_path, read_records
from emotrain.stages.report import StageReport, TooManyBadClips
from emotrain.video.extract import FrameSettings, extract_frames, frame_rows
from emotrain.video.frame_settings import claim
from emotrain.video.frame_store import FrameStore
from emotrain.video.framing import fixed
from emotrain.video.keyframes import between_keyframes, choose_keyframes
from emotrain.video.miss import p_miss
from emotrain.video.reader import ClipReader

LENGTHS = {"a": 30, "b": 60, "short": 3, "single": 1}


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for name, frames in LENGTHS.items():
        write_clip(folder / f"{name}.mp4", frames)
    (folder / "empty.mp4").write_bytes(b"")
    return folder


def index(data: Path, videos: Path, *extra: Clip) -> Path:
    clips = [Clip(name, f"{name}.mp4", "anger", duration_s=frames / 25) for name, frames in LENGTHS.items()]
    write_table(to_table([*clips, *extra], Clip, {"root": str(videos)}), data / "clips.parquet")
    return data


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory, videos: Path) -> Path:
    """Two parts with four good clips and two bad ones, made by two workers."""
    bad = [Clip("empty", "empty.mp4", "fear"), Clip("outside", "../empty.mp4", "fear")]
    data = index(tmp_path_factory.mktemp("data"), videos, *bad)
    report = extract_frames(data, keyframes=4, between=2, size=64, shards=2, workers=2, max_bad_share=0.5)
    assert report.done == {"anger": 4}
    assert report.quarantined == {"fear": 2}
    return data


def numbers(frames: list[Frame]) -> list[int]:
    return [read_number(np.asarray(Image.open(io.BytesIO(frame.image)))) for frame in frames]


def test_stored_frames_are_the_chosen_ones_at_their_times(extracted: Path) -> None:
    store = FrameStore(extracted / "frames")
    for name in ("a", "b"):
        times = np.arange(LENGTHS[name]) / 25
        keys = choose_keyframes("segment_centres", times, 4, duration_s=LENGTHS[name] / 25)
        keyframes = store.keyframes(name)
        assert [frame.index for frame in keyframes] == keys.tolist() == numbers(keyframes)
        assert [frame.time_s for frame in keyframes] == pytest.approx(times[keys].tolist())
        for gap, inner in enumerate(between_keyframes(times, keys, 2)):
            stored = store.between(name).get(gap, [])
            assert [frame.index for frame in stored] == inner.tolist() == numbers(stored)
        everything = store.frames(name)
        assert [frame.index for frame in everything] == sorted(frame.index for frame in everything)


def test_a_clip_with_few_frames_gives_each_of_them_once(extracted: Path) -> None:
    store = FrameStore(extracted / "frames")
    for name in ("short", "single"):
        assert [frame.index for frame in store.keyframes(name)] == list(range(LENGTHS[name]))
        assert store.between(name) == {}


def test_parts_load_with_the_datasets_library_as_images(extracted: Path, tmp_path: Path) -> None:
    import datasets

    files = sorted(str(part) for part in (extracted / "frames").glob("*.parquet"))
    table = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path))
    assert isinstance(table.features["image"], datasets.Image)
    assert table[0]["image"].size == (64, 64)
    assert set(table["role"]) == {"keyframe", "between"}


def test_the_rows_of_a_clip_are_together_and_in_time_order(extracted: Path) -> None:
    table = read_parts(extracted / "frames")
    ids, times = table["clip_id"].to_pylist(), table["time_s"].to_pylist()
    changes = [i for i in range(1, len(ids)) if ids[i] != ids[i - 1]]
    assert len(changes) + 1 == len(set(ids))
    assert all(times[i] > times[i - 1] for i in range(1, len(ids)) if i not in changes)


def test_the_store_says_why_a_clip_has_no_frames(extracted: Path) -> None:
    store = FrameStore(extracted / "frames")
    with pytest.raises(KeyError, match=r"quarantined in .*the file is empty"):
        store.frames("empty")
    with pytest.raises(KeyError, match="leaves the data root"):
        store.keyframes("outside")
    with pytest.raises(KeyError, match="was not quarantined"):
        store.between("nobody")
    with pytest.raises(FileNotFoundError, match="extract_frames"):
        FrameStore(extracted)
    assert "a" in store
    assert "empty" not in store
    assert sorted(store.clip_ids()) == sorted(LENGTHS)


def test_a_store_travels_to_another_process_as_a_path(extracted: Path) -> None:
    store = FrameStore(extracted / "frames")
    store.frames("a")
    sent = pickle.dumps(store)
    assert len(sent) < 1000
    assert pickle.loads(sent).keyframes("a") == store.keyframes("a")  # noqa: S301


def test_finished_parts_are_kept_and_other_settings_refused(extracted: Path, videos: Path) -> None:
    options = {"keyframes": 4, "between": 2, "size": 64, "shards": 2, "max_bad_share": 0.5}
    parts = sorted((extracted / "frames").glob("*.parquet"))
    before = [part.stat().st_mtime_ns for part in parts]
    extract_frames(extracted, **options)
    assert [part.stat().st_mtime_ns for part in parts] == before
    with pytest.raises(ValueError, match="keyframes 4 there, 5 now"):
        extract_frames(extracted, **{**options, "keyframes": 5})


def test_frames_of_another_list_of_clips_are_refused(tmp_path: Path, videos: Path) -> None:
    extract_frames(index(tmp_path, videos), size=32, shards=1, workers=1, limit_s=None)
    index(tmp_path, videos, Clip("new", "a.mp4", "anger"))
    with pytest.raises(ValueError, match="another list of clips"):
        extract_frames(tmp_path, size=32, shards=1, workers=1, limit_s=None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fps": 50.0}, "other frame rates"),
        ({"onset_s": 0.02}, "other annotated onsets"),
        ({"root": "elsewhere"}, r"were taken from \., the clips of the index lie in elsewhere; delete .*or correct"),
    ],
)
def test_frames_of_other_times_or_another_root_are_refused(tmp_path: Path, change: dict, said: str) -> None:
    for folder in ("sub01", "elsewhere/sub01"):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(8):
            Image.fromarray(numbered(number)).save(tmp_path / folder / f"img{number}.png")

    def extract(**values: object) -> None:
        root = values.pop("root", ".")
        clip = Clip("me", "sub01", "disgust", **{"fps": 25.0, "onset_s": 0.01, **values})
        write_table(to_table([clip], Clip, {"root": root}), tmp_path / "clips.parquet")
        extract_frames(tmp_path, size=32, shards=1, workers=1, limit_s=None)

    extract()
    extract()
    with pytest.raises(ValueError, match=said):
        extract(**change)


def test_frames_that_do_not_say_what_they_hang_on_are_refused_in_words(tmp_path: Path, videos: Path) -> None:
    extract_frames(index(tmp_path, videos), size=32, shards=1, workers=1, limit_s=None)
    header = tmp_path / "frames" / "frames.json"
    found = json.loads(header.read_text())
    header.write_text(json.dumps({key: found[key] for key in found if key not in ("times_fingerprint", "root")}))
    with pytest.raises(ValueError, match=r"another version of emotrain, without times_fingerprint, root, .*delete"):
        extract_frames(tmp_path, size=32, shards=1, workers=1, limit_s=None)


@pytest.mark.parametrize("change", [{"p_miss": None}, {"clips": 7}, {"fingerprint": "0"}, {"xclips": 4}])
def test_what_frames_say_of_themselves_is_written_again_where_it_was_changed(
    extracted: Path, change: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    header = extracted / "frames" / "frames.json"
    was = header.read_bytes()
    found = json.loads(was)
    header.write_text(json.dumps(found | change))
    settings = FrameSettings(**found["settings"])
    claim(header.parent, settings, ClipIndex(extracted / "clips.parquet"), fixed("none"))
    assert header.read_bytes() == was
    assert f"frames.json: {next(iter(change))} not as it was written" in capsys.readouterr().err


def test_the_miss_probability_is_that_of_the_indexed_durations(extracted: Path) -> None:
    found = json.loads((extracted / "frames" / "frames.json").read_text())["p_miss"]
    lengths = [frames / 25 for frames in LENGTHS.values()]
    assert found["0.25"] == pytest.approx(np.mean([p_miss("segment_centres", s, 0.25, 4) for s in lengths]), abs=1e-4)
    assert list(found) == ["0.1", "0.25", "0.5"]


def test_too_many_bad_clips_stop_the_run_after_everything_is_written(tmp_path: Path, videos: Path) -> None:
    data = index(tmp_path, videos, Clip("empty", "empty.mp4", "fear"))
    with pytest.raises(TooManyBadClips, match="1 of 5 clips are unusable"):
        extract_frames(data, size=32, shards=1, workers=1, limit_s=None)
    assert len(FrameStore(data / "frames").keyframes("b")) == 8


def test_native_size_centre_crop_and_all_frames_between(tmp_path: Path) -> None:
    write_clip(tmp_path / "wide.mp4", [numbered(i, 64, 128) for i in range(20)])
    write_table(to_table([Clip("wide", "wide.mp4", "x")], Clip, {"root": "."}), tmp_path / "clips.parquet")
    extract_frames(tmp_path, size=None, crop="centre", between=None, keyframes=3, shards=1, workers=1, limit_s=None)
    frames = FrameStore(tmp_path / "frames").frames("wide")
    assert [frame.index for frame in frames] == list(range(20))
    assert {Image.open(io.BytesIO(frame.image)).size for frame in frames} == {(64, 64)}


def test_a_frame_folder_is_timed_by_the_rate_in_the_index(tmp_path: Path) -> None:
    (tmp_path / "sub01").mkdir()
    for number in range(46, 56):
        Image.fromarray(numbered(number)).save(tmp_path / "sub01" / f"img{number}.png")
    clip = Clip("me", "sub01", "disgust", fps=200, onset_s=0.01, apex_s=0.02, offset_s=0.04)
    write_table(to_table([clip], Clip, {"root": "."}), tmp_path / "clips.parquet")
    extract_frames(
        tmp_path, policy="onset_apex_offset", keyframes=3, between=0, shards=1, workers=1, limit_s=None, size=64
    )
    keyframes = FrameStore(tmp_path / "frames").keyframes("me")
    assert [frame.time_s for frame in keyframes] == pytest.approx([0.01, 0.02, 0.04])
    assert numbers(keyframes) == [48, 50, 54]


def test_annotated_boxes_are_cut_out_and_a_clip_without_one_is_quarantined(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_clip(tmp_path / f"{name}.mp4", [numbered(128 + i, 64, 128) for i in range(10)])
    clips = [Clip(name, f"{name}.mp4", "x") for name in ("a", "b", "c")]
    write_table(to_table(clips, Clip, {"root": "."}), tmp_path / "clips.parquet")
    boxes = {"clip_id": ["b", "a"], "left": [0.9, 0.875], "top": [0.0, 0.0], "right": [0.5, 1.0], "bottom": [1.0, 0.5]}
    write_table(pa.table(boxes), tmp_path / "boxes.parquet")
    options = {
        "size": 32,
        "crop": "box-from-annotation",
        "shards": 1,
        "workers": 1,
        "limit_s": None,
        "max_bad_share": 1,
    }

    def framed(**options: Any) -> StageReport:
        return extract_frames(tmp_path, framing=framing_of(tmp_path, "box-from-annotation"), **options)

    assert framed(**options).quarantined == {"x": 2}
    store = FrameStore(tmp_path / "frames")
    image = np.asarray(Image.open(io.BytesIO(store.keyframes("a")[0].image)))
    assert image.shape == (32, 16, 3)
    assert image.mean() > 235, "the box holds the block of bit 7, which is set in every frame"
    for name, reason in (("b", "is not one"), ("c", "no face box for this clip")):
        with pytest.raises(KeyError, match=reason):
            store.frames(name)
    write_table(pa.table({**boxes, "left": [0.1, 0.1]}), tmp_path / "boxes.parquet")
    with pytest.raises(ValueError, match="face boxes have changed"):
        framed(**options)
    (tmp_path / "boxes.parquet").unlink()
    with pytest.raises(FileNotFoundError, match=r"boxes\.parquet does not exist"):
        framed(**options)


@pytest.mark.parametrize("policy", ["endpoints", "fps:10", "stratified", "motion", "onset_apex_offset"])
def test_every_policy_extracts(clip_30: Path, policy: str) -> None:
    from emotrain.video.decode import open_clip

    clip = Clip("c", "c.mp4", "x", onset_s=0.2, apex_s=0.4, offset_s=0.8)
    settings = FrameSettings(policy=policy, keyframes=5, between=1, size=64)
    with open_clip(clip_30) as reader:
        rows = frame_rows(reader, clip, settings)
    keys = [row["index"] for row in rows if row["role"] == "keyframe"]
    assert len(keys) == (12 if policy == "fps:10" else 5)
    assert [read_number(np.asarray(Image.open(io.BytesIO(row["image"]["bytes"])))) for row in rows] == [
        row["index"] for row in rows
    ]
    assert all((row["gap"] is None) == (row["role"] == "keyframe") for row in rows)
    if policy == "onset_apex_offset":
        assert {5, 10, 20} <= set(keys)


def test_frames_that_nobody_asked_for_are_left_out_and_the_others_are_the_same(
    odd: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from emotrain.video.decode import open_clip
    from emotrain.video.decoders.pyav import PyavReader

    with open_clip(odd["b_frames"]) as reader:
        full = reader.frames([0, 4, 11], 64)
    monkeypatch.setattr(PyavReader, "_decode", lambda self: pytest.fail("a full pass was made"))
    with open_clip(odd["b_frames"]) as reader:
        found, few = reader.encoded(lambda times_s: np.asarray([0, 4, 11]), 64, np.copy)
        assert found.tolist() == [0, 4, 11]
        assert np.array_equal(full, few)
        assert len(reader.times_s) == 48


def test_leaving_frames_out_decodes_fewer(odd: dict[str, Path]) -> None:
    import av

    from emotrain.video.decoders.skipping import only

    class Counted:
        """A stream whose codec counts the frames it gives."""

        def __init__(self, stream: av.VideoStream) -> None:
            self.stream, self.codec_context, self.given = stream, self, 0

        def __getattr__(self, name: str) -> object:
            return getattr(self.stream, name)

        def __setattr__(self, name: str, value: object) -> None:
            if name == "skip_frame":
                self.stream.codec_context.skip_frame = value
            else:
                super().__setattr__(name, value)

        def decode(self, packet: av.Packet) -> list[av.VideoFrame]:
            frames = self.stream.codec_context.decode(packet)
            self.given += len(frames)
            return frames

    with av.open(str(odd["b_frames"])) as container:
        stream = Counted(container.streams.video[0])
        packets = [packet for packet in container.demux(video=0) if packet.size]
        wanted = frozenset(sorted(packet.pts for packet in packets)[::12])
        assert {frame.pts for frame in only(stream, packets, wanted)} == wanted
        assert len(wanted) <= stream.given < 0.75 * len(packets)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("truncated", "14 of 30 frames could be decoded, the file ends 0.60 s early"),
        ("garbage", "29 of 30 frames could be decoded"),
        ("no_first_keyframe", "20 of 29 frames could be decoded"),
        ("edit_list", None),
        ("vp9", None),
        ("b_frames", None),
    ],
)
def test_what_a_damaged_clip_lost_is_said_clip_by_clip_and_in_the_report(
    odd: dict[str, Path], tmp_path: Path, name: str, said: str | None
) -> None:
    clips = [Clip("torn", odd[name].name, "fear"), Clip("whole", odd["one_frame"].name, "joy")]
    write_table(to_table(clips, Clip, {"root": str(odd[name].parent)}), tmp_path / "clips.parquet")
    report = extract_frames(tmp_path, keyframes=2, between=1, size=32, shards=1, workers=1, limit_s=None)
    assert report.done == {"fear": 1, "joy": 1}
    assert FrameStore(tmp_path / "frames").keyframes("torn")
    notes = read_records(damage_path(part_path(tmp_path / "frames", 0, 1)))
    assert report.damaged == ({} if said is None else {"fear": 1})
    assert ("damaged" in report.in_words()) == (said is not None)
    if said is None:
        assert notes == []
    else:
        assert [note["clip_id"] for note in notes] == ["torn"]
        assert notes[0]["reason"].startswith(said)


def test_images_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    from emotrain.video.decode import open_clip

    (tmp_path / "folder").mkdir()
    for number in range(6):
        Image.fromarray(numbered(number)).save(tmp_path / "folder" / f"{number}.png")
    (tmp_path / "folder" / "3.png").write_bytes(b"torn")
    with open_clip(tmp_path / "folder") as clip:
        assert clip.n_frames == 5
        assert clip.damage == "5 of 6 images could be read"


def test_raw_frames_are_never_held_together(clip_30: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from emotrain.video import reader as module
    from emotrain.video.decode import open_clip

    monkeypatch.setattr(module, "_stack", lambda images, path: pytest.fail("a stack of raw frames was made"))
    with open_clip(clip_30) as reader:
        assert isinstance(reader, ClipReader)
        assert len(frame_rows(reader, Clip("c", "c.mp4", "x"), FrameSettings(between=None))) == 30


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"policy": "endpoint"}, "did you mean 'endpoints'"),
        ({"decoder": "pyva"}, "did you mean 'pyav'"),
        ({"crop": "center"}, "did you mean 'centre'"),
        ({"keyframes": 0}, "keyframes: expected 1"),
        ({"between": -1}, "between: expected 0"),
        ({"quality": 101}, "quality: expected 1 to 100"),
    ],
)
def test_a_wrong_setting_is_refused_before_any_work(tmp_path: Path, change: dict, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        extract_frames(tmp_path, **change)


def test_the_fingerprint_changes_with_every_setting() -> None:
    changes = {
        "policy": "endpoints", "keyframes": 9, "between": None, "size": None,
        "quality": 90, "decoder": "pyav", "crop": "centre", "seed": 1,
    }  # fmt: skip
    prints = {FrameSettings(**{name: value}).fingerprint() for name, value in changes.items()}
    assert len(prints | {FrameSettings().fingerprint()}) == len(changes) + 1


def test_the_script_extracts_one_shard_and_reports(tmp_path: Path, videos: Path) -> None:
    index(tmp_path, videos)
    script = Path(__file__).parents[2] / "data_prep" / "extract_frames.py"
    command = [
        sys.executable,
        str(script),
        "--data",
        str(tmp_path),
        "--workers",
        "1",
        "--size",
        "32",
        "--between",
        "all",
    ]
    done = subprocess.run([*command, "--shard", "1/2"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "quarantined" in done.stdout
    assert "P(miss) of the keyframes alone, by length of the event: 0." in done.stdout
    assert [part.name for part in (tmp_path / "frames").glob("*.parquet")] == ["part-00001-of-00002.parquet"]
    assert json.loads((tmp_path / "frames" / "frames.json").read_text())["settings"]["between"] is None
    failed = subprocess.run([*command, "--policy", "endpoint"], capture_output=True, text=True)
    assert failed.returncode == 1
    assert "did you mean 'endpoints'" in failed.stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--shard", "4/4"], 2, "--shard '4/4': expected I/N with 0 <= I < N, for example 0/4"),
        (["--shards", "0"], 1, "--shards 0: expected 1 or more"),
        (["--shards", "-2"], 1, "--shards -2: expected 1 or more"),
        (["--limit-s", "-3"], 1, "--limit-s -3.0: expected seconds above 0"),
        (["--max-bad-share", "5"], 1, "--max-bad-share 5.0: expected a share from 0 to 1"),
        ([], 1, "/frames: File exists; a file lies there where a folder is expected; move it away"),
    ],
)
def test_a_wrong_number_or_place_is_said_in_a_line(
    tmp_path: Path, videos: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    index(tmp_path, videos)
    if not words:
        (tmp_path / "frames").write_text("a file")
    sys.path.insert(0, str(Path(__file__).parents[2] / "data_prep"))
    from extract_frames import main

    try:
        ended = main(["--data", str(tmp_path), "--size", "32", "--workers", "1", *words])
    except SystemExit as stop:
        ended = stop.code
    assert ended == status
    assert said in capsys.readouterr().err
    assert not list((tmp_path).glob("frames/*.parquet"))
