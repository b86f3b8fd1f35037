"""Index of a data set: report, quarantine, splits, options, the command line."""

import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
from stage_work import stuck_on_nines

from emotrain.atomic_files import write_table
from emotrain.clip_errors import ClipError
from emotrain.datasets.clips import read_index
from emotrain.datasets.index import READERS, index_clips
from emotrain.stages.report import TooManyBadClips
from emotrain.synthetic.clip_plan import plan_clips
from emotrain.synthetic.clip_set import annotation_table
from emotrain.video.probe import probe

SCRIPT = Path(__file__).parents[2] / "data_prep" / "index_clips.py"


@pytest.fixture
def own(tmp_path, touch):
    """30 videos in three class folders."""
    touch(*(f"v/{name}/{i}.mp4" for name in ("anger", "fear", "joy") for i in range(10)))
    return tmp_path / "v"


def test_the_report_on_disk_is_the_report_returned(own, tmp_path):
    report = index_clips("folder", own, tmp_path / "out")
    written = json.loads((tmp_path / "out" / "index_report.json").read_text())
    expected = {"all": 10, **{f"fold {k}": 2 for k in range(1, 6)}}
    assert written["counts"] == report.counts == dict.fromkeys(("anger", "fear", "happiness"), expected)
    assert (written["dataset"], written["clips"], written["root"]) == ("folder", 30, str(own))


def test_the_same_input_gives_the_same_bytes(own, tmp_path):
    index_clips("folder", own, tmp_path / "a", seed=3)
    index_clips("folder", own, tmp_path / "b", seed=3)
    index_clips("folder", own, tmp_path / "c", seed=4)
    first, second, third = ((tmp_path / name / "clips.parquet").read_bytes() for name in "abc")
    assert first == second
    assert first != third


def test_past_the_bad_share_the_report_is_written_and_the_index_is_not(own, tmp_path):
    for i in range(3):
        (own / "anger" / f"{i}.mp4").write_bytes(b"")
    with pytest.raises(
        TooManyBadClips, match=r"3 of 30 clips are unusable \(10\.0%, allowed 1\.0%\), first: empty file"
    ):
        index_clips("folder", own, tmp_path / "out")
    written = json.loads((tmp_path / "out" / "index_report.json").read_text())
    assert written["quarantined_counts"] == {"anger": 3}
    assert not (tmp_path / "out" / "clips.parquet").exists()
    index_clips("folder", own, tmp_path / "out", max_bad_share=0.1)
    assert len(read_index(tmp_path / "out")) == 27


def test_the_validation_share_and_seed_of_the_index_are_used_by_every_reader_of_it(own, tmp_path):
    index_clips("folder", own, tmp_path / "small", validation_share=0.1)
    index_clips("folder", own, tmp_path / "large", validation_share=0.5)
    small, large = read_index(tmp_path / "small"), read_index(tmp_path / "large")
    assert len(small.select("validation", 1)) == 3
    assert len(large.select("validation", 1)) == 12
    index_clips("folder", own, tmp_path / "none", validation_share=0)
    assert read_index(tmp_path / "none").select("validation", 1) == []


def test_a_probe_fills_what_the_annotation_leaves_open(own, tmp_path):
    seen = []

    def counted(path):
        seen.append(path)
        if path.name == "9.mp4":
            raise ClipError("no frame could be decoded")
        return 30.0, 60, 2.0

    report = index_clips("folder", own, tmp_path / "out", probe=counted, max_bad_share=0.2)
    clip = read_index(tmp_path / "out").clips[0]
    assert (clip.fps, clip.n_frames, clip.duration_s) == (30.0, 60, 2.0)
    assert len(seen) == 30
    assert [row["reason"] for row in report.quarantined] == ["no frame could be decoded"] * 3
    index_clips("folder", own, tmp_path / "without")
    clip = read_index(tmp_path / "without").clips[0]
    assert (clip.fps, clip.n_frames, clip.duration_s) == (None, None, None)


