"""Reading anyone's predictions: every layout gives the same table, and everything wrong is said with its rows."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest

from emotrain.metrics.predictions import (
    PredictionTable,
    arms_in,
    check_coverage,
    check_folds,
    read_predictions,
    write_predictions,
)
from emotrain.records import Clip, Prediction

LABELS = ("anger", "fear", "neutral")
ROWS = (
    Prediction("a", 1, "anger", "anger", (2.0, 0.5, -1.0)),
    Prediction("b", 1, "fear", "neutral", (0.0, 0.1, 3.0)),
    Prediction("c", 2, "neutral", "neutral", (-1.0, 0.2, 0.9)),
)
TABLE = PredictionTable(LABELS, ROWS)


def write_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_a_written_table_reads_back_equal(tmp_path: Path, suffix: str) -> None:
    write_predictions(TABLE, tmp_path / f"p{suffix}")
    assert read_predictions(tmp_path / f"p{suffix}") == TABLE


def test_scores_are_matched_to_labels_by_name(tmp_path: Path) -> None:
    """Another order of the label set permutes the scores with it."""
    write_predictions(TABLE, tmp_path / "p.parquet")
    turned = read_predictions(tmp_path / "p.parquet", labels=("neutral", "anger", "fear"))
    assert turned.predictions[0].logits == (-1.0, 2.0, 0.5)
    assert turned.logits is not None
    assert TABLE.logits is not None
    assert (turned.logits == TABLE.logits[:, [2, 0, 1]]).all()


def test_a_column_a_label_under_any_spelling(tmp_path: Path) -> None:
    rows = [
        {"video_name": r.clip_id, "test_fold": r.fold, "gt": {"fear": "Fearful"}.get(r.label, r.label)}
        | {"score_Angry": r.logits[0], "score_fear": r.logits[1], "score_NEUTRAL": r.logits[2]}
        for r in ROWS
    ]
    assert read_predictions(write_csv(tmp_path / "p.csv", rows)) == TABLE


def test_free_text_replies_are_scored_and_never_guessed(tmp_path: Path) -> None:
    replies = ["He is angry.", "not afraid", "fear or anger", ""]
    rows = [{"id": f"c{i}", "target": "anger", "response": reply} for i, reply in enumerate(replies)]
    table = read_predictions(write_jsonl(tmp_path / "p.jsonl", rows), labels=LABELS)
    assert [r.predicted for r in table.predictions] == ["anger", "unparsed", "ambiguous", "unparsed"]
    assert table.predicted.tolist() == [0, 4, 3, 4]
    assert table.logits is None


def test_arms_are_read_one_at_a_time(tmp_path: Path) -> None:
    rows = [{"clip": "a", "label": "fear", "pred": p, "arm": arm} for arm, p in (("x", "fear"), ("y", "anger"))]
    path = write_jsonl(tmp_path / "p.jsonl", rows)
    assert arms_in(path) == ["x", "y"]
    assert read_predictions(path, labels=LABELS, arm="y").predictions[0].predicted == "anger"
    with pytest.raises(ValueError, match="holds arms x, y"):
        read_predictions(path, labels=LABELS)
    with pytest.raises(ValueError, match="no rows of arm 'z'; found: x, y"):
        read_predictions(path, labels=LABELS, arm="z")


def bad(**change: Any) -> list[dict[str, Any]]:
    rows = [{"clip": f"c{i}", "fold": 1, "label": "fear", "anger": 0.1, "fear": 2.0, "neutral": 0.3} for i in range(3)]
    rows[1].update(change)
    return rows


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (bad(clip="c0"), "occur more than once: c0"),
        (bad(fear=math.nan), "row 2: clip c1: a score is NaN"),
        (bad(fear=math.inf), "NaN or infinite: c1"),
        (bad(fear="high"), "row 2: the score of fear is 'high'"),
        (bad(label="furry"), "row 2: true label 'furry' is not in the label set"),
        (bad(label="3"), "integers mean different classes"),
        (bad(label="contempt"), "row 2: true label 'contempt'"),
        (bad(fold="one"), "row 2: fold 'one' is not a whole number"),
        (bad(clip=""), "row 2: empty clip id"),
        ([{"clip": "a", "label": "fear"}], "row 1: no answer"),
        ([{"name": "a", "pred": "fear"}], "lack label: one of label, gold"),
    ],
)
def test_everything_wrong_names_file_and_row(tmp_path: Path, rows: list[dict[str, Any]], message: str) -> None:
    path = write_csv(tmp_path / "p.csv", rows)
    with pytest.raises(ValueError, match=message) as caught:
        read_predictions(path, labels=LABELS)
    assert str(path) in str(caught.value)


def test_a_lacking_score_column_is_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "p.csv", [{"clip": "a", "label": "fear", "anger": 1, "fear": 2}])
    with pytest.raises(ValueError, match="no score for neutral"):
        read_predictions(path, labels=LABELS)


def test_unreadable_files_say_why(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"expected predictions as \.parquet, \.csv"):
        read_predictions(tmp_path / "none.csv")
    (tmp_path / "p.jsonl").write_text('{"clip": "a"}\n{oops\n')
    with pytest.raises(ValueError, match="line 2: not JSON"):
        read_predictions(tmp_path / "p.jsonl")
    (tmp_path / "p.txt").write_text("a")
    with pytest.raises(ValueError, match=r"not '\.txt'"):
        read_predictions(tmp_path / "p.txt")
    write_predictions(TABLE, tmp_path / "p.parquet")
    with pytest.raises(ValueError, match="written for labels"):
        read_predictions(tmp_path / "p.parquet", labels=("anger", "fear", "sadness"))


def clip(clip_id: str, label: str, fold: int | None = None, split: Any = None) -> Clip:
    return Clip(clip_id, f"{clip_id}.mp4", label, test_fold=fold, split=split)


def test_coverage_of_the_folds_in_the_table() -> None:
    index = {r.clip_id: clip(r.clip_id, r.label, r.fold) for r in ROWS}
    check_coverage(TABLE, {**index, "z": clip("z", "fear", 3)})
    with pytest.raises(ValueError, match="1 clips have no prediction: z"):
        check_coverage(TABLE, {**index, "z": clip("z", "fear", 2)})
    with pytest.raises(ValueError, match="does not know: c"):
        check_coverage(TABLE, {name: index[name] for name in ("a", "b")})
    with pytest.raises(ValueError, match=r"a \(anger, index says fear\)"):
        check_coverage(TABLE, {**index, "a": clip("a", "fear", 1)})
    with pytest.raises(ValueError, match=r"a \(fold 1, index says 2\)"):
        check_coverage(TABLE, {**index, "a": clip("a", "anger", 2)})


def test_coverage_of_the_test_split() -> None:
    rows = tuple(Prediction(r.clip_id, None, r.label, r.predicted) for r in ROWS)
    index = {r.clip_id: clip(r.clip_id, r.label, split="test") for r in ROWS}
    check_coverage(PredictionTable(LABELS, rows), {**index, "t": clip("t", "fear", split="train")})
    with pytest.raises(ValueError, match="another split or fold: a"):
        check_coverage(PredictionTable(LABELS, rows), {**index, "a": clip("a", "anger", split="train")})


def test_a_file_with_folds_for_some_clips_only_is_refused(tmp_path: Path) -> None:
    rows = tuple(Prediction(r.clip_id, r.fold if i else None, r.label, r.predicted) for i, r in enumerate(ROWS))
    check_folds(TABLE, tmp_path)
    with pytest.raises(ValueError, match="1 of 3 clips have no fold, such as a; fill in their test fold"):
        check_folds(PredictionTable(LABELS, rows), tmp_path)


def test_outcome_names_cannot_be_labels() -> None:
    with pytest.raises(ValueError, match="cannot be labels"):
        PredictionTable(("anger", "unparsed"), (Prediction("a", None, "anger", "anger"),))
