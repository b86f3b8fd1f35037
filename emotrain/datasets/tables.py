"""Annotation tables as their authors ship them: workbooks with preambles, CSV, lists with or without a header.

Every row keeps its file and its 1-based row number, so that each message can name them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from emotrain.datasets.reading import LayoutError, Reading
from emotrain.text_tables import listed, read_text, records, separator_of, stated_separator
from emotrain.workbooks import is_workbook, read_workbook

HEADER_WITHIN_ROWS = 40
LOOKED_AT = 200
"""Rows by which a separator or an encoding is chosen."""
MISSING = frozenset({"", "/", "-", "?", "nan", "none", "n/a", "null"})
"""What annotators write when there is nothing to write; compared in lower case."""

Columns = Mapping[str, Sequence[str]]
"""Our name of each column, and the headers it goes by."""
Cells = list[tuple[int, list[str]]]
"""Row numbers and cells."""


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


@dataclass(frozen=True, slots=True)
class Table:
    """The rows under a header, the headers that stand for nothing here, and what a person should know of the choice."""

    rows: list[Row]
    ignored: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Page:
    title: str
    hidden: bool
    table: Table


def read_table(
    file: Path,
    columns: Columns,
    required: Sequence[str] | None = None,
    *,
    sheet: str | None = None,
    only: str | None = None,
    exists: Callable[[Mapping[str, str]], bool] | None = None,
) -> Table:
    """The rows of a workbook or of a text table (comma, semicolon, TAB or |) under its header.

    The header is the first row, of the first forty, that has all `required` columns (default: all), so a preamble of
    any length is skipped. Column names are compared without case, spaces and underscores. Of the sheets that fit, the
    visible one is read: `sheet` where the workbook has it, `only` and no other where a person named one. `exists` tells
    of a row whether the file it names is there, and so which old encoding its names are in. Empty rows are left out.
    Raises LayoutError when nothing fits or too much does, for a cell that goes on in the next line, and for two headers
    that stand for one column.
    """
    wanted = list(columns) if required is None else required
    if is_workbook(file):
        return _of_workbook(file, columns, wanted, sheet, only)
    if only is not None:
        raise LayoutError(f"{file}: no sheet {only!r}; the file is a text table, name it without a sheet")
    text = read_text(file, LayoutError, None if exists is None else _counted(columns, wanted, exists))
    notes = [] if text.encoding == "utf-8" else [f"{file.name}: read as {text.encoding}, it is not UTF-8"]
    rows = _cells(file, text.text, columns)
    table = _under_header(file, rows, columns, wanted)
    if table is None:
        header = rows[0][1] if rows else []
        missing = [columns[name][0] for name in wanted if name not in {column_of(cell, columns) for cell in header}]
        found = listed(header) if header else "nothing, the file is empty"
        raise LayoutError(f"{file}: no column {', '.join(missing)}; found {found}")
    return Table(table.rows, table.ignored, notes)


def read_list(file: Path, columns: Columns, reading: Reading, optional: Sequence[str] = ()) -> list[Row]:
    """The rows of a list that may have no header: cells by the header's names, without one by the order of `columns`.

    A header is a first row that has all of them, `optional` ones aside.

    The cells are parted by TAB, semicolon, comma, | or, where none of them parts most lines, by the last blank. Raises
    LayoutError for a row with more cells than there are columns to give them to.
    """
    text = read_text(file, LayoutError)
    if text.encoding not in ("utf-8", "gb18030"):
        reading.warn("encoding", f"{file.name}: read as {text.encoding}, it is not UTF-8")
    # A TAB at the start is a cell, the empty head of an index column.
    lines = [(number, line.strip(" ")) for number, line in enumerate(re.split(r"\r\n|\n|\r", text.text), start=1)]
    lines = [(number, line) for number, line in lines if line.strip()]
    first = [line[: 1 << 14] for _, line in lines[:LOOKED_AT]]
    separator: str | None = separator_of(first, lambda cells: _known(cells, columns))
    if 2 * sum(separator in line for line in first) <= len(first):
        separator = None
    rows = [(number, _parted(file, number, line, separator)) for number, line in lines]
    if rows and set(columns) - set(optional) <= {column_of(cell, columns) for cell in rows[0][1]}:
        names, rows = _named(file, rows[0][1], columns), rows[1:]
    else:
        names = list(columns)
    for number, cells in rows:
        if any(cells[len(names) :]) and separator != "\t":
            head = ",".join(aliases[0] for aliases in columns.values())
            raise LayoutError(
                f"{file} row {number}: {len(cells)} cells ({listed(cells)}), expected {len(names)}; name the columns "
                f"in a first row like {head}, or correct the row"
            )
    return [Row(file, number, {name: cell for name, cell in zip(names, cells) if name}) for number, cells in rows]


def _parted(file: Path, number: int, line: str, separator: str | None) -> list[str]:
    if separator is None:
        cells = line.rsplit(None, 1)
    elif separator == "\t":
        cells = line.split("\t")
    else:
        try:
            cells = next(csv.reader([line], delimiter=separator), [])
        except csv.Error as error:
            raise LayoutError(f"{file} row {number}: {error}; correct the row") from error
    return [cell.strip().strip('"') for cell in cells]


def _cells(file: Path, text: str, columns: Columns) -> Cells:
    """The rows of a text table that hold anything."""
    stated, text = stated_separator(text)
    first = list(islice(filter(str.strip, _lines(text)), HEADER_WITHIN_ROWS))
    separator = stated if stated is not None else separator_of(first, lambda cells: _known(cells, columns))
    table = [(n, [cell.strip() for cell in cells]) for n, cells in records(file, text, separator, LayoutError)]
    return [(number, cells) for number, cells in table if any(cells)]


def _lines(text: str) -> list[str]:
    return text[: 1 << 20].replace("\r", "\n").split("\n")


def _counted(
    columns: Columns, required: Sequence[str], exists: Callable[[Mapping[str, str]], bool]
) -> Callable[[str], int]:
    """How many of the first rows of a text that are not ASCII name a file that exists."""

    def count(text: str) -> int:
        text = text[: 1 << 20].rpartition("\n")[0] if len(text) > 1 << 20 else text
        try:
            rows = _cells(Path(), text, columns)
            table = _under_header(Path(), rows, columns, required)
        except LayoutError:
            return 0
        odd = (
            row for row in (table.rows if table is not None else ()) if not all(map(str.isascii, row.cells.values()))
        )
        return sum(exists(row.cells) for row in islice(odd, LOOKED_AT))

    return count


def _of_workbook(
    file: Path, columns: Columns, required: Sequence[str], preferred: str | None, only: str | None
) -> Table:
    pages: list[_Page] = []
    heads: list[str] = []
    titles: list[str] = []
    for sheet in read_workbook(file, LayoutError):
        titles.append(sheet.title)
        if only is not None and sheet.title != only:
            continue
        rows = [(number, [_text(cell) for cell in row]) for number, row in enumerate(sheet.rows, start=1)]
        rows = [(number, cells) for number, cells in rows if any(cells)]
        table = _under_header(file, rows, columns, required)
        if table is not None:
            pages.append(_Page(sheet.title, sheet.hidden, table))
        elif rows:
            heads.append(f"{sheet.title}: {listed([cell for cell in rows[0][1] if cell])}")
    if only is not None and only not in titles:
        raise LayoutError(f"{file}: no sheet {only!r}; it has {listed(titles)}")
    if not pages:
        wanted = ", ".join(columns[name][0] for name in required)
        raise LayoutError(f"{file}: no sheet has the columns {wanted}; first rows found: {'; '.join(heads)}")
    return _chosen(file, pages, preferred)


def _chosen(file: Path, pages: Sequence[_Page], preferred: str | None) -> Table:
    """The one sheet to read of those that fit: a visible one, the preferred, or one of several that say the same."""
    visible = [page for page in pages if not page.hidden]
    candidates = visible if visible else pages
    named = [page for page in candidates if page.title == preferred]
    candidates = named if named else candidates
    first, *others = candidates
    unlike = [page.title for page in others if _content(page) != _content(first)]
    if unlike:
        kind = "visible" if visible else "hidden"
        raise LayoutError(
            f"{file}: {len(candidates)} {kind} sheets have the columns of this annotation and differ: "
            f"{listed([page.title for page in candidates])}; hide or delete all but the right one, or name it where "
            "the data set takes --annotation 'FILE#SHEET'"
        )
    notes = []
    if first.hidden:
        notes.append(f"{file.name}: only the hidden sheet {first.title!r} fits: it is read")
    left = [page.title for page in pages if page is not first]
    if left:
        notes.append(f"{file.name}: sheet {first.title!r} is read; {listed(left)} would fit too and is not")
    return Table(first.table.rows, first.table.ignored, notes)


def _content(page: _Page) -> list[Mapping[str, str]]:
    return [row.cells for row in page.table.rows]


def _under_header(file: Path, rows: Cells, columns: Columns, required: Sequence[str]) -> Table | None:
    for at, (_, head) in enumerate(rows[:HEADER_WITHIN_ROWS]):
        if set(required) <= {column_of(cell, columns) for cell in head}:
            names = _named(file, head, columns)
            return Table(
                [
                    Row(file, number, {name: cell for name, cell in zip_longest(names, cells, fillvalue="") if name})
                    for number, cells in rows[at + 1 :]
                ],
                [cell for cell, name in zip(head, names) if name is None and cell],
            )
    return None


def _known(cells: Sequence[str], columns: Columns) -> int:
    return len({column_of(cell, columns) for cell in cells} - {None})


def _named(file: Path, header: Sequence[str], columns: Columns) -> list[str | None]:
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


def column_of(header: str, columns: Columns) -> str | None:
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
