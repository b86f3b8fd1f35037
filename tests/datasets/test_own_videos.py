"""People's own videos: one folder a class, or a CSV."""

import csv
import os
import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.datasets.clips import read_index
from emotrain.datasets.csv_file import COLUMNS, read_csv_file
from emotrain.datasets.index import index_clips
from emotrain.datasets.media import Listing
from emotrain.datasets.paths import inside
from emotrain.datasets.reading import LayoutError, UnknownLabel
from emotrain.datasets.splits import folds
from emotrain.emotions import LABEL_SETS


def test_one_folder_a_class_gets_five_folds(tmp_path, touch, frames):
    touch(*(f"v/{name}/{i}.mp4" for name in ("happy", "Sad", "fear") for i in range(9)))
    frames("v/fear/frames9", range(12))
    report = index_clips("folder", tmp_path / "v", tmp_path / "out")
    index = read_index(tmp_path / "out")
    assert index.label_set.labels == ("fear", "happiness", "sadness")
    assert folds(index.clips) == (1, 2, 3, 4, 5)
    assert "five test folds were assigned" in report.warnings["folds"][0]
    assert {clip.clip_id: clip.n_frames for clip in index if clip.label == "fear"}["fear/frames9"] == 12
    assert len(index) == 28


def test_split_folders_are_fixed_splits(tmp_path, touch):
    touch(
        *(f"v/{split}/{name}/{i}.avi" for split in ("train", "val", "test") for name in ("joy", "rage") for i in (1, 2))
    )
    index_clips("folder", tmp_path / "v", tmp_path / "out")
    index = read_index(tmp_path / "out")
    assert {clip.path for clip in index.select("validation")} == {
        f"val/{name}/{i}.avi" for name in ("joy", "rage") for i in (1, 2)
    }
    assert {clip.label for clip in index} == {"happiness", "anger"}


def test_own_class_names_are_kept_and_spellings_joined_with_a_warning(tmp_path, touch):
    touch(*(f"v/{name}/{i}.mp4" for name in ("bored", "happy", "joy") for i in range(5)))
    report = index_clips("folder", tmp_path / "v", tmp_path / "out")
    assert read_index(tmp_path / "out").label_set.labels == ("bored", "happiness")
    assert "'bored' is in no alias table and becomes a class of its own" in report.warnings["own label"][0]
    assert report.warnings["spellings"] == ["'happy', 'joy' are one class: happiness"]


def test_a_named_label_set_refuses_other_folders(tmp_path, touch):
    touch("v/happy/1.mp4", "v/disgusst/1.mp4")
    with pytest.raises(UnknownLabel, match=r"v/disgusst: label 'disgusst' .* did you mean 'disgust'"):
        index_clips("folder", tmp_path / "v", tmp_path / "out", label_set="dfew")


def test_files_that_are_no_clips_are_warned_about(tmp_path, touch):
    touch(*(f"v/anger/{i}.mp4" for i in range(6)), "v/anger/notes.txt", "v/anger/face.jpg", "v/anger/.hidden")
    touch(*(f"v/fear/{i}.mp4" for i in range(6)))
    (tmp_path / "v/fear/empty").mkdir()
    (tmp_path / "v/fear/zero.mp4").touch()
    report = index_clips("folder", tmp_path / "v", tmp_path / "out", max_bad_share=0.2)
    assert report.warnings["not a clip"] == [
        "anger/face.jpg: a single image, no clip",
        "anger/notes.txt: neither a video nor a frame folder",
    ]
    reasons = {row["clip_id"]: row["reason"] for row in report.quarantined}
    assert reasons["fear/empty"].startswith("empty frame folder: ")
    assert reasons["fear/zero"].startswith("empty file: ")
    assert report.quarantined_counts == {"fear": 2}


def test_an_empty_folder_says_what_was_expected(tmp_path):
    with pytest.raises(LayoutError, match="expected one folder a class"):
        index_clips("folder", tmp_path, tmp_path / "out")


CSV = """Path;Emotion;Subject;Onset;Offset;Split;Note;Face
a.mp4;happy;s1;0.5;1.25;train;x;left
b.mp4;Angry;s2;;;train;
c.mp4;愤怒;s3;2;1;val;
d.mp4;sad;s4;early;;test;
../e.mp4;sad;s4;;;test;
f.mp4;sad;s4;;;holdout;
;sad;s4;;;test;
h.mp4;;s4;;;test;
i.mp4;sad;s5;;;test;
i.mp4;sad;s5;;;test;
"""


