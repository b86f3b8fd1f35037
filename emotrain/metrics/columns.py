"""Recognising the columns of other people's prediction files.

A row needs a clip, a true label and an answer. The answer is one score per label (a column a label, a list, or a
mapping), or a bare label, or a reply in free text; where several are given, scores count before labels before replies.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from emotrain.emotions import canonical, nearest
from emotrain.metrics.free_text import AMBIGUOUS, UNPARSED, score_reply
from emotrain.records import Prediction

OUTCOMES = (AMBIGUOUS, UNPARSED)
"""Columns of a confusion matrix behind the K labels: answers that name several labels, and answers that name none."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "clip_id": ("clip_id", "clip", "video_name", "video", "video_id", "filename", "file", "id", "name"),
    "label": ("label", "gold", "truth", "ground_truth", "target", "gt", "emotion"),
    "predicted": ("predicted", "prediction", "pred"),
    "reply": ("reply", "response", "answer", "output", "generated_text", "text"),
    "scores": ("logits", "scores", "probabilities", "probs"),
    "fold": ("fold", "test_fold"),
    "arm": ("arm", "system", "model"),
    "seed": ("seed",),
}
SCORE_PREFIXES = ("logit_", "score_", "prob_", "p_")

Row = dict[str, Any]


def read_rows(path: Path) -> tuple[list[Row], dict[str, str]]:
    """Rows of a parquet, csv, tsv or jsonl file, and the key-value metadata of a parquet schema."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; expected predictions as parquet, csv or jsonl")
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        raw = table.schema.metadata if table.schema.metadata is not None else {}
        return table.to_pylist(), {key.decode(): value.decode("utf-8", "replace") for key, value in raw.items()}
    if path.suffix in (".csv", ".tsv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")), {}
    if path.suffix == ".jsonl":
        return [_json_row(path, number, line) for number, line in _lines(path)], {}
    raise ValueError(f"{path}: predictions are read from .parquet, .csv, .tsv or .jsonl, not {path.suffix!r}")


def labels_of(rows: Sequence[Row], metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    """The label order that a file states itself: `labels` metadata, a mapping of scores, or its score columns."""
    if "labels" in metadata:
        return tuple(json.loads(metadata["labels"]))
    if not rows:
        return None
    scores = _get(rows[0], "scores")
    if isinstance(scores, Mapping):
        return tuple(_label_name(key) for key in scores)
    named = _score_columns(rows[0])
    return tuple(named) if len(named) >= 2 else None


def arm_of(row: Row) -> str:
    """Name of the arm that made a row, "" where the file does not say."""
    arm = _get(row, "arm")
    return "" if arm is None else str(arm)


def to_predictions(rows: Sequence[Row], labels: Sequence[str], order: Sequence[str] | None) -> list[Prediction]:
    """Turn rows into predictions over `labels`; lists of scores are in `order`. ValueError names row and column."""
    if not rows:
        raise ValueError("no row")
    missing = [key for key in ("clip_id", "label") if _column(rows[0], key) is None]
    if missing:
        wanted = "; ".join(f"{key}: one of {', '.join(COLUMNS[key])}" for key in missing)
        raise ValueError(f"columns {', '.join(rows[0])} lack {wanted}")
    columns = _score_columns(rows[0])
    predictions, problems = [], []
    for number, row in enumerate(rows, start=1):
        try:
            predictions.append(_prediction(row, labels, order if order is not None else labels, columns))
        except ValueError as error:
            problems.append(f"row {number}: {error}")
    if problems:
        more = f"\n  ... and {len(problems) - 5} more rows" if len(problems) > 5 else ""
        raise ValueError("unreadable rows\n  " + "\n  ".join(problems[:5]) + more)
    return _as_log_scores(predictions)


def _prediction(row: Row, labels: Sequence[str], order: Sequence[str], columns: Mapping[str, str]) -> Prediction:
    clip_id, fold = _get(row, "clip_id"), _get(row, "fold")
    if clip_id is None:
        raise ValueError("empty clip id")
    scores = _scores(row, labels, order, columns)
    label = _member(_get(row, "label"), labels, "true label")
    predicted = _get(row, "predicted")
    if predicted is not None:
        answer = str(predicted) if predicted in OUTCOMES else _member(predicted, labels, "predicted label")
    elif scores:
        if any(math.isnan(score) for score in scores):
            raise ValueError(f"clip {clip_id}: a score is NaN")
        answer = labels[max(range(len(labels)), key=lambda c: scores[c])]
    elif _column(row, "reply") is not None:
        reply = _get(row, "reply")
        answer = score_reply("" if reply is None else str(reply), labels)
    else:
        raise ValueError(f"no answer: expected scores, a predicted label or a reply among columns {', '.join(row)}")
    seed = _get(row, "seed")
    return Prediction(
        clip_id=str(clip_id),
        fold=None if fold is None else _whole(fold, "fold"),
        label=label,
        predicted=answer,
        logits=scores,
        arm=arm_of(row),
        seed=0 if seed is None else _whole(seed, "seed"),
    )


def _scores(row: Row, labels: Sequence[str], order: Sequence[str], columns: Mapping[str, str]) -> tuple[float, ...]:
    """Scores in the order of `labels`, or () when the row has none."""
    given = _get(row, "scores")
    if isinstance(given, str):
        given = json.loads(given)
    if isinstance(given, Mapping):
        found = {_label_name(key): value for key, value in given.items()}
    elif given:
        if len(given) != len(order):
            raise ValueError(f"{len(given)} scores for {len(order)} labels")
        found = dict(zip(order, given))
    else:
        found = {label: row[column] for label, column in columns.items()}
        if not set(labels) & set(found):
            return ()
    lacking = [label for label in labels if label not in found]
    if lacking:
        raise ValueError(f"no score for {', '.join(lacking)}; found {', '.join(found)}")
    return tuple(_number(found[label], label) for label in labels)


def _as_log_scores(rows: list[Prediction]) -> list[Prediction]:
    """Probabilities (all in [0, 1], each row summing to 1) become log-probabilities, so that softmax returns them."""
    scored = [row.logits for row in rows if row.logits]
    if not scored or not all(min(s) >= 0 and max(s) <= 1 and abs(sum(s) - 1) < 1e-3 for s in scored):
        return rows
    tiny = 1e-12
    return [
        Prediction(
            r.clip_id, r.fold, r.label, r.predicted, tuple(math.log(max(s, tiny)) for s in r.logits), r.arm, r.seed
        )
        for r in rows
    ]


def _score_columns(row: Row) -> dict[str, str]:
    """Label name to column, for every column whose name (less a prefix) is a known emotion."""
    taken = {_column(row, key) for key in COLUMNS}
    found = {}
    for column in row:
        bare = column
        for prefix in SCORE_PREFIXES:
            bare = bare.removeprefix(prefix)
        if column not in taken and canonical(bare) is not None:
            found[_label_name(bare)] = column
    return found


def _label_name(word: str) -> str:
    known = canonical(word)
    return word.strip() if known is None else known


def _member(word: Any, labels: Sequence[str], what: str) -> str:
    text = "" if word is None else str(word).strip()
    for candidate in (text, text.lower(), canonical(text)):
        if candidate in labels:
            return str(candidate)
    hint = (
        "integers mean different classes in different copies: write names" if text.isdigit() else nearest(text, labels)
    )
    raise ValueError(f"{what} {text!r} is not in the label set; {hint}")


def _column(row: Row, key: str) -> str | None:
    lower = {str(name).strip().lower(): name for name in row}
    return next((lower[name] for name in COLUMNS[key] if name in lower), None)


def _get(row: Row, key: str) -> Any:
    """The row's value under any of the names of `key`; an empty cell is None."""
    column = _column(row, key)
    value = None if column is None else row[column]
    return None if value == "" else value


def _whole(value: Any, what: str) -> int:
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"{what} {value!r} is not a whole number") from None
    if not number.is_integer():
        raise ValueError(f"{what} {value!r} is not a whole number")
    return int(number)


def _number(value: Any, label: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"the score of {label} is {value!r}, not a number") from None


def _lines(path: Path) -> list[tuple[int, str]]:
    return [(n, line) for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if line.strip()]


def _json_row(path: Path, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {number}: not JSON ({error.msg} at column {error.colno})") from error
    if not isinstance(row, dict):
        raise ValueError(
            f"{path}, line {number}: expected an object with a clip, a label and an answer, found {line[:40]}"
        )
    return row
