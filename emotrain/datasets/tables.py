"""Annotation tables as their authors ship them: Excel sheets with preambles, CSV with or without a header, word lists.

Every row keeps its file and its 1-based row number, so that each message can name them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from emotrain.datasets.reading import LayoutError

HEADER_WITHIN_ROWS = 40
MISSING = frozenset({"", "/", "-", "?", "nan", "none", "n/a", "null"})
"""What annotators write when there is nothing to write; compared in lower case."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its cells as stripped text, by column name."""

    file: Path
    number: int
    cells: Mapping[str, str]

    @property
    def where(self) -> str:
        """File name and row for messages, as in: annotation.xlsx row 12."""
        return f"{self.file.name} row {self.number}"

    def text(self, column: str) -> str | None:
        """The cell, or None when it is absent or holds one of the signs for "missing"."""
        value = self.cells.get(column, "")
        return None if value.lower() in MISSING else value

    def number_of(self, column: str) -> float | None:
        """The cell as a number, None when missing; raises ValueError that names row and column."""
        value = self.text(column)
        if value is None:
            return None
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not -1e12 < number < 1e12:
            raise ValueError(f"{self.where}: column {column!r} holds {value!r}, expected a number")
        return number


def read_sheet(file: Path, columns: Mapping[str, Sequence[str]], sheet: str | None = None) -> list[Row]:
    """Rows of an Excel sheet. `columns` maps our name of each column to the headers it goes by.

    The header is the first row that has all columns, so a preamble of any length is skipped. Column names are compared
    without case, spaces and underscores. `sheet` is taken when the workbook has it, else the first sheet that fits.
    Empty rows are left out. Raises LayoutError when no sheet fits, and for two headers that stand for one column.
    """
    heads: list[str] = []
    for title, values in _pages(file, sheet):
        rows = _under_header(file, values, columns)
        if rows is not None:
            return rows
        heads += [f"{title}: {', '.join(filter(None, values[0]))}"] if values else []
    wanted = ", ".join(aliases[0] for aliases in columns.values())
    raise LayoutError(f"{file}: no sheet has the columns {wanted}; first rows found: {'; '.join(heads)}")


def _pages(file: Path, sheet: str | None) -> Iterator[tuple[str, list[list[str]]]]:
    """Title and cells of the pages of a workbook, of `sheet` alone when the workbook has it."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        try:
            wanted = [page for page in book.worksheets if page.title == sheet]
            for page in wanted if wanted else book.worksheets:
                # Some programs write a wrong extent into the file; without this, rows beyond it would be lost silently.
                page.reset_dimensions()
                yield page.title, [[_text(cell) for cell in row] for row in page.iter_rows(values_only=True)]
        finally:
            book.close()
    except Exception as error:
        # A damaged workbook fails in whichever of the zip, XML and spreadsheet parsers meets the damage first, with
        # that parser's own error.
        raise LayoutError(
            f"{file}: not a readable .xlsx workbook ({type(error).__name__}: {error}); open it in a spreadsheet and "
            "save it as .xlsx"
        ) from error


def read_lines(file: Path, encodings: Sequence[str] = ("utf-8-sig", "gb18030")) -> list[tuple[int, str]]:
    """Non-empty lines with their 1-based numbers, each in the first of `encodings` that reads it.

    A line that none of them reads keeps its readable characters; the others become U+FFFD. Raises LayoutError for
    UTF-16.
    """
    lines = _bytes(file).removeprefix(b"\xef\xbb\xbf").split(b"\n")
    decoded = ((number, _decode(line, encodings).strip("\r\n ")) for number, line in enumerate(lines, start=1))
    return [(number, line) for number, line in decoded if line.strip()]


def read_csv(file: Path, columns: Mapping[str, Sequence[str]], required: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Rows of a CSV with a header (comma, semicolon or TAB), and the headers that are not read.

    Every line is a row: a quote that is never closed would make one cell of many rows, so a cell that goes on in the
    next line is refused. A row with more or fewer cells than the header keeps what it has. Raises LayoutError, also
    for UTF-16, without a `required` column and for two headers that stand for one column.
    """
    text = "\n".join(_decode(line, ("utf-8-sig", "gb18030")) for line in _bytes(file).split(b"\n"))
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    table = [(n, [cell.strip() for cell in cells]) for n, cells in _records(file, text, delimiter)]
    table = [(number, cells) for number, cells in table if any(cells)]
    header = table[0][1] if table else []
    names = _named(file, header, columns)
    missing = [name for name in required if name not in names]
    if missing:
        found = ", ".join(header) if header else "nothing, the file is empty"
        hint = "; it holds NUL characters as UTF-16 does, save it as UTF-8" if "\0" in text else ""
        raise LayoutError(f"{file}: no column {', '.join(missing)}; found {found}{hint}")
    rows = [
        Row(file, number, {name: cell for name, cell in zip(names, cells) if name is not None})
        for number, cells in table[1:]
    ]
    return rows, [cell for cell, name in zip(header, names) if name is None and cell]


def _records(file: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each line of a CSV."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 0
    try:
        for cells in reader:
            if reader.line_num > line + 1:
                raise LayoutError(
                    f"{file} line {line + 1}: a quoted cell goes on to line {reader.line_num}, expected a row a line; "
                    "close or remove its quote, or write the cell in one line"
                )
            line = reader.line_num
            yield line, cells
    except csv.Error as error:
        raise LayoutError(
            f"{file} line {line + 1}: not readable as CSV ({error}); close or remove a stray quote there"
        ) from error


def _under_header(file: Path, values: list[list[str]], columns: Mapping[str, Sequence[str]]) -> list[Row] | None:
    for at, head in enumerate(values[:HEADER_WITHIN_ROWS]):
        if set(columns) <= {column_of(cell, columns) for cell in head}:
            names = _named(file, head, columns)
            return [
                Row(file, number, {name: cell for name, cell in zip_longest(names, cells, fillvalue="") if name})
                for number, cells in enumerate(values[at + 1 :], start=at + 2)
                if any(cells)
            ]
    return None


def _named(file: Path, header: Sequence[str], columns: Mapping[str, Sequence[str]]) -> list[str | None]:
    """Our name of each header's column, None for one that is not read.

    Of two headers for one column the one spelled as the column's first alias is read. Raises LayoutError otherwise.
    """
    names = [column_of(cell, columns) for cell in header]
    for name, aliases in columns.items():
        places = [at for at, found in enumerate(names) if found == name]
        exact = [at for at in places if _key(header[at]) == _key(aliases[0])]
        if len(places) > 1 and len(exact) != 1:
            found = " and ".join(repr(header[at]) for at in places)
            raise LayoutError(
                f"{file}: the headers {found} all stand for the column {aliases[0]!r}, expected one; rename or remove "
                f"the others, or call the right one {aliases[0]!r}"
            )
        for at in places:
            if len(places) > 1 and at not in exact:
                names[at] = None
    return names


def column_of(header: str, columns: Mapping[str, Sequence[str]]) -> str | None:
    """Our name of the column that a header stands for, whatever its case, spaces and underscores; None for none."""
    key = _key(header)
    return next((name for name, aliases in columns.items() if key in map(_key, aliases)), None)


def _key(header: str) -> str:
    return "".join(header.lower().replace("_", "").split())


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _bytes(file: Path) -> bytes:
    data = file.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise LayoutError(f"{file}: the text is encoded as UTF-16, expected UTF-8 or gb18030; save it as UTF-8")
    return data


def _decode(line: bytes, encodings: Sequence[str]) -> str:
    for encoding in encodings:
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode(encodings[-1], errors="replace")
