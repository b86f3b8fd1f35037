"""A user's own words, one text a gap or one a clip, from a CSV or JSONL file.

Columns: `clip_id`, `text`, and to say which gap either `gap` (its number: gap k precedes keyframe k) or `time_s` (any
time inside it, such as that of the change). Rows with neither speak of the whole clip and follow its last keyframe.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pandas as pd

from emotrain.clip_errors import ClipError
from emotrain.records import Gap

VERSION = 2
COLUMNS = ("clip_id", "text", "gap", "time_s")


@dataclass(frozen=True, slots=True)
class Told:
    """One row of the user's file."""

    clip_id: str
    text: str
    gap: int | None
    time_s: float | None
    row: int


@dataclass(frozen=True, slots=True)
class PrecomputedTexts:
    """The rows of a file by clip. `sparse`: a clip without rows has nothing to say, and rows past its end are left out;
    otherwise both are faults."""

    path: Path
    by_clip: Mapping[str, tuple[Told, ...]]
    language: str = "en"
    name: str = "precomputed"
    sparse: bool = False

    def settings(self) -> Mapping[str, Any]:
        """The hash of the file: other words are another back end."""
        files = sorted(self.path.iterdir()) if self.path.is_dir() else [self.path]
        whole = files[0].read_bytes() if files == [self.path] else b"".join(_named(file) for file in files)
        digest = blake2b(whole, digest_size=8).hexdigest()
        return {"version": VERSION, "texts": digest, "language": self.language}

    def texts(self, gaps: Sequence[Gap]) -> dict[int, str]:
        """The text of each gap of a clip that has one; several rows of a gap are joined in their order.

        Raises ValueError, naming file and row, for a gap or a time that the clip does not have, and ClipError for a
        text about the whole of a clip that has no length.
        """
        told: dict[int, list[str]] = defaultdict(list)
        for row in self.by_clip.get(gaps[0].clip_id, ()):
            if self.sparse and row.time_s is not None and row.time_s > gaps[-1].end_s:
                continue
            told[self._gap(row, gaps)].append(row.text)
        return {gap: " ".join(texts) for gap, texts in told.items()}

    def _gap(self, row: Told, gaps: Sequence[Gap]) -> int:
        if row.gap is not None:
            if row.gap not in range(len(gaps)):
                raise ValueError(
                    f"{self.path}: row {row.row}: clip {row.clip_id!r} has gaps 0 to {len(gaps) - 1}, not {row.gap}"
                )
            return row.gap
        if row.time_s is None:
            lasting = [gap.gap for gap in gaps if gap.end_s > gap.start_s]
            if not lasting:
                raise ClipError(
                    f"the clip lasts {gaps[-1].end_s:.2f} s, so the text about all of it ({self.path}, row {row.row}) "
                    "has no gap to stand in; index the clip with its duration"
                )
            return lasting[-1]
        if not gaps[0].start_s <= row.time_s <= gaps[-1].end_s:
            raise ValueError(
                f"{self.path}: row {row.row}: clip {row.clip_id!r} lasts from {gaps[0].start_s:.2f} to "
                f"{gaps[-1].end_s:.2f} s, and time_s is {row.time_s}"
            )
        return max((gap for gap in gaps if gap.start_s <= row.time_s), key=lambda gap: gap.gap).gap


def _named(file: Path) -> bytes:
    content = file.read_bytes() if file.is_file() else b""
    return file.name.encode() + b"\0" + len(content).to_bytes(8, "big") + content


def read_texts(path: Path, language: str = "en") -> PrecomputedTexts:
    """Read a .csv, .tsv or .jsonl file of texts; raises ValueError naming file, row and column for what is wrong."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file of texts; expected .csv or .jsonl with {', '.join(COLUMNS)}")
    by_clip: dict[str, list[Told]] = defaultdict(list)
    for number, row in _rows(path):
        lacking = [column for column in ("clip_id", "text") if row.get(column) in (None, "")]
        if lacking:
            raise ValueError(f"{path}: row {number}: no {' and no '.join(lacking)}; found {dict(row)!r:.120}")
        unknown = sorted(set(row) - set(COLUMNS))
        if unknown:
            raise ValueError(f"{path}: unknown column {', '.join(unknown)}; expected {', '.join(COLUMNS)}")
        clip_id = str(row["clip_id"])
        gap, time_s = _number(path, number, row, "gap"), _number(path, number, row, "time_s")
        if gap is not None and gap != int(gap):
            raise ValueError(f"{path}: row {number}: gap {gap} is no whole number")
        by_clip[clip_id].append(Told(clip_id, str(row["text"]), None if gap is None else int(gap), time_s, number))
    return PrecomputedTexts(path, {clip_id: tuple(rows) for clip_id, rows in by_clip.items()}, language)


def _rows(path: Path) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """Rows with the number of their line; empty cells are left out."""
    if path.suffix == ".jsonl":
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
            if line.strip():
                try:
                    found = json.loads(line)
                except ValueError as error:
                    raise ValueError(f"{path}: row {number}: not JSON: {error}") from error
                if not isinstance(found, dict):
                    raise ValueError(f"{path}: row {number}: expected an object, found {line[:60]!r}")
                yield number, found
        return
    if path.suffix not in (".csv", ".tsv"):
        raise ValueError(f"{path}: unknown kind {path.suffix!r}; expected .csv, .tsv or .jsonl")
    table = pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",", dtype=str, keep_default_na=False)
    for number, row in enumerate(table.to_dict("records"), start=2):
        yield number, {str(column): value for column, value in row.items() if value != ""}


def _number(path: Path, number: int, row: Mapping[str, Any], column: str) -> float | None:
    value = row.get(column)
    if value is None or value == "":
        return None
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"{path}: row {number}: {column} {value!r} is no number")
    return found
