"""Written sets: the same bytes for the same seed, resumed after a kill, refused when the arguments differ."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from emotrain.datasets.clips import read_index
from emotrain.datasets.index import index_clips
from emotrain.datasets.reading import LayoutError
from emotrain.records import CLIPS, Clip, from_table
from emotrain.synthetic.clip_plan import plan_clips
from emotrain.synthetic.clip_set import annotation_table, write_clip_set
from emotrain.synthetic.scene_plan import SceneSettings
from emotrain.synthetic.scene_set import read_scene_truth

SET = {"label_set": "dfew", "train": 14, "validation": 14, "test": 0, "seed": 3, "size": 64}


def _digests(root: Path) -> dict[str, str]:
    return {
        str(f.relative_to(root)): sha256(f.read_bytes()).hexdigest() for f in sorted(root.rglob("*")) if f.is_file()
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("set")
    write_clip_set(root, **SET, workers=1)  # type: ignore[arg-type]
    return root


def test_a_written_set_has_every_clip_its_truth_and_its_annotation(written: Path) -> None:
    table = pq.read_table(written / "annotations.parquet")
    assert table.column_names == [*CLIPS.names, "events"]
    assert table.schema.metadata[b"label_set"] == b"dfew"
    clips = from_table(table, Clip)
    assert len(clips) == 28
    for clip, events in zip(clips, table["events"].to_pylist()):
        with av.open(str(written / clip.path)) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.width, stream.average_rate) == ("h264", 64, 30)
            assert sum(1 for _ in container.decode(stream)) == clip.n_frames
        with np.load(written / "truth" / f"{clip.clip_id}.npz") as truth:
            assert truth["units"].shape == (clip.n_frames, 19)
            assert truth["pose"].shape == (clip.n_frames, 7)
            assert truth["events"].shape == (len(events), 3)
        assert len(events) == (clip.label != "neutral")
        if events:
            assert (events[0]["onset_s"], events[0]["offset_s"]) == (clip.onset_s, clip.offset_s)
            assert 1.0 < events[0]["strength"] < 60.0
            assert tuple(events[0]["action_units"]) == clip.action_units != ()


def test_a_write_that_was_killed_goes_on_and_ends_with_the_same_bytes(written: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    script = tmp_path / "write.py"
    script.write_text(
        "from pathlib import Path\n"
        "from emotrain.synthetic.clip_set import write_clip_set\n"
        "if __name__ == '__main__':\n"
        f"    write_clip_set(Path({str(root)!r}), **{SET!r}, workers=2)\n"
    )
    process = subprocess.Popen([sys.executable, str(script)])
    deadline = time.monotonic() + 30
    while len(list(root.glob("videos/*.mp4"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    # The workers end by themselves; they must not write on behind the back of the next run.
    time.sleep(1.0)
    finished = {path: path.stat().st_mtime_ns for path in root.glob("videos/*.mp4")}
    assert 5 <= len(finished) < 28
    assert not (root / "annotations.parquet").exists()
    write_clip_set(root, **SET, workers=1)  # type: ignore[arg-type]
    assert all(path.stat().st_mtime_ns == before for path, before in finished.items())
    digests = {name: digest for name, digest in _digests(root).items() if not name.endswith(".tmp")}
    assert digests == _digests(written)


def test_other_arguments_into_the_same_folder_are_an_error_that_says_so(written: Path) -> None:
    with pytest.raises(ValueError, match="written with seed 3, now 4"):
        write_clip_set(written, **{**SET, "seed": 4}, workers=1)  # type: ignore[arg-type]


def test_a_folder_with_foreign_clips_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    with pytest.raises(ValueError, match=r"no clip_set\.json"):
        write_clip_set(tmp_path, **SET, workers=1)  # type: ignore[arg-type]


def test_a_set_filmed_in_scenes_has_the_same_clips_and_the_truth_of_each(tmp_path: Path) -> None:
    scenes = SceneSettings(width=128, face=(0.2, 0.4), company=0.0)
    few = {**SET, "train": 0, "validation": 0, "test": 14}
    write_clip_set(tmp_path, **few, workers=1, scenes=scenes, aligned=False)  # type: ignore[arg-type]
    aligned = plan_clips(label_set_name="dfew", train=0, validation=0, test=14, seed=3)
    assert pq.read_table(tmp_path / "annotations.parquet").equals(annotation_table(aligned, "dfew"))
    index_clips("synthetic", tmp_path, tmp_path / "index")
    clips = read_index(tmp_path / "index").clips
    assert [clip.path for clip in clips] == [f"scenes/{clip.clip_id}.mp4" for clip in clips]
    for clip in clips:
        with av.open(str(tmp_path / clip.path)) as container:
            stream = container.streams.video[0]
            assert (stream.width, stream.height) == (128, 72)
            assert sum(1 for _ in container.decode(stream)) == clip.n_frames
        assert read_scene_truth(tmp_path, clip.clip_id).landmarks.shape == (clip.n_frames, 5, 2)
    with pytest.raises(ValueError, match=r"scene_set\.json: this set was written with width 128, now 256"):
        write_clip_set(
            tmp_path,
            **few,
            workers=1,
            scenes=replace(scenes, width=256),
            aligned=False,  # type: ignore[arg-type]
        )
    with pytest.raises(LayoutError, match="no folder"):
        index_clips("synthetic", tmp_path, tmp_path / "index", media="videos")
