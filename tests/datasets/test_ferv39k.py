"""FERV39k in its official layout."""

import pytest

from emotrain.datasets.clips import read_index
from emotrain.datasets.index import index_clips
from emotrain.datasets.reading import UnknownLabel

FOLDERS = ("Happy", "Sad", "Neutral", "Angry", "Surprise", "Disgust", "Fear")


@pytest.fixture
def ferv39k(tmp_path, text, frames):
    rows = {"train": [], "test": []}
    for scene in ("Kitchen", "Station"):
        for emotion in FOLDERS:
            for number in range(6):
                part = "test" if number == 5 else "train"
                rows[part].append(f"{scene}/{emotion}/{number:04d} {emotion}")
                frames(f"2_ClipsforFaceCrop/{scene}/{emotion}/{number:04d}", range(1, 3 + number), "{:04d}.jpg")
    for part, lines in rows.items():
        text(f"4_setups/All_scenes/{part}_All.csv", "\n".join(lines) + "\n")
    return tmp_path


def test_all_rows_are_clips_the_first_one_too(ferv39k, tmp_path):
    report = index_clips("ferv39k", ferv39k, tmp_path / "out")
    index = read_index(tmp_path / "out")
    assert len(index) == 84
    assert len(index.select("test")) == 14
    assert len(index.select("train")) + len(index.select("validation")) == 70
    first = next(clip for clip in index if clip.clip_id == "Kitchen/Happy/0000")
    assert (first.label, first.n_frames, first.path) == ("happiness", 2, "2_ClipsforFaceCrop/Kitchen/Happy/0000")
    assert report.counts["anger"]["all"] == 12
    assert {clip.label for clip in index.select("validation")} == set(report.counts)


def test_dirty_rows_are_named(ferv39k, tmp_path):
    with (ferv39k / "4_setups/All_scenes/train_All.csv").open("a") as file:
        file.write("Kitchen/Happy/0005 Happy\nKitchen/Sad/0007 Fear\nnowhere Happy\nKitchen/Fear/0999 Fear\n")
        file.write("Kitchen/Fear/0001 Fear\nKitchen/Angry/0001 Disgust\n")
    (ferv39k / "2_ClipsforFaceCrop/Kitchen/Sad/0001").rename(ferv39k / "2_ClipsforFaceCrop/Kitchen/Sad/0007")
    train = ferv39k / "4_setups/All_scenes/train_All.csv"
    train.write_text(train.read_text().replace("Kitchen/Sad/0001 Sad\n", ""))
    report = index_clips("ferv39k", ferv39k, tmp_path / "out", max_bad_share=0.1)
    clips = {clip.clip_id: clip for clip in read_index(tmp_path / "out")}
    assert clips["Kitchen/Happy/0005"].split == "test"
    assert clips["Kitchen/Sad/0007"].label == "fear"
    assert report.warnings["label and folder"] == [
        "train_All.csv row 71: label 'fear' but the clip lies in 'Sad': the label counts"
    ]
    assert report.warnings["duplicate row"] == [
        "train_All.csv row 74: Kitchen/Fear/0001 is listed again",
        "test_All.csv row 1: Kitchen/Happy/0005 is listed first for train, now for test",
    ]
    reasons = {row["clip_id"]: row["reason"] for row in report.quarantined}
    assert "is not Scene/Emotion/number" in reasons["nowhere"]
    assert reasons["Kitchen/Fear/0999"].startswith("missing: ")
    assert reasons["Kitchen/Angry/0001"] == (
        "two labels: train_All.csv row 16 says anger, train_All.csv row 75 says disgust"
    )
    assert "Kitchen/Angry/0001" not in clips
    assert report.quarantined_counts == {"happiness": 1, "anger": 1, "fear": 1}


def test_an_unknown_label_stops(ferv39k, tmp_path):
    with (ferv39k / "4_setups/All_scenes/test_All.csv").open("a") as file:
        file.write("Kitchen/Happy/0001 Hapy\n")
    with pytest.raises(UnknownLabel, match=r"test_All\.csv row 15: label 'Hapy'.*did you mean 'happy'"):
        index_clips("ferv39k", ferv39k, tmp_path / "out")
