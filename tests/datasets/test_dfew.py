"""DFEW in its official layout and in the variants that circulate."""

import pytest

from emotrain.datasets.clips import read_index
from emotrain.datasets.index import index_clips
from emotrain.datasets.reading import LayoutError, UnknownLabel
from emotrain.datasets.splits import select

WORDS = ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")
NAMES = ("happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear")
LABELS = {number: 1 + number % 7 for number in range(1, 36)}


def fold_of(number: int) -> int:
    return 1 + number // 7 % 5


@pytest.fixture
def dfew(tmp_path, text, touch, sheet):
    """35 clips, five of each class; options vary what circulating copies vary."""

    def make(names="set_{k}.csv", padded=False, media=("original",), folds=range(1, 6), annotation=True):
        spell = (lambda n: f"{n:05d}") if padded else str
        for k in folds:
            for part in ("train", "test"):
                rows = [n for n in LABELS if (fold_of(n) == k) == (part == "test")]
                lines = ["video_name,label", *(f"{spell(n)},{LABELS[n]}" for n in rows)]
                text(f"EmoLabel_DataSplit/{part}(single-labeled)/{names.format(k=k, part=part)}", "\n".join(lines))
        for number in LABELS:
            if "original" in media:
                touch(f"Clip/original/{number}.mp4")
            if "clip_224x224" in media:
                touch(*(f"Clip/clip_224x224/{number:05d}/{number:05d}_{i:05d}.jpg" for i in range(1, 4)))
            if "clip_224x224_16f" in media:
                touch(*(f"Clip/clip_224x224_16f/{number:05d}/{i}.jpg" for i in range(1, 17)))
        if annotation:
            head = [f"{i}{word}" for i, word in enumerate(WORDS, start=1)]
            rows = [[10 if LABELS[n] == c else 0 for c in range(1, 8)] + [n, LABELS[n]] for n in LABELS]
            rows[1] = [0, 0, 6, 4, 0, 0, 0, 2, 3]
            rows[2] = [0] * 7 + [3, 0]
            sheet("Annotation/annotation.xlsx", [[*head, "order", "label"], *rows])
        return tmp_path

    return make


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("names", ["set_{k}.csv", "{part}_set_{k}.csv"])
def test_every_clip_has_its_name_label_and_fold_in_all_variants(dfew, tmp_path, padded, names):
    report = index_clips("dfew", dfew(names, padded), tmp_path / "out")
    clips = {clip.clip_id: clip for clip in read_index(tmp_path / "out")}
    assert set(clips) == {f"{n:05d}" for n in LABELS}
    for number, code in LABELS.items():
        clip = clips[f"{number:05d}"]
        assert (clip.path, clip.label, clip.test_fold) == (
            f"Clip/original/{number}.mp4",
            NAMES[code - 1],
            fold_of(number),
        )
    assert {label: counts["all"] for label, counts in report.counts.items()} == dict.fromkeys(NAMES, 5)
    assert report.counts["disgust"] == {"all": 5, **{f"fold {k}": 1 for k in range(1, 6)}}
    assert "folds" not in report.warnings


def test_votes_become_shares_and_a_row_without_votes_is_warned_about(dfew, tmp_path):
    report = index_clips("dfew", dfew(), tmp_path / "out")
    clips = {clip.clip_id: clip for clip in read_index(tmp_path / "out")}
    assert clips["00001"].votes == {"sadness": 1.0}
    assert clips["00002"].votes == {"neutral": 0.6, "anger": 0.4}
    assert clips["00003"].votes is None
    assert report.warnings["soft labels"] == [
        "annotation.xlsx row 4: votes [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] are no distribution"
    ]


def test_frame_folders_are_indexed_and_counted_where_there_are_no_videos(dfew, tmp_path):
    root = dfew(media=("clip_224x224", "clip_224x224_16f"), annotation=False)
    report = index_clips("dfew", root, tmp_path / "a", assume_fps=25.0)
    clip = read_index(tmp_path / "a").clips[0]
    assert (clip.path, clip.n_frames, clip.fps, clip.duration_s) == ("Clip/clip_224x224/00001", 3, 25.0, 3 / 25)
    assert "annotation.xlsx is missing" in report.warnings["soft labels"][0]
    index_clips("dfew", root, tmp_path / "b", media="clip_224x224_16f")
    clip = read_index(tmp_path / "b").clips[0]
    assert (clip.path, clip.n_frames, clip.fps) == ("Clip/clip_224x224_16f/00001", 16, None)
    with pytest.raises(LayoutError, match=r"--media 'original': no folder .*Clip/original"):
        index_clips("dfew", root, tmp_path / "c", media="original")
    with pytest.raises(LayoutError, match="--media 'faces': DFEW has original, clip_224x224"):
        index_clips("dfew", root, tmp_path / "c", media="faces")


def test_an_unreadable_vote_table_costs_the_soft_labels_and_nothing_else(dfew, tmp_path, sheet):
    root = dfew()
    sheet("Annotation/annotation.xlsx", [["happy", "sad", "order"], [10, 0, 1]])
    report = index_clips("dfew", root, tmp_path / "out")
    assert all(clip.votes is None for clip in read_index(tmp_path / "out"))
    assert "no sheet has the columns" in report.warnings["soft labels"][0]