def test_a_csv_row_is_used_or_quarantined_with_its_reason(tmp_path, text, touch):
    text("clips.csv", CSV)
    touch("a.mp4", "b.mp4", "c.mp4", "i.mp4")
    report = index_clips("csv", tmp_path, tmp_path / "out", max_bad_share=0.9, label_set="dfew")
    index = read_index(tmp_path / "out")
    clips = {clip.clip_id: clip for clip in index}
    assert index.label_set == LABEL_SETS["dfew"]
    assert set(clips) == {"a.mp4", "b.mp4", "c.mp4", "i.mp4"}
    first = clips["a.mp4"]
    assert (first.label, first.subject, first.onset_s, first.offset_s, first.split) == (
        "happiness",
        "s1",
        0.5,
        1.25,
        "train",
    )
    assert (first.face, clips["c.mp4"].face) == ("left", None)
    assert (clips["c.mp4"].label, clips["c.mp4"].split, clips["c.mp4"].offset_s) == ("anger", "validation", None)
    assert "clips.csv row 4 (c.mp4): onset 2 s, offset 1 s" in report.warnings["offset before onset"][0]
    assert "column 'Note' stands for nothing here" in report.warnings["column ignored"][0]
    reasons = {row["clip_id"]: row["reason"] for row in report.quarantined}
    assert "row 5: column 'onset' holds 'early', expected a number" in reasons["d.mp4"]
    assert "row 6: path '../e.mp4' leaves the data root" in reasons["../e.mp4"]
    assert "row 7: split 'holdout': expected train, validation or test" in reasons["f.mp4"]
    assert "row 8: path '', expected a path and a label in every row" in reasons[""]
    assert "row 9: label '', expected" in reasons["h.mp4"]
    assert reasons["i.mp4"] == "duplicate id: an earlier row has this clip_id"


def test_numbers_out_of_range_are_quarantined_and_folds_of_ones_own_are_kept(tmp_path, text, touch):
    touch("a.mp4", "b.mp4", "c.mp4", "d.mp4")
    text("clips.csv", "path,label,fps,fold\na.mp4,fear,25,1\nb.mp4,fear,12.5,2\nc.mp4,fear,0,1\nd.mp4,fear,25,1.5\n")
    report = index_clips("csv", tmp_path, tmp_path / "out", max_bad_share=0.5)
    assert [(clip.clip_id, clip.fps, clip.test_fold) for clip in read_index(tmp_path / "out")] == [
        ("a.mp4", 25.0, 1),
        ("b.mp4", 12.5, 2),
    ]
    assert [row["reason"] for row in report.quarantined] == [
        "clips.csv row 4: fps 0.0: expected a positive number",
        "clips.csv row 5: test_fold 1.5: expected 1, 2, ...",
    ]


def test_rows_without_a_split_are_named_when_others_have_one(tmp_path, text, touch):
    touch(*(f"{i}.mp4" for i in range(6)))
    text("clips.csv", "path,label,split\n" + "".join(f"{i}.mp4,fear,{'' if i == 3 else 'train'}\n" for i in range(6)))
    report = index_clips("csv", tmp_path, tmp_path / "out", max_bad_share=0.5)
    assert [(row["clip_id"], row["reason"]) for row in report.quarantined] == [
        ("3.mp4", "no split, while other clips of the set have one")
    ]


def test_an_absolute_path_below_the_root_is_made_relative(tmp_path, text, touch):
    touch(*(f"v/{i}.mp4" for i in range(10)))
    rows = "\n".join(f"{tmp_path}/v/{i}.mp4,{'fear' if i % 2 else 'anger'}" for i in range(10))
    text("my.csv", "path,label\n" + rows + "\n/etc/passwd,fear\n")
    report = index_clips("csv", tmp_path, tmp_path / "out", max_bad_share=0.2)
    assert sorted(clip.path for clip in read_index(tmp_path / "out")) == [f"v/{i}.mp4" for i in range(10)]
    assert "'/etc/passwd' leaves the data root" in report.quarantined[0]["reason"]


