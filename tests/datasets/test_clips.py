"""Opening a clip index: what it holds, and what it says when it is not one."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emotrain.atomic_files import write_table
from emotrain.datasets.clips import ClipIndex, read_clips, read_index
from emotrain.emotions import LABEL_SETS, LabelSet
from emotrain.records import Clip, to_table

CLIPS = [
    Clip("a", "v/a.mp4", "anger", votes={"anger": 0.7, "disgust": 0.3}, test_fold=1, subject="s1", fps=25.0),
    Clip("b", "v/b.mp4", "fear", labels=("fear", "surprise"), action_units=("1", "L14"), caption="眉头紧皱"),
]


def write_index(data: Path, clips: list[Clip], **metadata: str) -> None:
    write_table(to_table(clips, Clip, {"root": "/data/set", "dataset": "mafw", **metadata}), data / "clips.parquet")


def test_clips_survive_the_round_trip_and_metadata_is_kept(tmp_path):
    write_index(tmp_path, CLIPS, label_set="mafw", validation_share="0.2", seed="3")
    index = read_index(tmp_path)
    assert read_clips(tmp_path) == list(index) == index.clips == CLIPS
    assert (len(index), index.dataset, index.label_set) == (2, "mafw", LABEL_SETS["mafw"])
    assert (index.validation_share, index.seed) == (0.2, 3)
    assert index.path(CLIPS[0]) == Path("/data/set/v/a.mp4")


def test_a_label_set_of_ones_own_travels_with_the_index(tmp_path):
    write_index(tmp_path, CLIPS, label_set="own", labels='["anger", "fear", "glee"]')
    assert read_index(tmp_path).label_set == LabelSet("own", ("anger", "fear", "glee"))


def test_opening_an_index_reads_no_rows(tmp_path, monkeypatch):
    write_index(tmp_path, [Clip(f"c{i}", "x", "anger") for i in range(10_000)], label_set="mafw")
    read: list[int] = []
    iterate = pq.ParquetFile.iter_batches

    def counted(self, *args, **kwargs):
        for batch in iterate(self, *args, **kwargs):
            read.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    index = read_index(tmp_path)
    assert len(index) == 10_000
    assert read == []
    assert next(iter(index)).clip_id == "c0"
    assert sum(read) <= 4096


def test_a_missing_index_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data_prep/index_clips\.py --dataset NAME --root DIR --out"):
        read_index(tmp_path)


def test_another_parquet_file_is_refused(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "clips.parquet")
    with pytest.raises(ValueError, match="no column clip_id, path, label; make the index"):
        read_index(tmp_path)
    pq.write_table(pa.table({"clip_id": ["a"], "path": ["a"], "label": ["a"]}), tmp_path / "clips.parquet")
    with pytest.raises(ValueError, match="lacks root, dataset, label_set, so this is not a clip index"):
        read_index(tmp_path)


def test_a_relative_root_starts_at_the_index(tmp_path):
    write_index(tmp_path, CLIPS, label_set="mafw", root="videos")
    assert read_index(tmp_path).root == tmp_path / "videos"


def test_both_ways_of_reading_say_the_same_about_a_missing_or_foreign_file(tmp_path):
    for wrong in (tmp_path / "none", tmp_path):
        said = set()
        for opened in (read_index, ClipIndex):
            with pytest.raises((FileNotFoundError, ValueError)) as caught:
                opened(wrong)
            said.add(str(caught.value))
        assert len(said) == 1
        pq.write_table(pa.table({"a": [1]}), tmp_path / "clips.parquet")
