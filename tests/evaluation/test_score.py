"""Scoring anyone's file: free text or scores in, metrics and report out, coverage checked against the index."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emotrain.atomic_files import write_table
from emotrain.emotions import LABEL_SETS, label_set
from emotrain.evaluation.score import score_arms, score_file
from emotrain.metrics.predictions import PredictionTable, write_predictions
from emotrain.records import Clip, Prediction, to_table

DFEW = LABEL_SETS["dfew"]
REPLIES = {
    "happiness": "She is clearly happy.",
    "sadness": "The man looks sad.",
    "neutral": '{"emotion": "neutral"}',
    "anger": "Not fear: anger.",
    "surprise": "surprise or fear",
    "disgust": "I cannot tell.",
    "fear": "惊讶",
}
"""Four right, one ambiguous, one unparsed, one wrong."""


def write_replies(path: Path, arms: tuple[str, ...] = ("model",), per_class: int = 4) -> Path:
    rows = [
        {"video": f"{label}{i}", "fold": 1, "gold": label, "reply": reply, "arm": arm}
        for arm in arms
        for label, reply in REPLIES.items()
        for i in range(per_class)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def index(per_class: int = 4) -> dict[str, Clip]:
    """Fold 1 is what the file scores; fold 2 is the training part, where disgust is rare."""
    test = [Clip(f"{label}{i}", "x.mp4", label, test_fold=1, kind="micro" if i else "macro")
            for label in DFEW.labels for i in range(per_class)]  # fmt: skip
    train = [Clip(f"{label}-t{i}", "x.mp4", label, test_fold=2)
             for label in DFEW.labels for i in range(1 if label == "disgust" else 10)]  # fmt: skip
    return {clip.clip_id: clip for clip in test + train}


def write_index(data: Path, clips: dict[str, Clip]) -> Path:
    metadata = {"root": str(data), "dataset": "dfew", "label_set": "dfew"}
    write_table(to_table(clips.values(), Clip, metadata), data / "clips.parquet")
    return data


def test_free_text_is_scored_into_metrics_and_a_report(tmp_path: Path) -> None:
    data = write_index(tmp_path / "data", index())
    path = write_replies(tmp_path / "p.jsonl")
    (result,) = score_file(path, label_set="dfew", clips=data, out=tmp_path / "out", resamples=50)
    stored = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))
    assert stored["arms"]["model"] == result.metrics
    assert result.metrics["war"]["value"] == pytest.approx(4 / 7)
    assert result.metrics["rates"] == pytest.approx({"ambiguous": 1 / 7, "unparsed": 1 / 7})
    assert result.metrics["micro_accuracy"]["value"] == pytest.approx(4 / 7)
    assert [label for label, group in result.metrics["groups"].items() if group == "tail"] == ["disgust"]
    assert result.metrics["tail_recall"]["value"] == 0.0
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "14.3 % of the replies named several labels" in page
    assert "MAE-DFER" in page


def test_every_arm_of_a_file_is_scored_or_the_one_asked_for(tmp_path: Path) -> None:
    path = write_replies(tmp_path / "p.jsonl", ("first", "second"))
    arms = score_arms(path, label_set=DFEW, resamples=20)
    assert [arm.name for arm in arms] == ["first", "second"]
    (only,) = score_arms(path, label_set=DFEW, arm="second", resamples=20)
    assert only.metrics == arms[1].metrics


def test_a_missing_clip_stops_the_score_before_anything_is_written(tmp_path: Path) -> None:
    clips = index() | {"late": Clip("late", "x.mp4", "fear", test_fold=1)}
    data, path = write_index(tmp_path / "data", clips), write_replies(tmp_path / "p.jsonl")
    with pytest.raises(ValueError, match="1 clips have no prediction: late"):
        score_file(path, label_set="dfew", clips=data, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_arms_that_cannot_be_compared_leave_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("clip,label,pred,arm\na,fear,fear,x\nb,anger,fear,x\na,fear,fear,y\n")
    with pytest.raises(ValueError, match=r"arm 'y' cannot be set beside 'x': .*in one table only: b"):
        score_file(path, label_set="anger, fear", out=tmp_path / "out", resamples=20)
    assert not (tmp_path / "out").exists()


def test_differences_of_arms_are_those_of_the_report(tmp_path: Path) -> None:
    path = write_replies(tmp_path / "p.jsonl", ("first", "second"))
    arms = score_file(path, label_set="dfew", out=tmp_path / "out", resamples=20)
    stored = json.loads((tmp_path / "out" / "differences.json").read_text("utf-8"))
    assert stored["reference"] == "first"
    assert stored["arms"]["second"]["war"]["value"] == 0.0
    assert set(json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))["arms"]) == {a.name for a in arms}


def test_a_blank_fold_cell_stops_the_score(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("clip,label,pred,fold\na,fear,fear,1\nb,anger,fear,\nc,fear,fear,2\n")
    with pytest.raises(ValueError, match=r"p\.csv: 1 of 3 clips have no fold, such as b; fill in"):
        score_file(path, label_set="anger, fear", out=tmp_path / "out", resamples=20)
    assert not (tmp_path / "out").exists()


def test_published_counts_are_those_of_the_set_that_is_named(tmp_path: Path) -> None:
    """FERV39k shares DFEW's labels but not its rare classes; its counts are unpublished here."""
    path = write_replies(tmp_path / "p.jsonl")
    (dfew,) = score_arms(path, label_set=DFEW, resamples=20)
    (ferv39k,) = score_arms(path, label_set=LABEL_SETS["ferv39k"], resamples=20)
    (own,) = score_arms(path, label_set=label_set(", ".join(DFEW.labels)), resamples=20)
    assert dfew.metrics["groups"]["disgust"] == "tail"
    assert ferv39k.metrics["groups"] is own.metrics["groups"] is None


@pytest.mark.parametrize(("name", "grouped"), [("mafw", True), ("dfew", False), ("smic", False)])
def test_an_unnamed_set_is_recognised_only_where_its_labels_are_of_one_set(
    tmp_path: Path, name: str, grouped: bool
) -> None:
    labels = LABEL_SETS[name].labels
    rows = tuple(Prediction(label, None, label, label, tuple(map(float, np.eye(len(labels))[i])))
                 for i, label in enumerate(labels))  # fmt: skip
    write_predictions(PredictionTable(labels, rows), tmp_path / "p.parquet")
    (result,) = score_arms(tmp_path / "p.parquet", resamples=20)
    assert (result.metrics["groups"] is not None) == grouped


def test_groups_follow_given_counts_before_published_ones(tmp_path: Path) -> None:
    path = write_replies(tmp_path / "p.jsonl")
    counts = dict.fromkeys(DFEW.labels, 10) | {"anger": 1}
    (given,) = score_arms(path, label_set=DFEW, groups_from=counts, resamples=20)
    (published,) = score_arms(path, label_set=DFEW, resamples=20)
    assert given.metrics["groups"]["anger"] == "tail"
    assert published.metrics["groups"]["anger"] == "head"
    assert published.metrics["groups"]["disgust"] == "tail"


def test_label_sets_from_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("clip_id,label,predicted\n" + "".join(f"c{n},{w},{w}\n" for n, w in enumerate(["angry", "calm"])))
    (own,) = score_file(path, out=tmp_path, label_set="Angry, calm", resamples=20)
    assert own.table.labels == ("anger", "calm")
    with pytest.raises(ValueError, match="did you mean 'dfew'"):
        score_file(path, out=tmp_path, label_set="dfev")
    with pytest.raises(ValueError, match="different labels"):
        score_file(path, out=tmp_path, label_set="happy,joy")
