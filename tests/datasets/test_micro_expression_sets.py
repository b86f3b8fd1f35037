"""The laboratory micro-expression sets, dirt included: CASME II, SAMM, CAS(ME)^3, SMIC, MMEW and the composite."""

import json

import pytest

from emotrain.datasets.clips import read_index
from emotrain.datasets.index import index_clips
from emotrain.datasets.reading import LayoutError, UnknownLabel
from emotrain.datasets.splits import folds
from emotrain.records import Clip

CASME2_HEAD = [
    "Subject",
    "Filename",
    None,
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    None,
    "Action Units",
    "Estimated Emotion",
]
SAMM_HEAD = [
    "Subject",
    "Filename",
    "Inducement Code",
    "Onset Frame",
    "Apex Frame",
    "Offset Frame",
    "Duration",
    "Micro",
    "Action Units",
    "Estimated Emotion",
    "Objective Classes",
    "Notes",
]
SMIC_HEAD = [None, "subject", "material", "emotion", "onset", "offset"]
CASME3_HEAD = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]


def clips_of(out) -> dict[str, Clip]:
    return {clip.clip_id: clip for clip in read_index(out)}


@pytest.fixture
def casme2(tmp_path, sheet, frames):
    """A clean and six dirty rows; `base` puts the set below a folder."""

    def make(base="", extra=()):
        rows = [
            [1, "EPa", None, 46, 59, 86, None, "4+7+L10", "disgust"],
            [1, "EPb", None, 20, "/", 40, None, "R12 + R15 or 17", "happiness"],
            [2, "EPa", None, 60, 70, 51, None, "1，2", "surprise"],
            [2, "EPb", None, 10, 99, 30, None, "?", "repression"],
            [3, "EPa", None, "1O", 12, 20, None, 4, "others"],
            [3, "EPb", None, 10, 15, 30, None, "R14A", "fear"],
            [3, "EPb", None, 11, 15, 30, None, "14", "sadness"],
            *extra,
        ]
        sheet(f"{base}CASME2-coding-20990101.xlsx", [CASME2_HEAD, *rows])
        for subject, name, numbers in [
            (1, "EPa", range(40, 100)),
            (1, "EPb", range(20, 41)),
            (2, "EPa", range(50, 80)),
            (2, "EPb", range(10, 31)),
            (3, "EPa", range(10, 21)),
            (3, "EPb", [n for n in range(10, 31) if n not in (14, 15)]),
        ]:
            frames(f"{base}CASME2_RAW_selected/sub{subject:02d}/{name}", numbers, "img{}.jpg")
        return tmp_path

    return make


def test_a_clean_row_has_subject_times_and_action_units(casme2, tmp_path):
    index_clips("casme2", casme2(), tmp_path / "out", max_bad_share=0.2)
    clip = clips_of(tmp_path / "out")["sub01/EPa"]
    assert clip == Clip(
        clip_id="sub01/EPa",
        path="CASME2_RAW_selected/sub01/EPa",
        label="disgust",
        test_fold=1,
        subject="sub01",
        kind="micro",
        fps=200.0,
        n_frames=60,
        duration_s=0.3,
        onset_s=6 / 200,
        apex_s=19 / 200,
        offset_s=46 / 200,
        action_units=("4", "7", "L10"),
    )


