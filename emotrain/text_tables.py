"""Text tables as programs write them: their encoding, their separator, their rows; of bounded size whatever they hold.

Annotations and prediction files are read through here, so that a semicolon or an old encoding means the same in both.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 512 << 20
MAX_COLUMNS = 1000
SHOWN_COLUMNS = 20
SEPARATORS = "\t;,|"
OLD_ENCODINGS = ("gb18030", "big5", "cp1252")
"""What tables that are not Unicode come in, told apart by how their characters look."""
RARE_ENCODINGS = ("shift_jis", "euc_kr", "cp1251", "cp1250", "mac_roman")
"""Tried besides where a table names files, since then the disk says which spelling exists."""
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_SAMPLE = 1 << 16


@dataclass(frozen=True, slots=True)
class Text:
    """A decoded file and the encoding it was read in; what that cannot read is U+FFFD."""

    text: str
    encoding: str


def read_text(path: Path, fault: type[ValueError] = ValueError, fits: Callable[[str], int] | None = None) -> Text:
    """The text of a table: Unicode by its mark or by its bytes, else the old encoding in which it looks right.

    `fits` counts what is right of a text (the files it names that exist); where it finds anything the most counts, not
    the looks. Lines that are UTF-8 stay so in any case. Raises `fault` past MAX_BYTES.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise fault(
            f"{path}: {size >> 20:,} MiB of text, expected at most {MAX_BYTES >> 20}; cut it into several files"
        )
    data = path.read_bytes()
    for mark, encoding in _MARKS:
        if data.startswith(mark) and encoding != "utf-8":
            return Text(data[len(mark) :].decode(encoding, "replace"), encoding)
    data = data.removeprefix(b"\xef\xbb\xbf")
    head = data[:4096]
    if len(head) > 3 and head.count(0) * 3 > len(head):
        encoding = "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        return Text(data.decode(encoding, "replace"), encoding)
    try:
        return Text(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        lines = data.split(b"\n")
    odd = [line for line in lines if not _is_utf8(line)]
    sample = b"\n".join(odd)[:_SAMPLE]
    encoding = max(OLD_ENCODINGS, key=lambda name: _plausible(sample, name))
    if fits is not None:
        names = (encoding, *(name for name in (*OLD_ENCODINGS, *RARE_ENCODINGS) if name != encoding))
        counts = {name: fits(_decoded(lines, name)) for name in names}
        encoding = max(names, key=lambda name: counts[name])
    return Text(_decoded(lines, encoding), encoding)


def separator_of(lines: Sequence[str], names: Callable[[list[str]], int] | None = None) -> str:
    """The separator of a table by its first lines: the one under which the header has most known `names`, then the one
    that cuts most lines into as many cells as the first, then the one that makes most cells. Of a line that is longer
    than any cell may be, the beginning is looked at."""
    lines = [line[: 1 << 14] for line in lines]

    def worth(separator: str) -> tuple[int, int, int]:
        # Python 3.10 refuses a line with a NUL; whoever reads the rows says so with its number.
        rows = [next(csv.reader([line.replace("\0", "")], delimiter=separator), []) for line in lines]
        cells = len(rows[0])
        alike = sum(len(row) == cells for row in rows) if cells > 1 else 0
        return (max(map(names, rows)) if names is not None else 0), alike, cells

    return max(SEPARATORS, key=worth) if lines else ","


def stated_separator(text: str) -> tuple[str | None, str]:
    """What spreadsheets write first for themselves (`sep=;`), and the text with that line left empty."""
    found = re.match(r'"?sep=(.)"?\r?(?=\n)', text, re.IGNORECASE)
    return (found[1], text[found.end() :]) if found is not None else (None, text)


def records(
    path: Path,
    text: str,
    separator: str,
    fault: type[ValueError] = ValueError,
    *,
    multiline: bool = False,
    longest_cell: int = 1 << 17,
) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, cells) of each row; `fault` for a stray quote and past MAX_COLUMNS.

    Without `multiline` a row is a line: an unclosed quote would make one cell of many rows.
    """
    before = csv.field_size_limit(longest_cell)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 0
    try:
        for cells in reader:
            first, line = line + 1, reader.line_num
            if line > first and not multiline:
                raise fault(
                    f"{path} line {first}: a quoted cell goes on to line {line}, expected a row a line; "
                    "close or remove its quote, or write the cell in one line"
                )
            check_columns(path, first, len(cells), fault)
            yield first, cells
    except csv.Error as error:
        raise fault(
            f"{path}, row that begins on line {line + 1}: not readable as CSV ({error}); put quotes around a cell that "
            f"holds {separator!r}, a line break or a quote, double the quotes in it, and remove stray ones"
        ) from error
    finally:
        csv.field_size_limit(before)


def columns(path: Path, names: Sequence[str]) -> list[list[str]]:
    """The cells of the columns of those names, row by row; empty lines and those that begin with # are left out.

    Raises FileNotFoundError, and ValueError for a table without these columns, with a short row or that cannot be read.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected a table with the columns {', '.join(names)}")
    lines = ["" if line.startswith("#") else line for line in read_text(path).text.splitlines()]
    first = list(filter(str.strip, lines))[:10]
    rows = [row for row in records(path, "\n".join(lines), separator_of(first)) if any(map(str.strip, row[1]))]
    head = [cell.strip() for cell in rows[0][1]] if rows else []
    missing = [name for name in names if name not in head]
    if missing:
        raise ValueError(f"{path}: expected the columns {', '.join(names)}, found {listed(head) or 'an empty file'}")
    places = [head.index(name) for name in names]
    for line, cells in rows[1:]:
        if len(cells) <= max(places):
            raise ValueError(f"{path} line {line}: {len(cells)} cell(s), expected {len(head)} as in the first row")
    return [[cells[place] for place in places] for _, cells in rows[1:]]