def test_probing_in_processes_gives_the_bytes_that_probing_in_turn_gives(tmp_path):
    for label in ("anger", "fear"):
        for i in range(4):
            _video(tmp_path / "v" / label / f"{i}.mp4", frames=5 + i)
    (tmp_path / "v" / "fear" / "text.mp4").write_text("not a video")
    reports = [
        index_clips(
            "folder", tmp_path / "v", tmp_path / out, probe=probe, workers=workers, limit_s=limit, max_bad_share=1
        )
        for out, workers, limit in (("serial", 1, None), ("pool", 3, 60.0))
    ]
    serial, pool = ((tmp_path / out / "clips.parquet").read_bytes() for out in ("serial", "pool"))
    assert serial == pool
    assert reports[0].quarantined == reports[1].quarantined
    assert {clip.n_frames for clip in read_index(tmp_path / "pool")} == {5, 6, 7, 8}


def test_a_name_without_end_is_quarantined_and_the_others_are_kept(tmp_path, touch):
    touch(*(f"v/{name}.mp4" for name in "abcdef"))
    rows = "".join(f"{name}.mp4,joy\n" for name in [*"abcdef", "x" * 100_000])
    (tmp_path / "v.csv").write_text(f"path,label\n{rows}")
    index_clips("csv", tmp_path / "v", tmp_path / "out", max_bad_share=0.6, annotation=str(tmp_path / "v.csv"))
    written = json.loads((tmp_path / "out" / "index_report.json").read_text())
    assert written["clips"] == 6
    (row,) = written["quarantined"]
    assert row["reason"].startswith("id and path of 100004 and 100004 characters ('xxx")
    assert len(row["clip_id"]) == 1024


def test_a_video_that_stops_the_probe_is_quarantined(own, tmp_path):
    report = index_clips("folder", own, tmp_path / "out", probe=stuck_on_nines, workers=1, limit_s=0.5, max_bad_share=1)
    assert {row["clip_id"] for row in report.quarantined} == {"anger/9", "fear/9", "joy/9"}
    assert all("took longer than the time limit" in row["reason"] for row in report.quarantined)


def test_a_write_of_the_index_killed_with_signal_9_leaves_the_old_one_or_the_new_one(own, tmp_path):
    index_clips("folder", own, tmp_path / "out", seed=1)
    old = (tmp_path / "out" / "clips.parquet").read_bytes()
    script = (
        "import sys, os, signal; from pathlib import Path\n"
        "from emotrain.datasets.index import index_clips; import pyarrow.parquet as pq\n"
        "write = pq.write_table\n"
        "def half(table, where, **options):\n"
        "    write(table, where, **options); os.truncate(where, Path(where).stat().st_size // 2)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "pq.write_table = half\n"
        "index_clips('folder', Path(sys.argv[1]), Path(sys.argv[2]), seed=2)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(own), str(tmp_path / "out")], capture_output=True)
    assert done.returncode == -9
    assert (tmp_path / "out" / "clips.parquet").read_bytes() == old
    index_clips("folder", own, tmp_path / "out", seed=2)
    assert (tmp_path / "out" / "clips.parquet").read_bytes() != old
    assert len(read_index(tmp_path / "out")) == 30


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"assume_fps": 0.0}, "--assume-fps 0.0: expected frames a second above 0"),
        ({"assume_fps": -5.0}, "--assume-fps -5.0: expected"),
        ({"assume_fps": float("inf")}, "--assume-fps inf: expected"),
        ({"limit_s": -3.0}, "--limit-s -3.0: expected seconds above 0"),
        ({"workers": 0}, "--workers 0: expected 1 or more"),
        ({"validation_share": 1.0}, "--validation-share 1.0: expected 0 or more and less than 1"),
        ({"max_bad_share": 1.5}, "--max-bad-share 1.5: expected a share from 0 to 1"),
    ],
)
def test_a_number_out_of_its_range_is_refused(own, tmp_path, change, said):
    with pytest.raises(ValueError, match=said):
        index_clips("folder", own, tmp_path / "out", **change)
    assert not (tmp_path / "out").exists()