def test_each_kind_of_dirt_has_its_own_warning_that_names_the_row(casme2, tmp_path):
    report = index_clips("casme2", casme2(), tmp_path / "out", max_bad_share=0.2)
    clips = clips_of(tmp_path / "out")
    file = "CASME2-coding-20990101.xlsx"
    assert report.warnings["missing apex"] == [f"{file} row 3 (sub01/EPb): apex is '/'"]
    assert (clips["sub01/EPb"].onset_s, clips["sub01/EPb"].apex_s) == (0.0, None)
    assert report.warnings["offset before onset"] == [
        f"{file} row 4 (sub02/EPa): onset 60, offset 51: the offset was dropped"
    ]
    assert (clips["sub02/EPa"].onset_s, clips["sub02/EPa"].offset_s) == (10 / 200, None)
    assert report.warnings["apex outside onset and offset"][0].startswith(
        f"{file} row 5 (sub02/EPb): onset 10, apex 99"
    )
    assert report.warnings["frame number"] == [
        f"{file} row 6: column 'onset' holds '1O', expected a number: taken as missing (sub03/EPa)"
    ]
    assert report.warnings["missing frames"] == [
        f"{file} row 7 (sub03/EPb): 2 of the 21 annotated frames have no image, first: 14"
    ]
    assert clips["sub03/EPb"].offset_s == 20 / 200, "a missing image moves nothing"
    assert clips["sub03/EPb"].duration_s == 21 / 200
    assert report.warnings["action units"] == [f"{file} row 3 (sub01/EPb): 'R15 or 17' leaves a choice: 'R15' was kept"]
    assert [clips[name].action_units for name in ("sub01/EPb", "sub02/EPa", "sub02/EPb", "sub03/EPa", "sub03/EPb")] == [
        ("R12", "R15"),
        ("1", "2"),
        (),
        ("4",),
        ("R14",),
    ]
    assert report.quarantined == [
        {
            "clip_id": "sub03/EPb",
            "label": "sadness",
            "path": "CASME2_RAW_selected/sub03/EPb",
            "reason": f"{file} row 8: duplicate of an earlier row with the same subject and file name",
        }
    ]


def test_a_missing_frame_folder_and_an_incomplete_row_are_quarantined(casme2, tmp_path):
    extra = [
        [4, "EPx", None, 1, 2, 3, None, "4", "disgust"],
        [4, None, None, 1, 2, 3, None, "4", "fear"],
        [4, "../../../secret", None, 1, 2, 3, None, "4", "fear"],
    ]
    root = casme2(extra=extra)
    report = index_clips("casme2", root, tmp_path / "out", max_bad_share=0.5)
    reasons = {row["clip_id"]: row["reason"] for row in report.quarantined}
    assert reasons["sub04/EPx"].startswith("missing: ")
    assert "row 10: incomplete row (subject '4', file ''" in reasons[""]
    assert "row 11: path" in reasons["sub04/../../../secret"]
    assert "leaves the data root" in reasons["sub04/../../../secret"]


@pytest.mark.parametrize(
    ("marks", "images", "seconds"),
    [
        ((10, 60, 70), [*range(1, 21), *range(51, 81)], (9 / 200, 59 / 200, 69 / 200)),
        ((20, 35, 60), range(1, 42), (0.0, 15 / 200, 40 / 200)),
        ((1, 11, 41), range(41), (0.0, 10 / 200, 40 / 200)),
        ((20, 35, 60), [n for n in range(1, 42) if n != 7], (0.0, 15 / 200, 40 / 200)),
        ((20, 35, 60), range(1, 43), (19 / 200, 34 / 200, None)),
        ((46, 60, 86), range(46, 90, 4), (0.0, 14 / 200, 40 / 200)),
    ],
    ids=["hole", "from 1", "from 0", "from 1 with a hole", "longer", "every fourth"],
)
def test_marks_stay_on_their_images(tmp_path, sheet, frames, marks, images, seconds):
    onset, apex, offset = marks
    sheet("CASME2-coding-1.xlsx", [CASME2_HEAD, [1, "EP", None, onset, apex, offset, None, "4", "disgust"]])
    frames("CASME2_RAW_selected/sub01/EP", images, "img{}.jpg")
    frames("CASME2_RAW_selected/sub01/EP", images, "._img{}.jpg")
    index_clips("casme2", tmp_path, tmp_path / "out")
    clip = clips_of(tmp_path / "out")["sub01/EP"]
    assert (clip.onset_s, clip.apex_s, clip.offset_s) == pytest.approx(seconds)
    assert clip.n_frames == len(images)
    assert clip.fps == (50.0 if len(images) == 11 else 200.0)
    assert clip.duration_s == pytest.approx((max(images) - min(images)) / 200 + 1 / clip.fps)