def test_gb18030_and_bom_are_read(tmp_path, text, touch):
    touch(*(f"{i}.mp4" for i in range(4)))
    rows = "path,label,caption\n" + "".join(f"{i}.mp4,anger,眉头紧锁\n" for i in range(4))
    text("a.csv", rows, encoding="gb18030")
    index_clips("csv", tmp_path, tmp_path / "gb", annotation="a.csv")
    text("b.csv", rows, encoding="utf-8-sig")
    index_clips("csv", tmp_path, tmp_path / "bom", annotation="b.csv")
    assert [clip.caption for clip in read_index(tmp_path / "gb")] == ["眉头紧锁"] * 4
    assert read_index(tmp_path / "gb").clips == read_index(tmp_path / "bom").clips


def test_a_csv_that_cannot_be_chosen_or_lacks_a_column_is_named(tmp_path, text):
    with pytest.raises(LayoutError, match="the annotation"):
        index_clips("csv", tmp_path, tmp_path / "out")
    text("a.csv", "file,mood\nx,y\n")
    with pytest.raises(LayoutError, match=r"a\.csv: no column label; found file, mood"):
        index_clips("csv", tmp_path, tmp_path / "out")
    text("b.csv", "")
    with pytest.raises(LayoutError, match=r"no table has the columns path and label \(a\.csv, b\.csv\)"):
        index_clips("csv", tmp_path, tmp_path / "out")
    with pytest.raises(LayoutError, match="found nothing, the file is empty"):
        index_clips("csv", tmp_path, tmp_path / "out", annotation="b.csv")
    with pytest.raises(LayoutError, match=r"--annotation 'c\.csv': no such file"):
        index_clips("csv", tmp_path, tmp_path / "out", annotation="c.csv")


CELL = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["happy", "a.mp4", "../x", "1", "-3.5", "nan", "inf", "1e400", '"', "train", "a\0b", "4+7", "\r"]),
)


def test_a_sign_for_missing_is_no_class(tmp_path, text, touch):
    touch(*(f"{i}.mp4" for i in range(12)))
    rows = [f"{i}.mp4,{'nan' if i == 3 else 'None' if i == 4 else 'fear' if i % 2 else 'joy'}" for i in range(12)]
    text("clips.csv", "path,label\n" + "\n".join(rows))
    report = index_clips("csv", tmp_path, tmp_path / "out", max_bad_share=0.2)
    assert read_index(tmp_path / "out").label_set.labels == ("fear", "happiness")
    assert [row["reason"].partition(", ")[0] for row in report.quarantined] == [
        "clips.csv row 5: label 'nan'",
        "clips.csv row 6: label 'None'",
    ]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (["a.mp4,fear,x", '"b.mp4,joy,x', "c.mp4,joy,x", "d.mp4,joy,x"], 3),
        (["a.mp4,fear,x", 'b.mp4,"joy,x', "c.mp4,joy,x", 'd.mp4,"joy,x'], 3),
        (["a.mp4,fear,x", 'b.mp4,"joy', "c.mp4,joy,x", 'd.mp4",joy,x'], 3),
        (['a.mp4,fear,"she looks', 'away"', "b.mp4,joy,x"], 2),
        (['a.mp4,fear,"x\ry"'], 2),
    ],
)
def test_a_quote_that_swallows_rows_is_refused_with_its_line(tmp_path, text, rows, line):
    text("clips.csv", "\n".join(["path,label,caption", *rows]) + "\n")
    with pytest.raises(LayoutError, match=rf"clips\.csv.* line {line}: .*(remove stray ones|the cell in one line)$"):
        read_csv_file(tmp_path, Listing(tmp_path))


def test_of_two_headers_for_one_column_the_exact_one_is_read_or_both_are_named(tmp_path, text, touch):
    touch(*(f"{i}.mp4" for i in range(10)))
    rows = "".join(f"{i}.mp4,other{i},{'fear' if i % 2 else 'joy'},sad\n" for i in range(10))
    text("clips.csv", "path,filename,label,emotion\n" + rows)
    report = index_clips("csv", tmp_path, tmp_path / "out")
    index = read_index(tmp_path / "out")
    assert index.label_set.labels == ("fear", "happiness")
    assert {clip.path for clip in index} == {f"{i}.mp4" for i in range(10)}
    assert report.warnings["column ignored"] == [
        "clips.csv: column 'filename' is not read, 'path' is",
        "clips.csv: column 'emotion' is not read, 'label' is",
    ]
    for header, named in (("file,video,label", "'file' and 'video'"), ("path,label,Label", "'label' and 'Label'")):
        text("clips.csv", f"{header}\na.mp4,joy,fear\n")
        with pytest.raises(
            LayoutError, match=rf"clips\.csv: the headers {named} all stand for the column '(path|label)'"
        ):
            read_csv_file(tmp_path, Listing(tmp_path))


