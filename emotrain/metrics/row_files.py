"""Rows of a prediction file as plain dictionaries; whatever cannot be read is said with its file and row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from emotrain.parquet_files import read_table
from emotrain.text_tables import MAX_BYTES, listed, read_text, records, separator_of, stated_separator
from emotrain.workbooks import SUFFIXES as WORKBOOKS
from emotrain.workbooks import is_workbook, read_workbook

Row = dict[str, Any]

READ = ".parquet, .csv, .tsv, .jsonl, .json, .xlsx or .xls"
_LONGEST_CELL = 16 << 20
"""Characters of a CSV cell: replies with their reasoning pass the csv module's own limit of 131,072."""
_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file, the key-value metadata of a parquet schema, and what a person should know of the reading."""

    rows: list[Row]
    metadata: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_rows(path: Path, known: Callable[[str], bool] = lambda column: False) -> Rows:
    """Rows of a parquet, csv, tsv, json, jsonl or Excel file; `known` names the columns that mean something here.

    JSON is UTF-8: an object a line, an array of them, or one object that holds them in a list or by clip id. The
    separator and encoding of a text table are found; of a workbook the visible sheet with most `known` columns is read.
    Raises FileNotFoundError, or ValueError naming the row, for a file that is not what its suffix says.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; expected predictions as {READ}")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _parquet(path)
    if suffix in (".csv", ".tsv") or (suffix in WORKBOOKS and not is_workbook(path)):
        return _text_table(path, known)
    if suffix in WORKBOOKS:
        return _workbook(path, known)
    if suffix in (".jsonl", ".json", ".ndjson"):
        return Rows(list(_json(path)))
    raise ValueError(f"{path}: predictions are read from {READ}, not {path.suffix!r}")


def _parquet(path: Path) -> Rows:
    table = read_table(path, "write the predictions again, or take the file from its source again")
    raw = table.schema.metadata if table.schema.metadata is not None else {}
    return Rows(table.to_pylist(), {key.decode(): value.decode("utf-8", "replace") for key, value in raw.items()})


def _text_table(path: Path, known: Callable[[str], bool]) -> Rows:
    text = read_text(path)
    notes = [] if text.encoding == "utf-8" else [f"read as {text.encoding}, it is not UTF-8"]
    stated, body = stated_separator(text.text)
    first = list(islice(filter(str.strip, body[: 1 << 20].splitlines()), _LOOKED_AT))
    separator = stated if stated is not None else separator_of(first, lambda cells: sum(map(known, cells)))
    table = records(path, body, separator, multiline=True, longest_cell=_LONGEST_CELL)
    table = ((line, cells) for line, cells in table if any(cells))
    _, names = next(table, (1, []))
    _check_names(path, names)
    rows: list[Row] = []
    for number, (line, cells) in enumerate(table, start=1):
        if len(cells) > len(names):
            raise ValueError(
                f"{path}, row {number} (line {line}): {len(cells)} cells under {len(names)} columns "
                f"({listed(names)}); put quotes around a cell that holds {separator!r}"
            )
        rows.append(dict(zip(names, [*cells, *[None] * (len(names) - len(cells))])))
    return Rows(rows, notes=notes)


def _workbook(path: Path, known: Callable[[str], bool]) -> Rows:
    fitting: list[tuple[int, str, list[Row]]] = []
    notes = []
    for sheet in read_workbook(path):
        filled = [row for row in sheet.rows if any(cell is not None for cell in row)]
        head = [str(cell).strip() if cell is not None else "" for cell in (filled[0] if filled else [])]
        worth = sum(map(known, head))
        if worth and sheet.hidden:
            notes.append(f"the hidden sheet {sheet.title!r} is not read")
        elif worth:
            _check_names(path, head)
            rows = [{name: _plain(cell) for name, cell in zip(head, row) if name} for row in filled[1:]]
            fitting.append((worth, sheet.title, rows))
    best = max((worth for worth, _, _ in fitting), default=0)
    chosen = [(title, rows) for worth, title, rows in fitting if worth == best]
    if len(chosen) != 1:
        found = listed([title for title, _ in chosen]) if chosen else "none"
        raise ValueError(
            f"{path}: expected one visible sheet with predictions under a first row of column names, found {found}; "
            "hide or delete the others, or save the right one as .csv"
        )
    if len(fitting) > 1:
        notes.append(f"sheet {chosen[0][0]!r} is read, of {listed([title for _, title, _ in fitting])}")
    return Rows(chosen[0][1], notes=notes)


def _plain(cell: Any) -> Any:
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _check_names(path: Path, names: list[str]) -> None:
    repeated = [name for name, n in Counter(name for name in names if name).items() if n > 1]
    if repeated:
        raise ValueError(f"{path}: column {listed(repeated)} occurs more than once; keep one of each")


def _json(path: Path) -> Iterator[Row]:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f"{path}: {size >> 20:,} MiB of JSON, expected at most {MAX_BYTES >> 20}; cut it into several")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: byte {error.start} is not UTF-8 ({error.reason}); save the file as UTF-8") from error
    # Only "\n" ends a line: str.splitlines would also break replies at U+2028 and U+0085.
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    whole = len(lines) == 1 or text.lstrip().startswith("[") or (bool(lines) and lines[0][1].strip() == "{")
    if not whole:
        for number, line in lines:
            row = _parsed(f"{path}, line {number}", line)
            if not isinstance(row, dict):
                raise ValueError(
                    f"{path}, line {number}: expected an object with a clip, a label and an answer, found {line[:40]}"
                )
            yield row
        return
    number = lines[0][0]
    yield from _inside(path, _parsed(f"{path}, line {number}", text))


def _inside(path: Path, found: Any) -> Iterator[Row]:
    """The rows of a whole JSON document: an array, an object around one, objects by clip id, or a single row."""
    if isinstance(found, dict):
        lists = [value for value in found.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
        if len(lists) == 1 and not any(isinstance(found.get(key), str) for key in ("reply", "response", "label")):
            found = lists[0]
        elif found and all(isinstance(value, dict) for value in found.values()):
            found = [{"clip_id": key, **row} for key, row in found.items()]
        else:
            found = [found]
    if not isinstance(found, list):
        raise ValueError(
            f"{path}, line 1: expected an object with a clip, a label and an answer, found {str(found)[:40]}"
        )
    for number, row in enumerate(found, start=1):
        if not isinstance(row, dict):
            raise ValueError(
                f"{path}, item {number}: expected an object with a clip, a label and an answer, found {str(row)[:40]}"
            )
        yield row


def _parsed(where: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: not JSON ({error.msg} at column {error.colno} of line {error.lineno})") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: JSON that cannot be read ({error}); write plain values") from error
