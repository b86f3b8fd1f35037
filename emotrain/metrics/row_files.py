"""Rows of a prediction file as plain dictionaries; whatever cannot be read is said with its file and row."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

from emotrain.parquet_files import read_table

Row = dict[str, Any]

_LONGEST_CELL = 2**31 - 1
"""Characters of a CSV cell: replies with their reasoning pass the csv module's own limit of 131,072."""


def read_rows(path: Path) -> tuple[list[Row], dict[str, str]]:
    """Rows of a parquet, csv, tsv or jsonl file (all UTF-8), and the key-value metadata of a parquet schema.

    Raises FileNotFoundError, or ValueError naming the row, for a file that is not what its suffix says.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; expected predictions as parquet, csv or jsonl")
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            return _parquet(path)
        if suffix in (".csv", ".tsv"):
            return _csv(path, "\t" if suffix == ".tsv" else ","), {}
        if suffix == ".jsonl":
            # Only "\n" ends a line: str.splitlines would also break replies at U+2028 and U+0085.
            lines = enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1)
            return [_json_row(path, number, line) for number, line in lines if line.strip()], {}
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: byte {error.start} is not UTF-8 ({error.reason}); save the file as UTF-8") from error
    raise ValueError(f"{path}: predictions are read from .parquet, .csv, .tsv or .jsonl, not {path.suffix!r}")


def _parquet(path: Path) -> tuple[list[Row], dict[str, str]]:
    table = read_table(path, "write the predictions again, or take the file from its source again")
    raw = table.schema.metadata if table.schema.metadata is not None else {}
    return table.to_pylist(), {key.decode(): value.decode("utf-8", "replace") for key, value in raw.items()}


def _csv(path: Path, delimiter: str) -> list[Row]:
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # Strict: a quote that is never closed would swallow the rows behind it without a word.
            reader = csv.DictReader(file, delimiter=delimiter, strict=True)
            try:
                names = [] if reader.fieldnames is None else list(reader.fieldnames)
                repeated = [name for name, n in Counter(names).items() if n > 1]
                if repeated:
                    raise ValueError(f"{path}: column {', '.join(repeated)} occurs more than once; keep one of each")
                rows: list[Row] = []
                for number, row in enumerate(reader, start=1):
                    if None in row:
                        cells = len(names) + len(row[None])
                        raise ValueError(
                            f"{path}, row {number} (line {reader.line_num}): {cells} cells under {len(names)} columns "
                            f"({', '.join(names)}); put quotes around a cell that holds {delimiter!r}"
                        )
                    rows.append(row)
            except csv.Error as error:
                raise ValueError(
                    f"{path}, row that begins on line {reader.line_num + 1}: {error}; put quotes around a cell that "
                    f"holds {delimiter!r}, a line break or a quote, and double the quotes in it"
                ) from error
            return rows
    finally:
        csv.field_size_limit(before)


def _json_row(path: Path, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {number}: not JSON ({error.msg} at column {error.colno})") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}, line {number}: JSON that cannot be read ({error}); write plain values") from error
    if not isinstance(row, dict):
        raise ValueError(
            f"{path}, line {number}: expected an object with a clip, a label and an answer, found {line[:40]}"
        )
    return row