def test_an_unknown_data_set_or_option_names_the_nearest(own, tmp_path):
    with pytest.raises(ValueError, match=r"unknown data set 'ferv39'.*did you mean 'ferv39k'"):
        index_clips("ferv39", own, tmp_path / "out")
    with pytest.raises(ValueError, match="data set 'folder' has no option --caption; it knows --label-set"):
        index_clips("folder", own, tmp_path / "out", caption="en")


def test_a_link_that_stays_below_the_root_is_followed_and_one_that_leaves_it_is_not(own, tmp_path):
    (own / ".disk").mkdir()
    (own / "anger").rename(own / ".disk" / "anger")
    (own / "anger").symlink_to(own / ".disk" / "anger")
    (own / "fear" / "0.mp4").unlink()
    (own / "fear" / "0.mp4").symlink_to(own / "gone.mp4")
    (own / "fear" / "1.mp4").unlink()
    (own / "fear" / "1.mp4").symlink_to(tmp_path / "secret.mp4")
    (own / "joy" / "0.mp4").unlink()
    (own / "joy" / "0.mp4").symlink_to(own / "joy" / "0.mp4")
    report = index_clips("folder", own, tmp_path / "out", max_bad_share=0.1)
    assert len([clip for clip in read_index(tmp_path / "out") if clip.label == "anger"]) == 10
    reasons = {row["clip_id"]: row["reason"] for row in report.quarantined}
    assert "fear/0.mp4 is a link to a file that does not exist" in reasons["fear/0"]
    assert "leaves the data root" in reasons["fear/1"]
    assert "joy/0.mp4 is a link to a file that does not exist" in reasons["joy/0"]


def test_the_synthetic_set_is_taken_over_without_its_true_events(tmp_path, touch):
    plans = plan_clips(label_set_name="mafw", train=60, validation=22, test=30, seed=0, micro_share=0.4)
    touch(*(f"set/{plan.clip.path}" for plan in plans))
    table = annotation_table(plans, "mafw")
    assert "events" in table.column_names
    write_table(table, tmp_path / "set" / "annotations.parquet")
    index_clips("synthetic", tmp_path / "set", tmp_path / "out")
    index = read_index(tmp_path / "out")
    assert index.clips == [plan.clip for plan in plans]
    assert index.label_set.name == "mafw"
    assert [len(index.select(split)) for split in ("train", "validation", "test")] == [60, 22, 30]
    assert "events" not in pq.read_schema(tmp_path / "out" / "clips.parquet").names


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, timeout=120)


def test_the_command_indexes_probes_and_says_what_it_found(tmp_path):
    for label in ("anger", "fear"):
        for i in range(5):
            _video(tmp_path / "v" / label / f"{i}.mp4", frames=10 + i)
    (tmp_path / "v" / "fear" / "text.mp4").write_text("not a video")
    done = run(
        *("--dataset", "folder", "--root", str(tmp_path / "v"), "--out", str(tmp_path / "out")),
        *("--probe", "--max-bad-share", "0.2", "--label-set", "mafw"),
    )
    assert done.returncode == 0, done.stderr
    assert "folder: 10 clips, label set 'mafw'" in done.stdout
    assert "quarantined: 1" in done.stderr
    clip = {clip.clip_id: clip for clip in read_index(tmp_path / "out")}["anger/3"]
    assert (clip.n_frames, clip.fps) == (13, pytest.approx(25.0))
    assert clip.duration_s == pytest.approx(13 / 25)


def test_the_command_fails_with_one_line_that_says_why(tmp_path):
    done = run("--dataset", "dfew", "--root", str(tmp_path), "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert done.stderr.startswith("index_clips: ")
    assert "EmoLabel_DataSplit" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_place_that_cannot_be_written_is_said_in_a_line(own, tmp_path):
    (tmp_path / "out").write_text("a file")
    done = run("--dataset", "folder", "--root", str(own), "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"index_clips: {tmp_path / 'out'}: File exists; a file lies there")
    assert "Traceback" not in done.stderr


def test_the_command_offers_every_reader():
    done = run("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in READERS)


def _video(path: Path, frames: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for i in range(frames):
            picture = np.full((32, 32, 3), 20 * i % 255, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