def test_utf_16_is_read_with_and_without_its_mark(tmp_path, text, touch):
    touch("a.mp4", "b.mp4")
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        text("clips.csv", "path,label\na.mp4,joy\nb.mp4,joy\n", encoding)
        assert index_clips("csv", tmp_path, tmp_path / "out").clips == 2


def test_a_file_that_differs_in_case_is_named(tmp_path, text, touch):
    touch("a.MP4", *(f"{i}.mp4" for i in range(5)))
    text("clips.csv", "path,label\na.mp4,joy\n" + "".join(f"{i}.mp4,fear\n" for i in range(5)))
    report = index_clips("csv", tmp_path, tmp_path / "out", max_bad_share=0.5)
    assert report.quarantined[0]["reason"].endswith("a.mp4 does not exist; 'a.MP4' does: spell it as the disk does")


def test_names_that_are_not_utf_8_are_quarantined_by_name_or_refused(tmp_path, touch):
    touch(*(f"v/{name}/{i}.mp4" for name in ("joy", "fear") for i in range(5)))
    odd = os.fsdecode(b"\xd6\xd0")
    touch(f"v/joy/{odd}.mp4", f"v/joy/{odd}.txt")
    report = index_clips("folder", tmp_path / "v", tmp_path / "out", max_bad_share=0.1)
    assert [(row["clip_id"], row["reason"].partition(";")[0]) for row in report.quarantined] == [
        (r"joy/\xd6\xd0", r"the name b'joy/\xd6\xd0.mp4' is not UTF-8")
    ]
    assert report.warnings["not a clip"] == [r"joy/\xd6\xd0.txt: neither a video nor a frame folder"]
    assert len(read_index(tmp_path / "out")) == 10
    (tmp_path / "v" / "fear").rename(tmp_path / "v" / odd)
    with pytest.raises(LayoutError, match="is not named in UTF-8; rename it"):
        index_clips("folder", tmp_path / "v", tmp_path / "b")
    (tmp_path / odd).mkdir()
    with pytest.raises(LayoutError, match=r"--root .*the path is not UTF-8"):
        index_clips("folder", tmp_path / odd, tmp_path / "c")


def table_rows(table: str, delimiter: str) -> int:
    """How many lines below the first hold a cell, each line looked at alone."""
    lines = [line for line in re.split(r"\r\n|\r|\n", table) if line.strip("\r\n")]
    cells = [next(csv.reader([line], delimiter=delimiter), []) for line in lines]
    return sum(any(cell.strip() for cell in row) for row in cells) - 1


@settings(deadline=None, max_examples=100)
@given(
    header=st.lists(st.sampled_from([*COLUMNS, "", "mood"]), max_size=6),
    rows=st.lists(st.lists(CELL, max_size=7), max_size=6),
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-16", "gb18030"]),
)
def test_any_csv_is_read_in_full_or_refused_with_a_reason(tmp_path_factory, header, rows, delimiter, encoding):
    root = tmp_path_factory.mktemp("csv")
    table = "\n".join(delimiter.join(row) for row in [["path", "label", *header], *rows])
    (root / "clips.csv").write_bytes(table.encode(encoding, errors="ignore"))
    try:
        reading = read_csv_file(root, Listing(root))
    except LayoutError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert refusal.startswith(str(root / "clips.csv"))
        return
    if encoding == "utf-8":
        assert len(reading.clips) + len(reading.quarantined) == table_rows(table, delimiter), "no row may vanish"
    for clip in reading.clips:
        assert inside(root, clip.path)
        assert clip.label in reading.label_set.labels
        assert clip.fps is None or clip.fps > 0
    assert all(row["reason"] for row in reading.quarantined)


def test_random_bytes_never_crash_the_csv_reader(tmp_path):
    @settings(deadline=None, max_examples=100)
    @given(st.binary(max_size=200))
    def read(data):
        (tmp_path / "clips.csv").write_bytes(b"path,label\n" + data)
        with suppress(LayoutError):
            reading = read_csv_file(tmp_path, Listing(tmp_path))
            assert all(clip.label in reading.label_set.labels for clip in reading.clips)

    read()
