"""Files as other tools write them are scored as they are, each guess is said, and nothing is guessed from a label."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from emotrain.emotions import LABEL_SETS
from emotrain.metrics.predictions import PredictionTable, arms_in, read_predictions

LABELS = LABEL_SETS["dfew"].labels
GOLD = ("happy", "sad", "angry", "neutral")
READ = ["happiness", "sadness", "anger", "neutral"]
SAID = tuple(f"The person appears {word}." for word in GOLD)

FILES: dict[str, tuple[Sequence[dict[str, Any]], str]] = {
    "LLaMA-Factory": ([{"prompt": "?", "predict": said, "label": gold} for said, gold in zip(SAID, GOLD)], "row 1"),
    "ms-swift": (
        [{"response": s, "labels": g, "videos": [f"/d/{g}.mp4"], "logprobs": None} for s, g in zip(SAID, GOLD)],
        "/d/happy.mp4",
    ),
    "lmms-eval": (
        [{"doc_id": i, "target": GOLD[i], "resps": [[SAID[i]]], "filtered_resps": [SAID[i]]} for i in range(4)],
        "0",
    ),
    "VLMEvalKit": (
        [{"index": i, "question": "?", "answer": GOLD[i], "prediction": SAID[i]} for i in range(4)],
        "0",
    ),
    "thoughts": (
        [{"video": f"{g}.mp4", "gt": g, "pred": f"<think>sad or angry</think><answer>{g}</answer>"} for g in GOLD],
        "happy.mp4",
    ),
    "several arms": ([{"arm": arm, "label": g, "reply": s} for arm in "ab" for s, g in zip(SAID, GOLD)], "row 1"),
}
"""Rows as each tool writes them, and the id that the first clip gets."""


def wrapped(rows: Sequence[dict[str, Any]], form: str, folder: Path) -> Path:
    """The rows in one of the forms that files come in."""
    path = folder / {"lines": "p.jsonl", "xlsx": "p.xlsx"}.get(form, "p.csv" if form in ";\t,|" else "p.json")
    if form == "lines":
        path.write_text("\n".join(json.dumps(row) for row in rows))
    elif form == "array":
        path.write_text(json.dumps(rows, indent=1))
    elif form == "around":
        path.write_text(json.dumps({"model": "m", "config": {"n": 1}, "logs": rows}))
    elif form == "by id":
        path.write_text(json.dumps({str(i): row for i, row in enumerate(rows)}))
    elif form == "xlsx":
        book = openpyxl.Workbook()
        book.create_sheet("notes").append(["hello", "label"])
        for row in [list(rows[0]), *(list(row.values()) for row in rows)]:
            book["Sheet"].append(row)
        book.save(path)
    else:
        cells = [list(rows[0]), *(map(str, row.values()) for row in rows)]
        path.write_text("\n".join(form.join(f'"{cell}"' for cell in row) for row in cells))
    return path


def score(path: Path, arm: str | None = None) -> PredictionTable:
    return read_predictions(path, labels=LABELS, arm=arm)


@pytest.mark.parametrize("tool", FILES)
def test_each_tool_is_read_as_it_writes(tmp_path: Path, tool: str, caplog: pytest.LogCaptureFixture) -> None:
    rows, first = FILES[tool]
    path = wrapped(rows, "lines", tmp_path)
    for arm in arms_in(path):
        table = score(path, arm)
        assert [row.predicted for row in table.predictions] == [row.label for row in table.predictions] == READ
        assert table.clip_ids[0] == first
    said = [record.message for record in caplog.records]
    assert len(set(said)) == len(said)
    assert bool(said) == (tool != "lmms-eval")


@pytest.mark.parametrize("form", ["lines", "array", "around", "by id", "xlsx", ";", "\t", ",", "|"])
def test_the_form_of_a_file_changes_nothing(tmp_path: Path, form: str) -> None:
    table = score(wrapped(FILES["thoughts"][0], form, tmp_path))
    assert [row.predicted for row in table.predictions] == READ
    assert table.clip_ids == [f"{word}.mp4" for word in GOLD] or form == "by id"


def test_a_misspelled_label_is_an_error_and_not_a_reply(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("id,label,pred\n1,happy,happy\n2,sad,saad\n")
    with pytest.raises(ValueError, match=r"row 2: predicted label 'saad' .* what the model wrote, call it reply"):
        score(path)


def test_several_replies_in_a_row_are_refused(tmp_path: Path) -> None:
    path = wrapped([{"id": 1, "label": "sad", "resps": [["sad", "happy"]]}], "array", tmp_path)
    with pytest.raises(ValueError, match=r"p\.json: row 1: column 'resps' holds 2 answers, expected one; keep"):
        score(path)


def test_media_that_repeat_do_not_name_clips(tmp_path: Path) -> None:
    rows = [{"labels": g, "response": s, "images": ["same.jpg"]} for s, g in zip(SAID, GOLD)]
    assert score(wrapped(rows, "lines", tmp_path)).clip_ids == ["row 1", "row 2", "row 3", "row 4"]


def test_of_two_sheets_with_predictions_none_is_guessed(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for page in (book["Sheet"], book.create_sheet("second")):
        page.append(["id", "label", "pred"])
        page.append([1, "sad", "sad"])
    book.save(tmp_path / "p.xlsx")
    with pytest.raises(ValueError, match=r"expected one visible sheet .* found Sheet, second; hide or delete"):
        score(tmp_path / "p.xlsx")
    book["second"].sheet_state = "hidden"
    book.save(tmp_path / "p.xlsx")
    assert len(score(tmp_path / "p.xlsx")) == 1


def test_an_old_encoding_is_read_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "p.csv").write_bytes("id;label;pred\nMüller;sad;sad\nJosé;happy;sad\n".encode("cp1252"))
    assert score(tmp_path / "p.csv").clip_ids == ["Müller", "José"]
    assert "read as cp1252, it is not UTF-8" in caplog.text