def check_columns(path: Path, row: int, cells: int, fault: type[ValueError]) -> None:
    """Raise `fault` for a row that no table of this kind has."""
    if cells > MAX_COLUMNS:
        raise fault(
            f"{path} row {row}: {cells:,} cells, expected at most {MAX_COLUMNS:,}; a row is a clip, so write the table "
            "the other way round or remove the columns behind it"
        )


def listed(names: Sequence[str]) -> str:
    """The first column names for a message, and how many more there are; each cut at 40 characters."""
    more = f" and {len(names) - SHOWN_COLUMNS} more" if len(names) > SHOWN_COLUMNS else ""
    return ", ".join(name if len(name) <= 40 else f"{name[:40]}..." for name in names[:SHOWN_COLUMNS]) + more


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decoded(lines: Sequence[bytes], encoding: str) -> str:
    """Each line in UTF-8 where it is that, else in `encoding`: files are put together from several sources."""
    return "\n".join(line.decode("utf-8" if _is_utf8(line) else encoding, "replace") for line in lines)


def _plausible(data: bytes, encoding: str) -> float:
    """Share of the characters beyond ASCII that text in `encoding` has in its everyday part."""
    text = data.decode(encoding, "replace")
    beyond = [at for at, char in enumerate(text) if char >= "\x80"]
    return sum(_everyday(text, at, encoding) for at in beyond) / max(1, len(beyond))


def _everyday(text: str, at: int, encoding: str) -> bool:
    char = text[at]
    if encoding == "cp1252":  # an accented letter between plain ones; Chinese would be long runs of them
        beside = text[max(0, at - 1)] if at else "", text[at + 1 : at + 2]
        return char.isalpha() and not any(other >= "\x80" for other in beside)
    try:
        code = char.encode("gb2312" if encoding == "gb18030" else encoding)
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and (encoding == "gb18030" or 0xA1 <= code[0] <= 0xC6)
