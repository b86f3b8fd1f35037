"""The summarise stage on rendered clips: resumable, the same for any number of shards, found again by name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from emotrain.context.leakage import count_leaks
from emotrain.context.summarize import load_summaries, summaries_folder, summarize_clips
from emotrain.stages.parts import part_path
from emotrain.synthetic.clip_set import write_clip_set
from emotrain.video.extract import extract_frames


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clips")
    write_clip_set(root, label_set="dfew", train=0, validation=0, test=14, seed=5, workers=1)
    return root


@pytest.fixture(scope="module")
def framed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of six clips, two of each kind, with their frames."""
    data = tmp_path_factory.mktemp("data")
    clips = pq.read_table(source / "annotations.parquet").drop_columns(["events"])
    kinds = clips["kind"].to_pylist()
    clips = clips.take(
        [row for kind in ("micro", "macro", None) for row in [i for i, k in enumerate(kinds) if k == kind][:2]]
    )
    pq.write_table(clips.replace_schema_metadata({"root": str(source)}), data / "clips.parquet")
    extract_frames(data, keyframes=4, between=0, size=84, workers=1)
    return data


def prepare(framed: Path, data: Path) -> Path:
    return Path(shutil.copytree(framed, data))


def test_one_and_four_shards_give_the_same_summaries(framed: Path, tmp_path: Path) -> None:
    first, second = prepare(framed, tmp_path / "a"), prepare(framed, tmp_path / "b")
    summarize_clips(first, shards=1, workers=1)
    summarize_clips(second, shards=4, workers=2)
    one, four = load_summaries(first, "motion"), load_summaries(second, "motion")
    assert one == four
    assert summaries_folder(first, "motion").name == summaries_folder(second, "motion").name
    assert all([summary.gap for summary in summaries] == [0, 1, 2, 3, 4] for summaries in one.values())
    texts = [summary.text for summaries in one.values() for summary in summaries]
    assert any("(brief" in text for text in texts)
    assert any("(held" in text for text in texts)
    assert count_leaks(texts).total() == 0


def test_a_finished_part_is_kept_and_a_lost_one_is_made_again_equal(framed: Path, tmp_path: Path) -> None:
    data = prepare(framed, tmp_path / "a")
    summarize_clips(data, shards=2, workers=1)
    folder = summaries_folder(data, "motion")
    kept, lost = part_path(folder, 0, 2), part_path(folder, 1, 2)
    before, stamp = lost.read_bytes(), kept.stat().st_mtime_ns
    lost.unlink()
    summarize_clips(data, shards=2, workers=1)
    assert lost.read_bytes() == before
    assert kept.stat().st_mtime_ns == stamp


def test_other_settings_get_their_own_folder(framed: Path, tmp_path: Path) -> None:
    data = prepare(framed, tmp_path / "a")
    summarize_clips(data, shards=1, workers=1)
    summarize_clips(data, shards=1, workers=1, blinks=True)
    with pytest.raises(ValueError, match="2 folders of back end 'motion'"):
        load_summaries(data, "motion")
    for folder in (data / "summaries").iterdir():
        assert set(load_summaries(data, folder.name)) == set(
            pq.read_table(data / "clips.parquet")["clip_id"].to_pylist()
        )
    with pytest.raises(FileNotFoundError, match=r"no summaries 'vlm', found motion-.*run data_prep"):
        load_summaries(data, "vlm")


def test_a_damaged_video_is_quarantined_with_its_reason(framed: Path, tmp_path: Path) -> None:
    data = prepare(framed, tmp_path / "a")
    clips = pq.read_table(data / "clips.parquet")
    bad = clips["clip_id"][0].as_py()
    paths = ["videos/nowhere.mp4" if i == 0 else path for i, path in enumerate(clips["path"].to_pylist())]
    pq.write_table(clips.set_column(1, "path", [paths]).cast(clips.schema), data / "clips.parquet")
    report = summarize_clips(data, shards=1, workers=1, max_bad_share=0.2)
    assert report.quarantined.total() == 1
    assert "nowhere.mp4" in (summaries_folder(data, "motion") / "part-00000-of-00001.quarantine.jsonl").read_text()
    assert bad not in load_summaries(data, "motion")


def test_the_script_runs_one_shard(framed: Path, tmp_path: Path) -> None:
    data = prepare(framed, tmp_path / "a")
    script = Path(__file__).parents[2] / "data_prep" / "summarize_frames.py"
    command = [sys.executable, str(script), "--data", str(data), "--shard", "1/3", "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [part.name for part in summaries_folder(data, "motion").glob("*.parquet")] == ["part-00001-of-00003.parquet"]
    missing = subprocess.run([sys.executable, str(script), "--data", str(tmp_path)], capture_output=True, text=True)
    assert missing.returncode == 1
    assert "index_clips.py" in missing.stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--shards", "0", "--backend", "precomputed", "--path", "x.csv"], 1, "--shards 0: expected 1 or more"),
        (["--shard", "4/4"], 2, "--shard '4/4': expected I/N with 0 <= I < N"),
    ],
)
def test_the_script_refuses_a_wrong_number_in_a_line(tmp_path: Path, words: list[str], status: int, said: str) -> None:
    script = Path(__file__).parents[2] / "data_prep" / "summarize_frames.py"
    command = [sys.executable, str(script), "--data", str(tmp_path), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr
