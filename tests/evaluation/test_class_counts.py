"""Training counts and subjects on the command line of `emotrain score`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emotrain.atomic_files import write_table
from emotrain.cli import app
from emotrain.emotions import PUBLISHED_COUNTS
from emotrain.evaluation.class_counts import read_counts
from emotrain.evaluation.score import score_file
from emotrain.records import Clip, to_table


def test_counts_are_read_from_json_csv_and_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"Angry": 10, "fear": 2}', encoding="utf-8")
    (tmp_path / "a.csv").write_text("label,count\nangry,10\nfear,2\n", encoding="utf-8")
    assert read_counts(str(tmp_path / "a.json")) == read_counts(str(tmp_path / "a.csv")) == {"anger": 10, "fear": 2}
    assert read_counts("mafw") == PUBLISHED_COUNTS["mafw"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", '{"anger": 1.5}', "count 1.5; expected a whole number"),
        ("a.json", '{"anger": true}', "expected a whole number"),
        ("a.json", '{"anger": 1, "angry": 2}', "'anger' occurs twice"),
        ("a.json", "[1]", "holds a list"),
        ("a.json", "{", r"a\.json: not JSON .* write an object of counts"),
        ("a.json", "[" * 100_000, r"a\.json: values within values"),
        ("a.csv", "class,n\n", "expected the columns label, count, found class, n"),
        ("a.csv", "label,count\nanger," + "1" * 200_000, r"a\.csv, row .*line 2: not readable as CSV"),
        ("a.csv", "label,count\nanger\n", r"a\.csv line 2: 1 cell\(s\), expected 2"),
    ],
)
def test_counts_that_cannot_be_are_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_counts(str(tmp_path / name))


def test_a_name_without_counts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="did you mean 'dfew'"):
        read_counts("dfe")
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_counts(str(tmp_path / "none.csv"))


def test_groups_and_subjects_from_the_command_line(tmp_path: Path) -> None:
    """Four people; two are always recognised and two never are."""
    clips = [
        Clip(f"p{person}-{label}-{i}", "x.mp4", label, split="test", subject=f"p{person}")
        for person in range(4)
        for label in ("anger", "fear")
        for i in range(10)
    ]
    metadata = {"root": str(tmp_path), "dataset": "csv", "label_set": "anger,fear"}
    write_table(to_table(clips, Clip, metadata), tmp_path / "data" / "clips.parquet")
    other = {"anger": "fear", "fear": "anger"}
    rows = [
        {"clip": clip.clip_id, "gold": clip.label, "pred": clip.label if clip.clip_id < "p2" else other[clip.label]}
        for clip in clips
    ]
    file = tmp_path / "p.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "counts.json").write_text('{"anger": 100, "fear": 3}', encoding="utf-8")
    words = [
        "score", str(file), "--out", str(tmp_path / "out"), "--label-set", "anger,fear", "--clips",
        str(tmp_path / "data"), "--groups-from", str(tmp_path / "counts.json"), "--cluster", "subject",
    ]  # fmt: skip
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    (metrics,) = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))["arms"].values()
    assert metrics["groups"] == {"anger": "head", "fear": "tail"}
    assert metrics["interval"]["clusters"] == 4
    assert (metrics["war"]["low"], metrics["war"]["high"]) == (0.0, 1.0)
    assert "whole subjects at a time (4 of them)" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    (plain,) = score_file(
        file, out=tmp_path / "plain", label_set="anger,fear", clips=tmp_path / "data", cluster="none", resamples=500
    )
    assert plain.metrics["war"]["low"] > 0.3
    with pytest.raises(ValueError, match="needs --clips"):
        score_file(file, out=tmp_path / "no", label_set="anger,fear", cluster="subject")
    with pytest.raises(ValueError, match="by subject or source"):
        score_file(file, out=tmp_path / "no", label_set="anger,fear", cluster="clip", clips=tmp_path / "data")
    with pytest.raises(ValueError, match="differ in disgust"):
        score_file(file, out=tmp_path / "no", label_set="anger,fear", groups_from={"anger": 1, "fear": 1, "disgust": 1})
