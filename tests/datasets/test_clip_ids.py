"""The index is read lazily: shards, fingerprint and memory do not depend on how many rows it has."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from emotrain.atomic_files import write_table
from emotrain.datasets.clips import ClipIndex
from emotrain.records import Clip, to_table
from emotrain.stages.parts import shard_of


def write(path: Path, clips: list[Clip], **metadata: str) -> ClipIndex:
    write_table(to_table(clips, Clip, metadata), path)
    return ClipIndex(path)


CLIPS = [
    Clip(f"c{i}", f"videos/{i}.mp4", "joy", duration_s=None if i % 2 else i / 10, labels=("joy",)) for i in range(50)
]


def test_the_shards_hold_every_clip_once(tmp_path: Path) -> None:
    index = write(tmp_path / "clips.parquet", CLIPS)
    shards = [list(index.of_shard(shard, 4)) for shard in range(4)]
    assert [len(shard) for shard in shards] == index.shard_sizes(4)
    assert all(shard_of(clip.clip_id, 4) == number for number, shard in enumerate(shards) for clip in shard)
    assert sorted(clip.clip_id for shard in shards for clip in shard) == sorted(clip.clip_id for clip in CLIPS)
    assert index.label_counts([0, 2], 4) == {"joy": len(shards[0]) + len(shards[2])}
    assert list(index) == CLIPS
    assert len(index) == 50


def test_the_fingerprint_is_of_ids_and_paths_in_any_order(tmp_path: Path) -> None:
    first = write(tmp_path / "a.parquet", CLIPS).fingerprint()
    assert write(tmp_path / "b.parquet", CLIPS[::-1]).fingerprint() == first
    assert write(tmp_path / "c.parquet", CLIPS[1:]).fingerprint() != first
    moved = [Clip(clip.clip_id, "x" + clip.path, clip.label) for clip in CLIPS]
    assert write(tmp_path / "d.parquet", moved).fingerprint() != first


def test_what_times_hang_on_has_its_own_fingerprint(tmp_path: Path) -> None:
    clips = [Clip("a", "a.mp4", "x"), Clip("b", "folder", "x", fps=25.0, onset_s=0.1, apex_s=0.2, offset_s=0.3)]
    first = write(tmp_path / "a.parquet", clips)
    again = write(tmp_path / "b.parquet", clips[::-1])
    assert again.times_fingerprint() == first.times_fingerprint()
    for name, value in (("fps", 50.0), ("onset_s", None), ("apex_s", 0.21), ("offset_s", 0.4)):
        other = write(tmp_path / "c.parquet", [clips[0], replace(clips[1], **{name: value})])
        assert other.times_fingerprint() != first.times_fingerprint(), name
        assert other.fingerprint() == first.fingerprint()
    probed = write(tmp_path / "d.parquet", [replace(clips[0], fps=30.0), clips[1]])
    assert probed.times_fingerprint() == first.times_fingerprint(), "a video has its own time stamps"


def test_known_durations_are_listed_and_one_that_is_none_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    index = write(tmp_path / "a.parquet", CLIPS)
    assert index.durations_s().tolist() == [i / 10 for i in range(2, 50, 2)]
    assert "a.parquet: 1 clips have no duration above 0 s and are left out of P(miss), first 'c0' with 0.0 s" in (
        caplog.text
    )


def test_a_root_is_taken_from_the_metadata(tmp_path: Path) -> None:
    assert write(tmp_path / "a.parquet", CLIPS, root="/videos").root == Path("/videos")
    assert write(tmp_path / "a.parquet", CLIPS, root="videos").root == tmp_path / "videos"
    with pytest.raises(ValueError, match="the schema metadata lacks root"):
        _ = write(tmp_path / "a.parquet", CLIPS).root


def test_a_missing_file_a_missing_column_and_a_doubled_id_are_explained(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="index_clips"):
        ClipIndex(tmp_path / "none.parquet")
    write_table(pa.table({"clip_id": ["a"], "label": ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="no column path"):
        ClipIndex(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="more than once: c3"):
        _ = write(tmp_path / "b.parquet", [*CLIPS, CLIPS[3]]).ids


def test_memory_is_flat_from_a_thousand_to_a_hundred_thousand_rows(tmp_path: Path) -> None:
    """The same 250 clips' worth of a stage, once out of 1,000 rows and once out of 100,000."""
    script = (
        "import re, sys; from pathlib import Path\n"
        "from emotrain.datasets.clips import ClipIndex; from emotrain.stages.stage import run_stage\n"
        "from stage_work import two_rows, SCHEMA\n"
        "index = ClipIndex(Path(sys.argv[1])); index.fingerprint()\n"
        "run_stage('s', index, two_rows, SCHEMA, Path(sys.argv[2]), only=(0, int(sys.argv[3])), workers=1)\n"
        # Not ru_maxrss, which a child inherits from the process it was forked from.
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]) / 1024)\n"
    )
    peaks = {}
    for rows in (1_000, 100_000):
        table = pa.table(
            {
                "clip_id": [f"clip-{i:07d}" for i in range(rows)],
                "path": [f"videos/some/folder/{i:07d}.mp4" for i in range(rows)],
                "label": ["joy"] * rows,
            }
        )
        write_table(table, tmp_path / f"{rows}.parquet")
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                script,
                str(tmp_path / f"{rows}.parquet"),
                str(tmp_path / f"out{rows}"),
                str(rows // 250),
            ],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parent,
            env={"PYTHONPATH": os.environ["PYTHONPATH"]},
        )
        assert done.returncode == 0, done.stderr
        peaks[rows] = float(done.stdout)
    assert peaks[100_000] - peaks[1_000] < 20, f"peak memory in MiB: {peaks}"
