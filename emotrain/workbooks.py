"""Spreadsheets as rows of cells, with what a person would see: which sheets there are, and which of them are hidden.

A workbook is a zip of XML that may unpack to a thousand times its size, so everything about it is bounded.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotrain.text_tables import check_columns

SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls"})
MAX_UNPACKED = 100 << 20
MAX_CELLS = 2_000_000
MAX_ROWS = 200_000
_ROW = re.compile(rb"<(?:\w+:)?row[ />]")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAVE = "open it in a spreadsheet and save it as .xlsx"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its title, whether it is hidden, and its rows from the first on, empty ones included."""

    title: str
    hidden: bool
    rows: list[list[Any]]


def is_workbook(path: Path) -> bool:
    """True for what is a spreadsheet by its first bytes, whatever it is called; programs export text as .xls."""
    with path.open("rb") as file:
        head = file.read(8)
    return head.startswith((b"PK\x03\x04", _OLE)) or (path.suffix.lower() in (".xlsx", ".xlsm") and bool(head))


def read_workbook(path: Path, fault: type[ValueError] = ValueError) -> Iterator[Sheet]:
    """The sheets of an .xlsx, .xlsm or .xls file, in their order; cells are text, numbers, dates, bools or None.

    Raises `fault` that says what to do: damaged, too large, or an old .xls without the package that reads it.
    """
    with path.open("rb") as file:
        old = file.read(8) == _OLE
    try:
        yield from _old_sheets(path, fault) if old else _sheets(path, fault)
    except fault:
        raise
    except Exception as error:
        # A damaged workbook fails in whichever of the zip, XML and spreadsheet parsers meets the damage first, with
        # that parser's own error.
        kind = ".xls workbook, or one with a password" if old else ".xlsx workbook"
        raise fault(f"{path}: not a readable {kind} ({type(error).__name__}: {str(error)[:200]}); {_SAVE}") from error


def _sheets(path: Path, fault: type[ValueError]) -> Iterator[Sheet]:
    import openpyxl

    with zipfile.ZipFile(path) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
        stated = _stated_rows(archive) if unpacked <= MAX_UNPACKED else 0
    if unpacked > MAX_UNPACKED:
        raise fault(
            f"{path}: unpacks to {unpacked >> 20:,} MiB, expected at most {MAX_UNPACKED >> 20}; save the table alone "
            "as .csv, or as a workbook without empty rows and pictures"
        )
    if stated > MAX_ROWS:
        raise fault(
            f"{path}: {stated:,} rows, expected at most {MAX_ROWS:,}; delete empty rows behind the table, or save the "
            "table alone as .csv"
        )
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        cells = 0
        for page in book.worksheets:
            # Some programs write a wrong extent into the file; without this, rows beyond it would be lost silently.
            page.reset_dimensions()
            rows: list[list[Any]] = []
            for number, row in enumerate(page.iter_rows(values_only=True), start=1):
                check_columns(path, number, len(row), fault)
                cells = _counted(path, cells + len(row), fault)
                rows.append(list(row))
            yield Sheet(page.title, page.sheet_state != "visible", rows)
    finally:
        book.close()


def _stated_rows(archive: zipfile.ZipFile) -> int:
    """Rows of all sheets, counted in the raw XML: parsing a million of them takes minutes."""
    rows = 0
    for part in archive.infolist():
        if part.filename.startswith("xl/worksheets/"):
            with archive.open(part) as file:
                while chunk := file.read(1 << 20):
                    rows += len(_ROW.findall(chunk))
    return rows


def _old_sheets(path: Path, fault: type[ValueError]) -> Iterator[Sheet]:
    try:
        import xlrd
    except ImportError as error:
        raise fault(
            f"{path}: an old .xls workbook, which the package xlrd reads; `pip install xlrd`, or {_SAVE}"
        ) from error
    if path.stat().st_size > MAX_UNPACKED:
        raise fault(f"{path}: an .xls workbook of more than {MAX_UNPACKED >> 20} MiB; save the table alone as .csv")
    with xlrd.open_workbook(path, logfile=io.StringIO(), on_demand=True) as book:
        cells = 0
        for page in book.sheets():
            check_columns(path, 1, page.ncols, fault)
            cells = _counted(path, cells + page.nrows * page.ncols, fault)
            empty = (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK, xlrd.XL_CELL_ERROR)
            rows = [[None if cell.ctype in empty else cell.value for cell in page.row(at)] for at in range(page.nrows)]
            yield Sheet(page.name, page.visibility != 0, rows)


def _counted(path: Path, cells: int, fault: type[ValueError]) -> int:
    if cells > MAX_CELLS:
        raise fault(
            f"{path}: more than {MAX_CELLS:,} cells, expected one row a clip; delete the empty rows and columns behind "
            "the table, or save the table alone as .csv"
        )
    return cells
