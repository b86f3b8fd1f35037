"""Opening a clip index, and paths that may not leave the data root."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.datasets.clips import PathOutsideRoot, read_clips, read_index, resolve
from emotrain.emotions import LABEL_SETS, LabelSet
from emotrain.records import Clip, to_table
from emotrain.shards import write_table

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
    with pytest.raises(ValueError, match="lacks root, dataset, label_set, so this is not a clip index"):
        read_index(tmp_path)


@pytest.mark.parametrize(
    "path", ["../x.mp4", "a/../../x", "/etc/passwd", "..", "C:\\x.mp4", "\\\\host\\x", "a\\..\\..\\x", "", "a\0b"]
)
def test_a_path_that_leaves_the_root_is_refused(path):
    with pytest.raises(PathOutsideRoot, match="leaves the data root"):
        resolve(Path("/data"), path)


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="ab./\\~ :\0", max_size=12))
def test_every_accepted_path_lies_below_the_root(path):
    root = Path("/data/set")
    try:
        accepted = resolve(root, path)
    except PathOutsideRoot:
        return
    assert accepted.resolve().is_relative_to(root)