def test_marks_of_images_without_distinct_numbers_are_dropped_with_a_warning(casme2, tmp_path, touch):
    root = casme2()
    touch("CASME2_RAW_selected/sub01/EPa/img46b.jpg")
    report = index_clips("casme2", root, tmp_path / "out", max_bad_share=0.2)
    clip = clips_of(tmp_path / "out")["sub01/EPa"]
    assert (clip.onset_s, clip.apex_s, clip.offset_s, clip.n_frames) == (None, None, None, 61)
    assert report.warnings["images without numbers"] == [
        "CASME2-coding-20990101.xlsx row 2 (sub01/EPa): onset 46, apex 59, offset 86 were dropped: "
        "the images are not numbered apart"
    ]


def test_frames_may_lie_one_folder_deeper_as_the_archive_unpacks(casme2, tmp_path):
    root = casme2()
    (root / "CASME2_RAW_selected").rename(root / "inner")
    (root / "CASME2_RAW_selected").mkdir()
    (root / "inner").rename(root / "CASME2_RAW_selected/CASME2_RAW_selected")
    index_clips("casme2", root, tmp_path / "out", max_bad_share=0.2)
    path = "CASME2_RAW_selected/CASME2_RAW_selected/sub01/EPa"
    assert clips_of(tmp_path / "out")["sub01/EPa"].path == path
    index_clips("casme2", root, tmp_path / "b", max_bad_share=0.2, media="CASME2_RAW_selected/CASME2_RAW_selected")
    assert clips_of(tmp_path / "b")["sub01/EPa"].path == path


def test_every_subject_is_a_fold(casme2, tmp_path):
    index_clips("casme2", casme2(), tmp_path / "out", max_bad_share=0.2)
    index = read_index(tmp_path / "out")
    assert folds(index.clips) == (1, 2, 3)
    assert {clip.subject for clip in index.select("test", 2)} == {"sub02"}
    assert {clip.test_fold for clip in index if clip.subject == "sub03"} == {3}


def test_an_unknown_emotion_stops(casme2, tmp_path):
    root = casme2(extra=[[4, "EPx", None, 1, 2, 3, None, "4", "disgustt"]])
    with pytest.raises(
        UnknownLabel, match=r"CASME2-coding-20990101\.xlsx row 9: label 'disgustt'.*did you mean 'disgust'"
    ):
        index_clips("casme2", root, tmp_path / "out")


@pytest.fixture
def samm(tmp_path, sheet, frames):
    def make(base="", subject=6):
        preamble = [["SAMM micro-movements"], [], *[[f"note {i}"] for i in range(11)]]
        rows = [
            [subject, "006_x_1", "x", 5562, 5588, 5632, 71, "Yes", "4+7", "Anger", 3, None],
            [subject, "006_x_2", "x", 100, 110, 120, 21, "Yes", "R12 or R15", "Other", 7, "unclear"],
            ["007", "007_x_1", "x", 50, 60, 70, 21, "Yes", "L12+14", "Contempt", 6, None],
            ["007", "007_x_2", "x", 50, 60, 70, 21, "Yes", "6+12", "Happiness", 1, None],
        ]
        sheet(
            f"{base}SAMM_Micro_FACS_Codes_v9.xlsx", [*preamble, SAMM_HEAD, *rows], title="MICRO_ONLY", before=["README"]
        )
        frames(f"{base}006/006_x_1", range(5562, 5633), "006_{:05d}.jpg")
        frames(f"{base}006/006_x_2", range(90, 130), "006_{:05d}.jpg")
        frames(f"{base}007/007_x_1", range(50, 71), "007_{:05d}.jpg")
        frames(f"{base}007/007_x_2", range(50, 71), "007_{:05d}.jpg")
        return tmp_path

    return make


