"""Which column of another tool's file plays which part, where its name alone does not say.

LLaMA-Factory and ms-swift write no clip id, lmms-eval nests replies in lists, VLMEvalKit calls the true label `answer`,
and many write what the model said under `pred`. Rows come out under the names of `columns.py`; each choice is a note.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emotrain.metrics.row_files import Row

MEDIA = ("videos", "video_path", "video_file", "images", "image_path", "media", "path", "audios")
"""Columns that name a clip by its file, taken where no column names it by an id."""
_TEXT = re.compile(r"\S\s+\S|[<>{}\[\]:*]")
"""What a label alone does not have: several words, tags, JSON, Markdown."""


def cast_roles(
    rows: Sequence[Row], columns: Mapping[str, Sequence[str]], is_label: Callable[[Any], bool] | None
) -> tuple[list[Row], list[str]]:
    """Rows with the columns that `columns` knows (part -> names), and notes on what was taken for what.

    `is_label` tells a label, or an outcome of scoring, from other text; None where scores decide and text does not.
    ValueError names a row with several replies.
    """
    notes: list[str] = []
    rows = [_flat(row, number, columns) for number, row in enumerate(rows, start=1)]
    if not rows:
        return rows, notes

    def name_of(part: str) -> str | None:
        lower = {str(name).strip().lower(): name for name in rows[0]}
        return next((lower[name] for name in columns[part] if name in lower), None)

    answer = _named(rows[0], "answer")
    said = {*columns["predicted"], *columns["scores"], *columns["reply"]} - {"answer"}
    others = [name for name in rows[0] if str(name).strip().lower() in said]
    if name_of("label") is None and answer is not None and others:
        rows = [_renamed(row, answer, "label") for row in rows]
        notes.append(f"column {answer!r} is taken for the true label, since {others[0]!r} holds the model's answer")
    predicted = name_of("predicted")
    if predicted is not None and is_label is not None and name_of("reply") is None and name_of("scores") is None:
        texts = [value for row in rows if not _is_empty(value := row.get(predicted)) and not is_label(value)]
        if any(_TEXT.search(str(value)) for value in texts):
            rows = [_renamed(row, predicted, "reply") for row in rows]
            notes.append(
                f"column {predicted!r} holds text and no labels, for example {str(texts[0])[:40]!r}: read as replies"
            )
    if name_of("clip_id") is None:
        rows, note = _with_ids(rows, name_of("arm"), name_of("seed"))
        notes.append(note)
    return rows, notes


def _with_ids(rows: list[Row], arm: str | None, seed: str | None) -> tuple[list[Row], str]:
    """Clips named by their media file where each row has another one, else by their place among their arm's rows."""
    for name in MEDIA:
        column = _named(rows[0], name)
        paths = [] if column is None else [_path(row.get(column)) for row in rows]
        if paths and all(paths) and len(set(paths)) == len(paths):
            named = [{"clip_id": path, **row} for path, row in zip(paths, rows)]
            return named, f"no column names the clip: its file under {column!r} does"
    seen: Counter[tuple[str, str]] = Counter()
    numbered = []
    for row in rows:
        key = str(row.get(arm, "")) if arm else "", str(row.get(seed, "")) if seed else ""
        seen[key] += 1
        numbered.append({"clip_id": f"row {seen[key]}", **row})
    return numbered, "no column names the clip: rows are numbered, so files are compared by the order of their rows"


def _flat(row: Row, number: int, columns: Mapping[str, Sequence[str]]) -> Row:
    """The row with replies and labels taken out of lists of one, as evaluation harnesses nest them."""
    parts = {*columns["reply"], *columns["predicted"], *columns["label"], "answer"}
    out = {}
    for name, value in row.items():
        part = str(name).strip().lower()
        if isinstance(value, (list, Mapping)) and part in columns["clip_id"]:
            path = _path(value)
            value = value if path is None else path
        out[name] = _one(value, number, name) if part in parts else value
    return out


def _one(value: Any, number: int, name: str) -> Any:
    while isinstance(value, list) and value:
        if len(value) > 1:
            raise ValueError(
                f"row {number}: column {name!r} holds {len(value)} answers, expected one; keep the one to score"
            )
        value = value[0]
    return None if value == [] else value


def _path(value: Any) -> str | None:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping):
        value = value.get("path", value.get("video"))
    return value if isinstance(value, str) and value else None


def _renamed(row: Row, old: str, new: str) -> Row:
    return {new if name == old else name: value for name, value in row.items()}


def _named(row: Row, name: str) -> str | None:
    return next((column for column in row if str(column).strip().lower() == name), None)


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value != value