def test_one_fold_alone_keeps_the_clips_of_its_train_list(dfew, tmp_path):
    report = index_clips("dfew", dfew(folds=[2]), tmp_path / "out")
    index = read_index(tmp_path / "out")
    assert len(index) == 35
    assert report.warnings["folds"] == ["no test list for fold 1, 3, 4, 5"]
    assert len(index.select("test", 2)) == 7
    assert len(select(index.clips, "train", 2, validation_share=0)) == 28


def test_an_unknown_label_stops_with_file_row_value_and_the_nearest_name(dfew, tmp_path, text):
    root = dfew()
    text("EmoLabel_DataSplit/test(single-labeled)/set_1.csv", "video_name,label\n1,2\n2,supprise\n")
    with pytest.raises(UnknownLabel, match=r"set_1\.csv row 3: label 'supprise' .* did you mean 'surprise'\?"):
        index_clips("dfew", root, tmp_path / "out")
    text("EmoLabel_DataSplit/test(single-labeled)/set_1.csv", "video_name,label\n1,9\n")
    with pytest.raises(UnknownLabel, match=r"row 2: label '9' is no code of DFEW, expected 1 happiness, .*correct the"):
        index_clips("dfew", root, tmp_path / "out")
    assert not (tmp_path / "out" / "clips.parquet").exists()


def test_contradictions_between_the_lists_are_named(dfew, tmp_path, text):
    root = dfew()
    rows = [f"{n},{LABELS[n]}" for n in LABELS if fold_of(n) == 1]
    text(
        "EmoLabel_DataSplit/test(single-labeled)/set_1.csv",
        "\n".join(["video_name,label", *rows, rows[0], "7,1", "8,7", "clip nine,3"]),
    )
    report = index_clips("dfew", root, tmp_path / "out", max_bad_share=0.2)
    assert "set_1.csv row 9: clip 00001 is listed twice in this file" in report.warnings["duplicate row"][0]
    assert (
        "clip 00007 is in the test lists of folds 1 and 2: kept in fold 1" in report.warnings["test folds overlap"][0]
    )
    assert "fold 1: 2 clips are in both lists, first 00007: they are test" in report.warnings["train and test overlap"]
    reasons = {row["clip_id"]: row["reason"] for row in report.quarantined}
    assert "'clip nine' is no clip number" in reasons["clip nine"]
    assert "says surprise" not in reasons["00008"]
    assert "set_1.csv row 11 says fear" in reasons["00008"]


def test_only_a_header_is_skipped(dfew, tmp_path, text):
    root = dfew()
    file = "EmoLabel_DataSplit/test(single-labeled)/set_1.csv"
    text(file, "\nvideo_name,label\n1,2\n")
    assert not index_clips("dfew", root, tmp_path / "a").quarantined
    text(file, "clip7.mp4,7\n1,2\n")
    report = index_clips("dfew", root, tmp_path / "b", max_bad_share=0.1)
    assert [(row["clip_id"], row["label"]) for row in report.quarantined] == [("clip7.mp4", "fear")]
    assert "set_1.csv row 1: 'clip7.mp4' is no clip number" in report.quarantined[0]["reason"]


def test_files_are_found_in_capital_letters_too(dfew, tmp_path, text):
    root = dfew()
    (root / "Clip/original/3.mp4").rename(root / "Clip/original/3.MP4")
    file = root / "EmoLabel_DataSplit/test(single-labeled)/set_1.csv"
    file.write_text(file.read_text().replace("\n1,", "\n1.MP4,"))
    report = index_clips("dfew", root, tmp_path / "out")
    clips = {clip.clip_id: clip.path for clip in read_index(tmp_path / "out")}
    assert clips["00003"] == "Clip/original/3.MP4"
    assert clips["00001"] == "Clip/original/1.mp4"
    assert report.quarantined == []


def test_the_clip_name_counts_where_an_order_stands_beside_it(dfew, tmp_path, sheet):
    root = dfew()
    head = [f"{i}{word}" for i, word in enumerate(WORDS, start=1)]
    sheet("Annotation/annotation.xlsx", [[*head, "order", "clip name"], [10, 0, 0, 0, 0, 0, 0, 1, "00002"]])
    index_clips("dfew", root, tmp_path / "out")
    clips = {clip.clip_id: clip.votes for clip in read_index(tmp_path / "out")}
    assert (clips["00001"], clips["00002"]) == (None, {"happiness": 1.0})


def test_a_folder_without_the_lists_says_what_was_expected_where(tmp_path):
    with pytest.raises(LayoutError, match=r"the split lists not found; expected one of EmoLabel_DataSplit"):
        index_clips("dfew", tmp_path, tmp_path / "out")
    with pytest.raises(LayoutError, match="no such folder; --root is the folder"):
        index_clips("dfew", tmp_path / "nowhere", tmp_path / "out")


def test_the_data_set_may_lie_one_folder_deeper(dfew, tmp_path):
    root = dfew()
    (tmp_path / "parent").mkdir()
    for name in ("EmoLabel_DataSplit", "Clip", "Annotation"):
        (root / name).rename(tmp_path / "parent" / name)
    index_clips("dfew", tmp_path, tmp_path / "out")
    assert read_index(tmp_path / "out").clips[0].path == "parent/Clip/original/1.mp4"
    assert read_index(tmp_path / "out").clips[0].votes == {"sadness": 1.0}