@pytest.mark.parametrize("subject", [6, "006"])
def test_samm_is_read_below_its_preamble(samm, tmp_path, subject):
    report = index_clips("samm", samm(subject=subject), tmp_path / "out")
    clips = clips_of(tmp_path / "out")
    assert set(clips) == {"006/006_x_1", "006/006_x_2", "007/007_x_1", "007/007_x_2"}
    first, second = clips["006/006_x_1"], clips["006/006_x_2"]
    assert (first.label, first.subject, first.n_frames, first.fps) == ("anger", "006", 71, 200.0)
    assert (first.onset_s, first.apex_s, first.offset_s) == (0.0, 26 / 200, 70 / 200)
    assert (second.label, second.onset_s) == ("others", 10 / 200)
    assert clips["007/007_x_1"].action_units == ("L12", "14")
    assert "row 16 (006/006_x_2): 'R12 or R15' leaves a choice" in report.warnings["action units"][0]


def test_casme3_folders_carry_the_onset_and_may_differ_in_case(tmp_path, sheet, frames):
    rows = [
        ["spNO.1", "a", 120, 128, 140, "4", "I", "happy"],
        ["spNO.1", "a", 300, 305, 310, "4+L2", "II", "sad"],
        ["spNO.22", "f", 7, 9, 12, "12", "I", "Others"],
    ]
    sheet("annotation/cas(me)3_part_A_ME_label_JpgIndex_v9.xlsx", [CASME3_HEAD, *rows], title="label", before=["notes"])
    frames("Part_A_ME_clip/frame/spNO.1_a_120", range(120, 141))
    frames("Part_A_ME_clip/frame/spNO.1_a_300", range(300, 311))
    frames("Part_A_ME_clip/frame/spNo.22_f_7", range(7, 13))
    index_clips("casme3", tmp_path, tmp_path / "out")
    clips = clips_of(tmp_path / "out")
    assert {name: clip.label for name, clip in clips.items()} == {
        "spNO.1_a_120": "happiness",
        "spNO.1_a_300": "sadness",
        "spNO.22_f_7": "others",
    }
    assert clips["spNO.22_f_7"].path == "Part_A_ME_clip/frame/spNo.22_f_7"
    assert clips["spNO.1_a_120"].apex_s == pytest.approx(8 / 30)
    assert {clip.subject for clip in clips.values()} == {"spNO.1", "spNO.22"}


@pytest.fixture
def smic(tmp_path, sheet, frames):
    def make(base="", annotated=True):
        clips = [(1, "negative", "s1_n_1"), (1, "positive", "s1_p_1"), (3, "surprise", "s3_s_1")]
        if annotated:
            rows = [[i, f"s{s}", name, emotion, 1000, 1030] for i, (s, emotion, name) in enumerate(clips)]
            sheet(f"{base}smic.xlsx", [SMIC_HEAD, *rows])
        for subject, emotion, name in clips:
            frames(f"{base}HS/s{subject}/micro/{emotion}/{name}", range(1000, 1031), "image{:06d}.jpg")
        return tmp_path

    return make


def test_smic_has_neither_apex_nor_action_units(smic, tmp_path):
    report = index_clips("smic", smic(), tmp_path / "out")
    clip = clips_of(tmp_path / "out")["s01/s1_n_1"]
    assert (clip.label, clip.subject, clip.path) == ("negative", "s01", "HS/s1/micro/negative/s1_n_1")
    assert (clip.onset_s, clip.apex_s, clip.offset_s, clip.n_frames) == (0.0, None, 0.3, 31)
    assert "missing apex" not in report.warnings


def test_smic_class_folders_may_begin_with_a_capital(smic, tmp_path):
    root = smic()
    (root / "HS/s1/micro/negative").rename(root / "HS/s1/micro/Negative")
    report = index_clips("smic", root, tmp_path / "out")
    assert clips_of(tmp_path / "out")["s01/s1_n_1"].path == "HS/s1/micro/Negative/s1_n_1"
    assert report.quarantined == []


def test_smic_without_its_table_is_read_from_the_folders(smic, tmp_path):
    report = index_clips("smic", smic(annotated=False), tmp_path / "out")
    clips = clips_of(tmp_path / "out")
    assert {name: clip.label for name, clip in clips.items()} == {
        "s01/s1_n_1": "negative",
        "s01/s1_p_1": "positive",
        "s03/s3_s_1": "surprise",
    }
    assert all(clip.onset_s is None for clip in clips.values())
    assert "smic.xlsx is missing" in report.warnings["annotation"][0]


