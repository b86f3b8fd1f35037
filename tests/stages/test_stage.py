"""A stage gives the same files for any number of workers, survives being killed, and counts what it could not use."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from stage_work import SCHEMA, half_lost, some_clips, troubled, two_rows

from emotrain.atomic_files import replacing, write_table
from emotrain.datasets.clips import ClipIndex
from emotrain.records import Clip, to_table
from emotrain.stages.parts import finished_parts, parse_shard, part_path, read_parts, shard_of
from emotrain.stages.quarantine import damage_path, quarantine_path, read_records
from emotrain.stages.report import TooManyBadClips
from emotrain.stages.stage import run_stage


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.name != "report.json"}


def test_a_clip_belongs_to_the_same_shard_for_ever() -> None:
    assert [shard_of(name, 64) for name in ("clip0", "clip1", "表情")] == SHARDS_OF_64
    spread = Counter(shard_of(f"c{i}", 8) for i in range(8000))
    assert min(spread.values()) > 850


SHARDS_OF_64 = [1, 29, 61]


def test_output_is_identical_for_any_number_of_workers_and_any_reading_of_the_index(tmp_path: Path) -> None:
    clips = some_clips(40)
    write_table(to_table(clips, Clip, {"root": "."}), tmp_path / "clips.parquet")
    index = ClipIndex(tmp_path / "clips.parquet")
    for name, source, workers in (("one", clips, 1), ("three", clips, 3), ("lazy", index, 2)):
        report = run_stage("s", source, two_rows, SCHEMA, tmp_path / name, shards=3, workers=workers, max_bad_share=1)
        assert report.done == {"good": 30}
        assert report.quarantined == {"bad": 10}
    assert contents(tmp_path / "one") == contents(tmp_path / "three") == contents(tmp_path / "lazy")
    assert sorted(set(read_parts(tmp_path / "one")["clip_id"].to_pylist())) == sorted(
        clip.clip_id for clip in clips if clip.label == "good"
    )
    written = json.loads((tmp_path / "one" / "report.json").read_text())
    assert (written["done"], written["quarantined"], written["bad_share"]) == ({"good": 30}, {"bad": 10}, 0.25)


def test_shards_done_one_by_one_equal_a_whole_run(tmp_path: Path) -> None:
    clips = some_clips(20)
    run_stage("s", clips, two_rows, SCHEMA, tmp_path / "whole", shards=4, workers=1, max_bad_share=1)
    for shard in (2, 0, 3, 1):
        run_stage("s", clips, two_rows, SCHEMA, tmp_path / "tasks", only=(shard, 4), workers=1, max_bad_share=1)
    assert contents(tmp_path / "whole") == contents(tmp_path / "tasks")


def test_a_run_killed_with_signal_9_goes_on_where_it_was(tmp_path: Path) -> None:
    """No finished part is redone, no clip is lost or doubled, and nothing half-written stays visible."""
    notes, out = tmp_path / "notes", tmp_path / "out"
    script = tmp_path / "stage.py"
    script.write_text(
        "import sys; from pathlib import Path\n"
        "from stage_work import *; from emotrain.stages.stage import run_stage\n"
        "if __name__ == '__main__':\n"
        f"    run_stage('s', some_clips(30), Noted(Path({str(notes)!r}), float(sys.argv[1])), SCHEMA,\n"
        f"              Path({str(out)!r}), shards=3, workers=2, max_bad_share=1, limit_s=30)\n"
    )
    process = subprocess.Popen([sys.executable, str(script), "0.15"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(out.glob("part-*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = finished_parts(out)
    assert 1 <= len(finished) < 3, "the kill came too late or too early to test anything"
    stamps = {part: part.stat().st_mtime_ns for part in finished}
    time.sleep(1.0)  # the children see the end of their parent within half a second
    notes.write_text("")
    subprocess.run([sys.executable, str(script), "0"], check=True, stderr=subprocess.DEVNULL)
    assert {part: part.stat().st_mtime_ns for part in finished} == stamps
    clips = some_clips(30)
    done_again = set(notes.read_text().split())
    assert done_again.isdisjoint(
        clip.clip_id for clip in clips if part_path(out, shard_of(clip.clip_id, 3), 3) in stamps
    )
    rows = Counter(read_parts(out)["clip_id"].to_pylist())
    assert rows == {clip.clip_id: 2 for clip in clips if clip.label == "good"}


def test_nothing_visible_is_left_by_a_write_that_fails(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")

    def fail() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_bad_clips_are_named_with_their_reason_and_too_many_of_them_are_an_error(tmp_path: Path) -> None:
    clips = some_clips(8)
    with pytest.raises(TooManyBadClips, match=r"2 of 8 clips are unusable \(25.0%, allowed 20.0%\)"):
        run_stage("s", clips, two_rows, SCHEMA, tmp_path, shards=1, workers=1, max_bad_share=0.2)
    lines = quarantine_path(part_path(tmp_path, 0, 1)).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"clip_id": f"clip{i}", "label": "bad", "path": f"{i}.mp4", "reason": f"clip{i} is bad"} for i in (3, 7)
    ]
    assert len(read_parts(tmp_path)) == 12, "what could be used was written before the error"
    assert run_stage("s", clips, two_rows, SCHEMA, tmp_path, shards=1, workers=1, max_bad_share=0.3).bad_share == 0.25


def test_a_clip_that_is_usable_in_part_is_kept_and_named_in_the_report(tmp_path: Path) -> None:
    clips = [Clip("a", "a.mp4", "good"), Clip("b", "b.mp4", "torn"), Clip("c", "c.mp4", "torn")]
    for workers in (1, 2):
        out = tmp_path / str(workers)
        report = run_stage("s", clips, half_lost, SCHEMA, out, shards=1, workers=workers)
        assert (report.done, report.damaged) == ({"good": 1, "torn": 2}, {"torn": 2})
        assert report.bad_share == 0
        assert read_parts(out)["clip_id"].to_pylist() == ["a", "a", "b", "c"]
        assert [row["reason"] for row in read_records(damage_path(part_path(out, 0, 1)))] == ["1 of 2 copies"] * 2
        assert json.loads((out / "report.json").read_text())["damaged"] == {"torn": 2}
        assert "2 of those done are damaged and kept in part" in report.in_words()
        # Resumed: nothing is done again, and the report still tells.
        assert run_stage("s", clips, half_lost, SCHEMA, out, shards=1, workers=1).damaged == {"torn": 2}
    part_path(out, 0, 1).unlink()
    run_stage("s", [clips[0]], half_lost, SCHEMA, out, shards=1, workers=1)
    assert not damage_path(part_path(out, 0, 1)).exists(), "of the part before"


def test_a_line_that_is_no_quarantine_record_is_named_and_its_part_made_again(tmp_path: Path) -> None:
    run_stage("s", some_clips(4), two_rows, SCHEMA, tmp_path, shards=1, workers=1, max_bad_share=1)
    file = quarantine_path(part_path(tmp_path, 0, 1))
    before = file.read_bytes()
    file.write_bytes(before + b'{"clip_id": "x"}\n')
    with pytest.raises(ValueError, match=r"part-00000-of-00001\.quarantine\.jsonl:2: .* is no quarantine record"):
        read_records(file)
    run_stage("s", some_clips(4), two_rows, SCHEMA, tmp_path, shards=1, workers=1, max_bad_share=1)
    assert file.read_bytes() == before


def test_a_name_with_a_line_separator_is_one_line(tmp_path: Path) -> None:
    clips = [Clip("a\u2028b", "a\u2028b.mp4", "bad")]
    report = run_stage("s", clips, two_rows, SCHEMA, tmp_path, shards=1, workers=1, max_bad_share=1)
    assert report.quarantined == {"bad": 1}


def test_a_clip_that_hangs_or_crashes_is_quarantined_and_the_others_are_done(tmp_path: Path) -> None:
    kinds = ("good", "hangs", "good", "crashes", "spins", "good")
    clips = [Clip(f"c{i}", f"{i}.mp4", kind) for i, kind in enumerate(kinds)]
    report = run_stage("s", clips, troubled, SCHEMA, tmp_path, shards=1, workers=2, max_bad_share=1, limit_s=1.0)
    assert report.done == {"good": 3}
    rows = map(json.loads, quarantine_path(part_path(tmp_path, 0, 1)).read_text().splitlines())
    assert {row["label"]: row["reason"] for row in rows} == {
        "hangs": "took longer than the time limit and was stopped",
        "crashes": "ended its process (signal SIGABRT)",
        "spins": "took longer than the time limit and was stopped",
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_a_mistake_in_the_program_stops_the_run_and_leaves_no_part(tmp_path: Path, workers: int) -> None:
    clips = [Clip("a", "a.mp4", "good"), Clip("b", "b.mp4", "raises")]
    with pytest.raises(ZeroDivisionError, match="a mistake in the program"):
        run_stage("s", clips, troubled, SCHEMA, tmp_path, shards=1, workers=workers)
    assert list(tmp_path.iterdir()) == []


def test_parts_of_two_different_runs_are_refused(tmp_path: Path) -> None:
    run_stage("s", some_clips(3), two_rows, SCHEMA, tmp_path, shards=1, workers=1)
    with pytest.raises(ValueError, match=r"part-00000-of-00001\.parquet is of a run with another number of shards"):
        run_stage("s", some_clips(3), two_rows, SCHEMA, tmp_path, only=(0, 2), workers=1)
    (tmp_path / "part-00000-of-00002.parquet").write_bytes(part_path(tmp_path, 0, 1).read_bytes())
    with pytest.raises(ValueError, match="00001 and 00002 shards lie side by side"):
        read_parts(tmp_path)


def test_each_clip_is_one_row_group(tmp_path: Path) -> None:
    run_stage("s", some_clips(3), two_rows, SCHEMA, tmp_path, shards=1, workers=1)
    assert pq.ParquetFile(part_path(tmp_path, 0, 1)).metadata.num_row_groups == 3


@pytest.mark.parametrize("text", ["3", "4/4", "-1/4", "a/b", "1/2/3"])
def test_a_wrong_shard_is_explained(text: str) -> None:
    with pytest.raises(ValueError, match="expected I/N"):
        parse_shard(text)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shards": 0}, "--shards 0: expected 1 or more"),
        ({"workers": 0}, "--workers 0: expected 1 or more"),
        ({"limit_s": 0.0}, "--limit-s 0.0: expected seconds above 0"),
        ({"limit_s": float("nan")}, "--limit-s nan: expected seconds above 0"),
        ({"max_bad_share": -0.1}, "--max-bad-share -0.1: expected a share from 0 to 1"),
    ],
)
def test_a_number_out_of_its_range_is_refused_before_any_work(
    tmp_path: Path, change: dict[str, float], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        run_stage("s", some_clips(3), two_rows, SCHEMA, tmp_path / "out", **change)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_shard_is_read_as_written() -> None:
    assert parse_shard("3/64") == (3, 64)
