"""What people really have on their disks: read right, or refused with the file, the row and a remedy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from emotrain.datasets.clips import read_clips
from emotrain.datasets.index import IndexReport, index_clips
from emotrain.datasets.reading import LayoutError

Touch = Callable[..., None]
Text = Callable[..., Path]
Table = Callable[..., Path]
Frames = Callable[..., None]
LEFT = ("Thumbs.db", ".DS_Store", "desktop.ini", "~$coding.xlsx")


def indexed(dataset: str, root: Path, **options: str | None) -> tuple[IndexReport, list[str]]:
    report = index_clips(dataset, root, root.parent / "out", max_bad_share=0.9, **options)
    return report, sorted(clip.path for clip in read_clips(root.parent / "out"))


def test_what_systems_leave_behind_is_neither_clip_nor_class_nor_annotation(
    tmp_path: Path, touch: Touch, sheet: Table
) -> None:
    systems = ("__MACOSX", "$RECYCLE.BIN", "System Volume Information", "@eaDir", "lost+found", ".Trash-1000")
    for label in ("anger", "joy"):
        touch(*(f"folder/{label}/{i}.mp4" for i in range(4)), *(f"folder/{label}/{name}" for name in LEFT))
        touch(f"folder/{label}/._0.mp4", *(f"folder/{name}/{label}/x.mp4" for name in systems))
    report, paths = indexed("folder", tmp_path / "folder")
    assert len(paths) == 8
    assert set(report.counts) == {"anger", "happiness"}
    for subject in range(1, 5):
        touch(*(f"smic/HS/s{subject}/micro/negative/{name}" for name in LEFT))
        touch(f"smic/HS/s{subject}/micro/negative/s{subject}_n/1.jpg", f"smic/__MACOSX/HS/s{subject}/micro/negative/x")
    assert indexed("smic", tmp_path / "smic")[0].clips == 4
    touch("casme2/__MACOSX/._CASME2-coding-1.xlsx", "casme2/._CASME2-coding-1.xlsx", "casme2/~$CASME2-coding-1.xlsx")
    sheet("casme2/CASME2-coding-1.xlsx", CODING)
    touch(*(f"casme2/CASME2_RAW_selected/sub0{s}/EP{s}/img{i}.jpg" for s in (1, 2) for i in range(5, 20)))
    assert indexed("casme2", tmp_path / "casme2")[0].clips == 2


CODING = [
    ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion"],
    [1, "EP1", 6, 9, 14, "4", "disgust"],
    [2, "EP2", 6, 9, 14, "12", "happiness"],
]


@pytest.mark.parametrize("name", ["CASME2-coding-2.csv", "my_coding.xlsx", "notes/labels 2023.csv"])
def test_a_coding_sheet_is_found_under_other_names_and_suffixes(
    tmp_path: Path, touch: Touch, sheet: Table, text: Text, name: str
) -> None:
    touch(*(f"set/CASME2_RAW_selected/sub0{s}/EP{s}/img{i}.jpg" for s in (1, 2) for i in range(5, 20)))
    sheet("set/prices.xlsx", [["item", "price"], ["camera", 2]])
    if name.endswith(".xlsx"):
        sheet(f"set/{name}", CODING)
    else:
        text(f"set/{name}", "\n".join(["CASME II; coding", "", *(";".join(map(str, row)) for row in CODING)]))
    report, paths = indexed("casme2", tmp_path / "set")
    assert len(paths) == 2
    said = report.warnings.get("annotation", [])
    assert name.startswith("CASME2") or said[0] == f"{name} is read as the coding sheet, by its columns"
    again = [CODING[0], *([*row[:-1], "fear"] for row in CODING[1:])]
    sheet("set/other.xlsx" if not name.startswith("CASME2") else "set/CASME2-coding-3.xlsx", again)
    with pytest.raises(LayoutError, match=r"2 tables have the columns of the coding sheet and differ: .* --annotation"):
        indexed("casme2", tmp_path / "set")
    assert indexed("casme2", tmp_path / "set", annotation=name)[0].counts["fear"]["all"] == 0
    with pytest.raises(LayoutError, match=r"no sheet 'x'|--annotation '.*#x': no such file"):
        indexed("casme2", tmp_path / "set", annotation=f"{name}#x")


def test_lists_with_a_header_a_further_column_or_another_separator_are_read_by_name(
    tmp_path: Path, touch: Touch, text: Text
) -> None:
    touch(*(f"set/Clip/original/{n}.mp4" for n in range(1, 22)))
    for head, row in (
        (",video_name,label", "{0},{1:05d},{2}"),
        ("video_name,label,fold", "{1:05d},{2},1"),
        ("video_name;label", "{1:05d};{2}"),
        ("label\tvideo_name", "{2}\t{1:05d}"),
    ):
        for part, numbers in (("train", range(1, 15)), ("test", range(15, 22))):
            rows = [row.format(i, n, 1 + n % 7) for i, n in enumerate(numbers)]
            text(f"set/EmoLabel_DataSplit/{part}(single-labeled)/set_1.csv", "\n".join([head, *rows]))
        report, _ = indexed("dfew", tmp_path / "set")
        assert report.clips == 21
        assert {counts["all"] for counts in report.counts.values()} == {3}
    text("set/EmoLabel_DataSplit/test(single-labeled)/set_1.csv", "0,00015,2\n1,00016,3")
    with pytest.raises(
        LayoutError, match=r"set_1\.csv row 1: 3 cells \(0, 00015, 2\), expected 2; name the columns in a"
    ):
        indexed("dfew", tmp_path / "set")


def test_paths_from_other_systems_lead_to_the_files_here(tmp_path: Path, touch: Touch, text: Text) -> None:
    composed, apart = "M\u00fcller", "Mu\u0308ller"
    touch(*(f"my/{name}/{i}.mp4" for name in ("anger", composed) for i in range(3)))
    for person, encoding in ((composed, "cp1252"), (composed, "utf-16"), (apart, "utf-8"), (composed, "mac_roman")):
        rows = [f"anger\\{i}.mp4;anger" for i in range(3)] + [f"{person}\\{i}.mp4;joy" for i in range(3)]
        text("my/clips.csv", "\r\n".join(["sep=;", "path;label", *rows]), encoding)
        report, paths = indexed("csv", tmp_path / "my")
        assert paths == sorted(f"{name}/{i}.mp4" for name in ("anger", composed) for i in range(3))
        assert ("annotation" in report.warnings) == (encoding in ("cp1252", "mac_roman", "utf-16"))
    scenes = [f"Action\\Angry\\{n:04d} Angry" for n in range(4)]
    touch(*(f"ferv/2_ClipsforFaceCrop/Action/Angry/{n:04d}/1.jpg" for n in range(4)))
    text("ferv/4_setups/All_scenes/train_All.csv", "\r\n".join(scenes[:3]))
    text("ferv/4_setups/All_scenes/test_All.csv", "\r\n".join(scenes[3:]))
    assert indexed("ferv39k", tmp_path / "ferv")[0].clips == 4


def test_a_table_names_its_units_and_times_stay_inside_the_clip(tmp_path: Path, touch: Touch, text: Text) -> None:
    touch(*(f"my/{label}/{i}.mp4" for label in ("anger", "joy") for i in range(3)))
    paths = [f"{label}/{i}.mp4,{label}" for label in ("anger", "joy") for i in range(3)]

    def probe(path: Path) -> tuple[float, int, float]:
        return 25.0, 50, 2.0

    def times(head: str, cells: str) -> tuple[set[tuple[float | None, ...]], dict[str, list[str]]]:
        text("my/clips.csv", "\n".join([f"path,label,{head}", *(f"{path},{cells}" for path in paths)]))
        report = index_clips("csv", tmp_path / "my", tmp_path / "out", probe_timed=probe)
        clips = read_clips(tmp_path / "out")
        return {(clip.onset_s, clip.apex_s, clip.offset_s) for clip in clips}, report.warnings

    assert times("onset_ms,apex_ms,offset_ms", "400,600,900")[0] == {(0.4, 0.6, 0.9)}
    assert times("OnsetFrame,ApexFrame,OffsetFrame,fps", "10,20,30,25")[0] == {(0.4, 0.8, 1.2)}
    found, warnings = times("onset,apex,offset", "0.4,0.6,0.9")
    assert found == {(0.4, 0.6, 0.9)}
    assert "read as seconds; name the unit: onset_s, onset_ms or onset_frame" in warnings["times without a unit"][0]
    for cells, unit in (("400,600,900", "milliseconds"), ("10,20,30", "frames")):
        found, warnings = times("onset,apex,offset", cells)
        assert found == {(None, None, None)}
        (said, *others) = warnings["times outside the clip"]
        assert len(others) == 5
        assert said.startswith("clips.csv row 2 (anger/0.mp4): onset ")
        assert f"they would fit in {unit}: call the columns" in said
    assert times("onset_s,apex_s,offset_s", "0.9,0.5,1.1")[0] == {(0.9, None, 1.1)}


def test_neither_a_kind_of_face_nor_a_lost_clip_goes_unexplained(tmp_path: Path, touch: Touch, text: Text) -> None:
    touch(*(f"my/{i}.mp4" for i in range(24)))
    rows = [f"{i}.mp4,{('anger', 'joy')[i % 2]},{'train' if i < 20 else 'test'},macro" for i in range(24)]
    text("my/clips.csv", "\n".join(["path,label,split,kind", *rows, "0.mp4,neutral,train,neutral"]))
    report, _ = indexed("csv", tmp_path / "my")
    (said,) = report.warnings["validation"]
    assert said.startswith(
        "2 of 20 train clips are set aside for validation, since the set names none; --validation-sh"
    )
    (row,) = report.quarantined
    assert "clips.csv row 26: kind 'neutral': expected macro (an ordinary expression), micro" in row["reason"]
    assert "what the face shows, neutral or an emotion, is the column label" in row["reason"]


def test_folders_of_subjects_below_a_class_are_read_and_kept_together(tmp_path: Path, touch: Touch) -> None:
    for person in ("anna", "ben", "carl", "dora", "emil"):
        touch(f"my/anger/{person}/a.mp4", f"my/anger/{person}/b/1.jpg", f"my/joy/{person}/x/y.gif", "my/joy/z.3gp")
    report, paths = indexed("folder", tmp_path / "my")
    assert len(paths) == 16
    clips = {clip.path: clip for clip in read_clips(tmp_path / "out")}
    assert clips["my/anger/anna/a.mp4".removeprefix("my/")].subject == "anna"
    assert clips["joy/z.3gp"].subject is None
    assert len({clip.test_fold for clip in clips.values() if clip.subject == "ben"}) == 1
    assert "taken for subjects (5: anna, ben, carl, ...)" in report.warnings["subjects"][0]


def test_what_is_no_video_is_quarantined_by_the_index_with_its_remedy(tmp_path: Path, touch: Touch) -> None:
    touch(*(f"my/{label}/{i}.mp4" for label in ("anger", "joy") for i in range(3)))
    (tmp_path / "my/anger/0.mp4").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    (tmp_path / "my/joy/0.mp4").write_text("<!doctype html><title>Sign in</title>")
    report, paths = indexed("folder", tmp_path / "my")
    assert len(paths) == 4
    reasons = " ".join(row["reason"] for row in report.quarantined)
    assert "a Git LFS pointer" in reasons
    assert "run `git lfs pull`" in reasons
    assert "a web page" in reasons


def test_the_order_of_images_that_cannot_be_told_is_in_the_report(tmp_path: Path, frames: Frames) -> None:
    for label in ("anger", "joy"):
        for clip in ("a", "b"):
            frames(f"my/{label}/{clip}", [1, 2, 3, 400], "frame_{}_crop_0.jpg")
    frames("my/joy/c", ["x", "y"])
    report = index_clips("folder", tmp_path / "my", tmp_path / "out", assume_fps=25)
    assert report.warnings["frame order"][0].startswith("joy/c: the order of the images is not sure")
    assert report.warnings["holes"][0] == "anger/a: no image for 15.84 s after frame_3_crop_0.jpg"
    assert json.loads((tmp_path / "out" / "index_report.json").read_text())["warnings"]["holes"]