def test_mmew_lies_in_class_folders_and_renumbered_frames_are_recognised(tmp_path, sheet, frames):
    head = [
        "Subject",
        "Filename",
        "OnsetFrame",
        "ApexFrame",
        "OffsetFrame",
        "Action Units",
        "Estimated Emotion",
        "remarks",
    ]
    rows = [
        [1, "S01-1", 5, 9, 14, "4", "disgust", None],
        [1, "S01-2", 105, 109, 114, "12", "happiness", None],
        [2, "S02-1", 105, 109, 120, "12", "others", "x"],
    ]
    sheet("MMEW_Micro_Exp.xlsx", [head, *rows])
    frames("Micro_Expression/disgust/S01-1", range(1, 21))
    frames("Micro_Expression/happiness/S01-2", range(1, 11))
    frames("Micro_Expression/others/S02-1", range(1, 11))
    report = index_clips("mmew", tmp_path, tmp_path / "out")
    clips = clips_of(tmp_path / "out")
    assert (clips["S01-1"].onset_s, clips["S01-1"].path) == (4 / 90, "Micro_Expression/disgust/S01-1")
    assert (clips["S01-2"].onset_s, clips["S01-2"].apex_s, clips["S01-2"].offset_s) == (0.0, 4 / 90, 9 / 90)
    assert (clips["S02-1"].onset_s, clips["S02-1"].offset_s) == (None, None)
    assert report.warnings["frame numbers outside the folder"] == [
        "MMEW_Micro_Exp.xlsx row 4 (S02-1): annotated 105..120, images 1..10: marks outside were dropped"
    ]


def test_the_composite_maps_three_sets_to_three_classes_and_68_style_subjects(smic, casme2, samm, tmp_path):
    smic("smic/")
    casme2("casme2/")
    root = samm("samm/")
    report = index_clips("megc2019", root, tmp_path / "out", max_bad_share=0.2)
    clips = clips_of(tmp_path / "out")
    assert {name: clip.label for name, clip in clips.items()} == {
        "smic/s01/s1_n_1": "negative",
        "smic/s01/s1_p_1": "positive",
        "smic/s03/s3_s_1": "surprise",
        "casme2/sub01/EPa": "negative",
        "casme2/sub01/EPb": "positive",
        "casme2/sub02/EPa": "surprise",
        "casme2/sub02/EPb": "negative",
        "samm/006/006_x_1": "negative",
        "samm/007/007_x_1": "negative",
        "samm/007/007_x_2": "positive",
    }
    assert clips["samm/006/006_x_1"].path == "samm/006/006_x_1"
    assert clips["casme2/sub01/EPa"].fps == 200.0
    assert clips["smic/s01/s1_n_1"].fps == 100.0
    assert clips["casme2/sub01/EPa"].subject == "casme2:sub01"
    assert len(folds(list(clips.values()))) == 6
    assert report.warnings["not in the composite"] == ["casme2: fear 1, others 1", "samm: others 1"]
    assert report.warnings["missing apex"][0].startswith("casme2: ")
    assert "negative: 5 annotated clips, 250 published" in report.warnings["counts"]


def test_an_incomplete_row_of_a_part_is_counted_in_its_class_of_the_composite(smic, casme2, samm, tmp_path):
    smic("smic/")
    casme2(
        "casme2/", extra=[[None, "EP7", None, 1, 2, 3, None, "4", "Happy"], [4, None, None, 1, 2, 3, None, "4", "?"]]
    )
    report = index_clips("megc2019", samm("samm/"), tmp_path / "out", max_bad_share=0.3)
    found = {row["reason"].partition(":")[0]: row["label"] for row in report.quarantined}
    assert found["CASME2-coding-20990101.xlsx row 9"] == "positive"
    assert found["CASME2-coding-20990101.xlsx row 10"] == "?"


