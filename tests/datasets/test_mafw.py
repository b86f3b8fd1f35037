"""MAFW in its official layout: single and compound labels, captions, soft labels."""

import pytest

from emotrain.datasets.clips import read_index
from emotrain.datasets.index import index_clips
from emotrain.datasets.reading import LayoutError, UnknownLabel
from emotrain.emotions import LABEL_SETS

MAFW = LABEL_SETS["mafw"].labels
SINGLE = {number: MAFW[number % 11] for number in range(1, 56)}
COMPOUND = {
    1: "anger_disgust",
    2: "sadness_helplessness",
    3: "disgust_anger",
    4: "neutral",
    5: "fear_surprise",
    6: "anger",
}


def fold_of(number: int) -> int:
    return 1 + (number // 11) % 5


@pytest.fixture
def mafw(tmp_path, text, touch, sheet):
    """55 single and 6 compound clips; the captioned lists lack neutral, as the official ones do."""

    def make(no_caption=True, base="Train & Test Set"):
        for task, labels in (("single", SINGLE), ("compound", COMPOUND)):
            for k in range(1, 6):
                for part in ("train", "test"):
                    rows = [n for n in labels if (fold_of(n) == k) == (part == "test")]
                    plain = "\n".join(f"{n:05d}.mp4 {labels[n]}" for n in rows) + "\n"
                    if no_caption:
                        text(f"{base}/{task}/no_caption/set_{k}/{part}.txt", plain)
                    captioned = "\r\n".join(
                        f"{n:05d}.mp4\t{labels[n]}\t第{n}个人皱眉\tPerson {n} frowns, “slowly”."
                        for n in rows
                        if "neutral" not in labels[n]
                    )
                    text(f"{base}/{task}/with_caption/set_{k}/{part}.txt", captioned, encoding="gb18030")
        touch(*(f"data/clips/{n:05d}.mp4" for n in SINGLE))
        rows = [[f"{n:05d}.mp4", 0, *(1.0 if name == label else 0.0 for name in MAFW)] for n, label in SINGLE.items()]
        rows[0][2:4] = [0.25, 0.5]
        rows[0][4] = 0.25
        sheet("Labels/annotation.xlsx", [["clip", "invalid", *MAFW], *rows])
        return tmp_path

    return make


def test_single_labels_folds_paths_and_distribution(mafw, tmp_path):
    report = index_clips("mafw", mafw(), tmp_path / "out")
    index = read_index(tmp_path / "out")
    assert index.label_set == LABEL_SETS["mafw"]
    assert {c.clip_id: (c.path, c.label, c.test_fold) for c in index} == {
        f"{n:05d}": (f"data/clips/{n:05d}.mp4", label, fold_of(n)) for n, label in SINGLE.items()
    }
    assert index.clips[0].votes == {"anger": 0.25, "disgust": 0.5, "fear": 0.25}
    assert all(clip.caption is None and clip.labels == () for clip in index)
    assert {label: counts["all"] for label, counts in report.counts.items()} == dict.fromkeys(MAFW, 5)
    assert report.warnings["counts"][0] == "anger: 5 annotated clips, 1390 published"


@pytest.mark.parametrize(("caption", "expected"), [("en", "Person 1 frowns, “slowly”."), ("zh", "第1个人皱眉")])
def test_captions_are_read_as_gb18030_and_neutral_clips_stay_without(mafw, tmp_path, caption, expected):
    report = index_clips("mafw", mafw(), tmp_path / "out", caption=caption)
    clips = {clip.clip_id: clip for clip in read_index(tmp_path / "out")}
    assert clips["00001"].caption == expected
    assert len(clips) == 55
    assert {clip.label for clip in clips.values() if clip.caption is None} == {"neutral"}
    assert report.warnings["captions"] == ["neutral: 5 of 5 clips have no caption and are kept without"]


def test_captioned_lists_alone_warn_that_the_task_has_lost_a_class(mafw, tmp_path):
    report = index_clips("mafw", mafw(no_caption=False), tmp_path / "out")
    assert len(read_index(tmp_path / "out")) == 50
    assert "omit every neutral clip, so this is a 10-class task without neutral" in report.warnings["captions"][0]


def test_compound_labels_keep_their_parts_in_one_order(mafw, tmp_path):
    index_clips("mafw", mafw(), tmp_path / "out", labels="compound")
    index = read_index(tmp_path / "out")
    assert index.label_set.name == "mafw_compound"
    assert index.label_set.labels == ("anger", "neutral", "anger_disgust", "fear_surprise", "sadness_helplessness")
    clips = {clip.clip_id: clip for clip in index}
    assert clips["00003"].label == "anger_disgust"
    assert clips["00003"].labels == ("anger", "disgust")
    assert clips["00004"].labels == ("neutral",)


def test_misspelt_labels_are_understood_and_unknown_ones_stop(mafw, tmp_path, text):
    root = mafw()
    file = "Train & Test Set/single/no_caption/set_1/test.txt"
    text(file, "00001.mp4 Snxiety\n")
    report = index_clips("mafw", root, tmp_path / "out", max_bad_share=0.1)
    assert "test.txt row 1 says anxiety" in report.quarantined[0]["reason"]
    text(file, "00001.mp4 anger_hunger\n")
    with pytest.raises(UnknownLabel, match=r"no_caption/set_1/test\.txt row 1: label 'hunger'.*did you mean 'anger'"):
        index_clips("mafw", root, tmp_path / "out")


def test_files_are_found_in_capital_letters_too(mafw, tmp_path):
    root = mafw()
    (root / "data/clips/00003.mp4").rename(root / "data/clips/00003.MP4")
    file = root / "Train & Test Set/single/no_caption/set_1/test.txt"
    file.write_text(file.read_text().replace("00001.mp4", "00001.MP4"))
    report = index_clips("mafw", root, tmp_path / "out")
    clips = {clip.clip_id: clip.path for clip in read_index(tmp_path / "out")}
    assert (clips["00001"], clips["00003"]) == ("data/clips/00001.mp4", "data/clips/00003.MP4")
    assert report.quarantined == []


def test_odd_rows_are_quarantined_or_warned_about_by_row(mafw, tmp_path, text):
    root = mafw()
    with (root / "Train & Test Set/single/no_caption/set_1/test.txt").open("a") as file:
        file.write("movie.mp4 anger\n")
    captions = root / "Train & Test Set/single/with_caption/set_1/test.txt"
    captions.write_bytes(captions.read_bytes() + b"\r\n00002.mp4\tfear\r\n00003.mp4\thappiness\tx\tbad \xff byte\r\n")
    report = index_clips("mafw", root, tmp_path / "out", caption="en", max_bad_share=0.1)
    assert "'movie.mp4' is no clip name like 00001.mp4" in report.quarantined[0]["reason"]
    assert any("2 columns, expected 4" in message for message in report.warnings["captions"])
    assert any("neither UTF-8 nor gb18030" in message for message in report.warnings["captions"])


def test_unknown_options_are_refused(mafw, tmp_path):
    root = mafw()
    with pytest.raises(LayoutError, match="--labels 'double': expected single or compound"):
        index_clips("mafw", root, tmp_path / "out", labels="double")
    with pytest.raises(LayoutError, match="--caption 'fr': expected en or zh"):
        index_clips("mafw", root, tmp_path / "out", caption="fr")
    with pytest.raises(
        ValueError, match="data set 'mafw' has no option --label-set; it knows --media, --labels, --caption"
    ):
        index_clips("mafw", root, tmp_path / "out", label_set="mafw")
