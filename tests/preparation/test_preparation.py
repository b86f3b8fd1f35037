"""`emotrain prep` reaches everything that the preparation scripts reach, and each key changes what is prepared."""

from __future__ import annotations

import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from emotrain.atomic_files import _sweep_once, temporary_name
from emotrain.damaged_files import DamagedFile
from emotrain.datasets.clips import CLIPS_FILE, read_index
from emotrain.digests import list_beside
from emotrain.preparation.prepare import prepare
from emotrain.recipe.recipe import Recipe, RecipeError, parse_recipe
from emotrain.video.frame_store import FrameStore


def video(path: Path, frames: int = 12) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        for i in range(frames):
            picture = np.full((32, 64, 3), 20 * i % 255, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty videos of two classes in a CSV, the first frames of one in a folder, and another annotation."""
    root = tmp_path_factory.mktemp("own")
    video(root / "v" / "0.mp4")
    for i in range(1, 20):
        (root / "v" / f"{i}.mp4").write_bytes((root / "v" / "0.mp4").read_bytes())
    (root / "v" / "folder").mkdir()
    for i in range(8):
        Image.new("RGB", (64, 32), (30 * i, 0, 0)).save(root / "v" / "folder" / f"{i}.png")
    lines = ["path,label", *(f"v/{i}.mp4,{('anger', 'fear')[i % 2]}" for i in range(20)), "v/folder,fear"]
    (root / "clips.csv").write_text("\n".join(lines))
    (root / "few.csv").write_text("\n".join(lines[:13]))
    return root


def recipe(own: Path, data: Path, **values: Any) -> Recipe:
    given = {"model_name_or_path": "tiny", "use_cpu": True, "dataset": "csv", "root": str(own), "context": "none"}
    given |= {"label_set": "dfew", "fold": 1, "data": str(data), "output_dir": str(data), "prep_shards": 1}
    return parse_recipe({**given, "keyframes": 3, "frame_size": 32, **values})


def prepared(own: Path, data: Path, stage: str, **values: Any) -> Any:
    prepare(recipe(own, data, **values), workers=1, max_bad_share=0.0, stage=stage)
    if stage == "index":
        index = read_index(data)
        splits = [len(index.select("train", 1)), len(index.select("validation", 1))]
        return [(c.clip_id, c.label, c.fps, c.n_frames, c.test_fold) for c in index], splits
    frames = FrameStore(data / "frames").frames("v/0.mp4")
    sizes = [Image.open(io.BytesIO(frame.image)).size for frame in frames]
    return [(f.index, f.role, size, len(f.image)) for f, size in zip(frames, sizes)]


@pytest.mark.parametrize(
    "change",
    [
        {"annotation": "few.csv"},
        {"assume_fps": 50.0},
        {"probe": True},
        {"validation_share": 0.4},
        {"index_seed": 3},
        {"long_tail": 20.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_index_key_changes_the_index(own: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    assert prepared(own, tmp_path / "a", "index") != prepared(own, tmp_path / "b", "index", **change)


@pytest.mark.parametrize(
    "change",
    [
        {"crop": "centre"},
        {"between": 2},
        {"between": -1},
        {"frame_size": 48},
        {"frame_quality": 20},
        {"keyframe_policy": "endpoints"},
        {"keyframe_policy": "motion"},
    ],
    ids=lambda change: f"{next(iter(change))}={next(iter(change.values()))}",
)
def test_every_frame_key_changes_the_frames(own: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    for name, values in (("a", {}), ("b", change)):
        prepare(recipe(own, tmp_path / name, **values), workers=1, stage="index")
    assert prepared(own, tmp_path / "a", "frames") != prepared(own, tmp_path / "b", "frames", **change)


def test_the_seed_of_stratified_keyframes_changes_them(own: Path, tmp_path: Path) -> None:
    found = []
    for seed in (0, 1):
        values = {"keyframe_policy": "stratified", "frame_seed": seed}
        prepare(recipe(own, tmp_path / str(seed), **values), workers=1, stage="index")
        found.append([row[0] for row in prepared(own, tmp_path / str(seed), "frames", **values)])
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"crop": "center"}, "did you mean 'centre'"),
        ({"frame_seed": 1}, "ignored with keyframe_policy: segment_centres"),
        ({"keyframe_policy": "endpoint"}, "did you mean 'endpoints'"),
        ({"frame_quality": 0}, "quality: expected 1 to 100"),
    ],
)
def test_a_wrong_key_stops_before_any_work(own: Path, tmp_path: Path, change: dict[str, Any], hint: str) -> None:
    with pytest.raises(RecipeError, match=hint):
        recipe(own, tmp_path, **change)


def test_an_option_that_the_data_set_does_not_have_is_named(own: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="data set 'csv' has no option --media; it knows --annotation, --label-set"):
        prepare(recipe(own, tmp_path, media="v"), workers=1)


def test_media_and_the_task_of_mafw_reach_its_reader(tmp_path: Path) -> None:
    root = tmp_path / "mafw"
    for task, labels in (("single", ["anger", "fear"]), ("compound", ["anger_disgust", "fear"])):
        for part, first in (("train", 0), ("test", 20)):
            lines = [f"{n:05d}.mp4 {labels[n % 2]}" for n in range(first, first + 20)]
            told = [f"{n:05d}.mp4\t{labels[n % 2]}\t皱眉\tfrowns" for n in range(first, first + 20)]
            for kind, text in (("no_caption", lines), ("with_caption", told)):
                file = root / "Train & Test Set" / task / kind / "set_1" / f"{part}.txt"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("\n".join(text), encoding="gb18030")
    for folder in ("data/clips", "data/other"):
        (root / folder).mkdir(parents=True)
        for n in range(40):
            (root / folder / f"{n:05d}.mp4").write_bytes(b"x")
    found = {}
    for name, change in (
        ("plain", {}),
        ("a", {"media": "data/other"}),
        ("b", {"labels": "compound"}),
        ("c", {"caption": "en"}),
    ):
        values = {"dataset": "mafw", "label_set": "mafw", **change}
        prepare(recipe(root, tmp_path / name, **values), workers=1, stage="index")
        found[name] = read_index(tmp_path / name).clips[0]
    assert (found["plain"].path, found["a"].path) == ("data/clips/00000.mp4", "data/other/00000.mp4")
    assert (found["plain"].label, found["b"].label) == ("anger", "anger_disgust")
    assert (found["plain"].caption, found["c"].caption) == (None, "frowns")


def test_a_fold_that_is_missing_or_unknown_is_said_before_frames_are_made(own: Path, tmp_path: Path) -> None:
    for fold, said in (
        (None, r"fold: null, .* name a fold, one of 1\.\.5"),
        (9, r"fold 9: not in this index, .* 1\.\.5"),
    ):
        with pytest.raises(ValueError, match=said):
            prepare(recipe(own, tmp_path / "data", fold=fold))
        assert not (tmp_path / "data" / "frames").exists()


def test_an_index_made_with_other_options_is_refused(own: Path, tmp_path: Path) -> None:
    prepare(recipe(own, tmp_path), workers=1, stage="index")
    for change, said in (
        ({"annotation": "few.csv"}, "annotation None there, 'few.csv'"),
        ({"index_seed": 1}, "index_seed"),
    ):
        with pytest.raises(ValueError, match=said):
            prepare(recipe(own, tmp_path, **change), workers=1, stage="frames")


def test_an_index_that_a_kill_left_without_its_list_is_vouched_for_and_nothing_is_left_over(
    own: Path, tmp_path: Path
) -> None:
    prepared(own, tmp_path, "index")
    vouched = list_beside(tmp_path / CLIPS_FILE)
    content = vouched.read_bytes()
    vouched.unlink()
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = re.sub(r"-\d+-", f"-{gone.pid}-", temporary_name(vouched).name)
    (tmp_path / left).write_bytes(content[:20])
    _sweep_once.cache_clear()  # as in the process that comes next
    prepared(own, tmp_path, "index")
    assert vouched.read_bytes() == content
    assert not (tmp_path / left).exists()
    vouched.unlink()
    (tmp_path / CLIPS_FILE).write_bytes((tmp_path / CLIPS_FILE).read_bytes()[:-40])
    with pytest.raises(DamagedFile, match=CLIPS_FILE):
        prepared(own, tmp_path, "index")
    assert not vouched.exists()


def test_damage_is_told_where_the_user_looks(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    root = tmp_path / "torn"
    shutil.copytree(own, root)
    (root / "v" / "folder" / "3.png").write_bytes(b"no image")
    prepare(recipe(root, tmp_path / "data"), workers=1, stage="index")
    prepare(recipe(root, tmp_path / "data"), workers=1, stage="frames")
    assert "1 of those done are damaged and kept in part" in capsys.readouterr().err
    assert json.loads((tmp_path / "data" / "frames" / "report.json").read_text())["damaged"] == {"fear": 1}


def test_ones_own_classes_are_listed_in_the_recipe_and_prepared_to_the_end(own: Path, tmp_path: Path) -> None:
    from emotrain.examples.manifests import train_counts

    lines = ["path,label", *(f"v/{i}.mp4,{('calm', 'Angry')[i % 2]}" for i in range(20))]
    (own / "mine.csv").write_text("\n".join(lines))
    given = recipe(own, tmp_path / "data", annotation="mine.csv", label_set="anger, calm", sampling="class_balanced")
    prepare(given, workers=1, max_bad_share=0.0)
    assert list((tmp_path / "data" / "manifests").glob("*.parquet"))
    assert set(train_counts(given)) == {"anger", "calm"}
    prepare(recipe(own, tmp_path / "data", annotation="mine.csv", label_set="calm, anger"), workers=1)
    with pytest.raises(ValueError, match=r"label_set 'anger, calm' there, 'anger, calm, sadness' in the recipe"):
        prepare(recipe(own, tmp_path / "data", annotation="mine.csv", label_set="calm, anger, sad"), workers=1)
    with pytest.raises(RecipeError, match="two or more different labels"):
        recipe(own, tmp_path / "data", label_set="angry, anger")