def test_the_challenge_list_decides_where_it_is_there(smic, casme2, samm, tmp_path, text):
    smic("smic/")
    casme2("casme2/")
    root = samm("samm/")
    text(
        "combined_3class_gt.csv",
        "casme2,sub01,EPa,0\ncasme2,sub03,EPb,0\nsamm,6,006_x_1,0\nsmic,s01,s01_n_01,0\nsamm,8,008_x_1,2\n",
    )
    report = index_clips("megc2019", root, tmp_path / "out", max_bad_share=0.5)
    assert set(clips_of(tmp_path / "out")) == {
        "casme2/sub01/EPa",
        "casme2/sub03/EPb",
        "samm/006/006_x_1",
        "smic/s01/s1_n_1",
    }
    assert any("names it, the data set's annotation does not" in row["reason"] for row in report.quarantined)


def test_the_question_list_of_the_challenge_gives_coarse_classes(smic, casme2, samm, tmp_path, text):
    smic("smic/")
    casme2("casme2/")
    root = samm("samm/")
    coarse, fine = "What is the coarse expression class?", "What is the fine-grained expression class?"
    asked = [
        {"dataset": "casme2", "subject": "sub01", "filename": "EPa", "question": coarse, "answer": "negative"},
        {"dataset": "casme2", "subject": "sub01", "filename": "EPa", "question": fine, "answer": "disgust"},
        {"dataset": "casme2", "image_id": "sub03_EPb", "question": coarse, "answer": "others"},
        {"dataset": "casme2", "image_id": "sub01_EPb", "question": coarse, "answer": "positive"},
        {"dataset": "casme2", "image_id": "sub01_EPb", "question": coarse, "answer": "surprise"},
        {"dataset": "samm", "image_id": "006_x_1", "question": coarse, "answer": "Negative."},
        {"dataset": "smic", "subject": "s01", "filename": "s1_n_1", "question": coarse, "answer": "negative"},
        {"dataset": "samm", "subject": "008", "filename": "008_x_1", "question": coarse, "answer": "surprise"},
    ]
    lines = [json.dumps(row) for row in asked]
    file = text("me_vqa_samm_casme2_smic_v2.jsonl", "\n".join(lines) + "\n")
    report = index_clips("megc_vqa", root, tmp_path / "out", max_bad_share=0.5)
    clips = clips_of(tmp_path / "out")
    assert {name: clip.label for name, clip in clips.items()} == {
        "casme2/sub01/EPa": "negative",
        "casme2/sub03/EPb": "others",
        "samm/006/006_x_1": "negative",
        "smic/s01/s1_n_1": "negative",
    }
    reasons = " | ".join(row["reason"] for row in report.quarantined)
    assert f"two answers: {file.name} line 4 says positive, {file.name} line 5 says surprise" in reasons
    assert "names it, the data set's annotation does not" in reasons
    for bad, message in (
        ('{"dataset": "samm"}', r"line 9: no subject, filename, question, answer; found dataset"),
        ("no json", r"line 9: not JSON"),
        (json.dumps({**asked[0], "answer": "hapy"}), r"line 9: label 'hapy' is not in label set 'megc_vqa'"),
    ):
        file.write_text("\n".join([*lines, bad]))
        with pytest.raises((LayoutError, UnknownLabel), match=message):
            index_clips("megc_vqa", root, tmp_path / "out")
    file.write_text(lines[1])
    with pytest.raises(LayoutError, match="is it a test list"):
        index_clips("megc_vqa", root, tmp_path / "out")


def test_a_sheet_without_the_columns_or_no_workbook_at_all_is_named(tmp_path, sheet, text, frames):
    sheet("CASME2-coding-1.xlsx", [["Subject", "Name"], [1, "x"]])
    with pytest.raises(
        LayoutError, match=r"no sheet has the columns Subject, Filename, .*first rows found: Sheet1: Subject, Name"
    ):
        index_clips("casme2", tmp_path, tmp_path / "out")
    text("CASME2-coding-1.xlsx", "Subject,Filename\n")
    with pytest.raises(LayoutError, match=r"CASME2-coding-1\.xlsx: not a readable \.xlsx workbook"):
        index_clips("casme2", tmp_path, tmp_path / "out")
