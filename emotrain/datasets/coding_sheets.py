"""The coding sheet of a laboratory set: under its official name, under another one, or named with --annotation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emotrain.datasets.ignored import found
from emotrain.datasets.reading import LayoutError, Reading
from emotrain.datasets.tables import Columns, Row, Table, read_table
from emotrain.text_tables import listed

SUFFIXES = (".xlsx", ".xlsm", ".xls", ".csv", ".tsv", ".txt")
_FOLDERS = ("", "*/", "*/*/")
MOST = 50
"""How many other tables are looked into; folders of measurements hold one a clip."""


def read_coding_sheet(
    root: Path,
    annotation: str | None,
    names: Sequence[str],
    columns: Columns,
    reading: Reading,
    *,
    required: Sequence[str] | None = None,
    sheet: str | None = None,
) -> list[Row]:
    """The rows of the sheet that `annotation` names ("FILE" or "FILE#SHEET"), else of the one found below `root`.

    First come files under the official `names` (patterns without suffix), in the root or up to two folders below, then
    any table in the root or one folder below; of these the one that has the `required` columns (default: all) is read,
    and a warning names a file that is not the official one. `sheet` is the sheet that is read where a workbook has it.
    Raises LayoutError when none fits, and when several do that differ.
    """
    if annotation is not None:
        file, title = named_table(root, annotation)
        table = read_table(file, columns, required, sheet=sheet, only=title)
        return _told(table, reading)
    if not root.is_dir():
        raise LayoutError(
            f"{root}: no such folder; --root is the folder that holds the data set as its authors ship it"
        )
    reasons: list[str] = []
    official = [file for above in _FOLDERS for name in names for file in _tables(root, above + name)]
    others = [file for above in _FOLDERS[:2] for file in _tables(root, above + "*") if file not in official][:MOST]
    for files in (official, others):
        fitting: list[tuple[Path, Table]] = []
        for file in dict.fromkeys(files):
            try:
                fitting.append((file, read_table(file, columns, required, sheet=sheet)))
            except LayoutError as error:
                reasons.append(str(error))
        if fitting:
            return _one(root, fitting, reasons, reading, official=files is official)
    if official:
        raise LayoutError(
            f"{root}: the coding sheet cannot be read: {'; '.join(reasons[:3])}; mend it, or name another one with "
            "--annotation FILE"
        )
    heads = ", ".join(aliases[0] for aliases in columns.values())
    raise LayoutError(
        f"{root}: the coding sheet not found; expected one of {', '.join(f'{name}.xlsx' for name in names)}, or any "
        f"table with the columns {heads}, below it"
        + "".join(f"; {reason}" for reason in reasons[:3])
        + "; name it with --annotation FILE (docs/datasets.md has the layouts)"
    )


def named_table(root: Path, annotation: str) -> tuple[Path, str | None]:
    """The file, here or below `root`, and the sheet that an --annotation names; raises LayoutError."""
    name, mark, title = annotation.rpartition("#")
    for text, sheet in ((annotation, None), (name, title)) if mark and name else ((annotation, None),):
        for file in (Path(text), root / text):
            if file.is_file():
                return file, sheet
    raise LayoutError(f"--annotation {annotation!r}: no such file, neither here nor in {root}")


def _tables(root: Path, pattern: str) -> list[Path]:
    return [file for suffix in SUFFIXES for file in found(root, pattern + suffix) if file.is_file()]


def _one(
    root: Path, fitting: Sequence[tuple[Path, Table]], reasons: Sequence[str], reading: Reading, *, official: bool
) -> list[Row]:
    (file, table), *others = fitting
    unlike = [other for other, rows in others if [r.cells for r in rows.rows] != [r.cells for r in table.rows]]
    if unlike:
        names = listed([path.relative_to(root).as_posix() for path, _ in fitting])
        raise LayoutError(
            f"{root}: {len(fitting)} tables have the columns of the coding sheet and differ: {names}; name the right "
            "one with --annotation FILE"
        )
    if not official:
        reading.warn("annotation", f"{file.relative_to(root)} is read as the coding sheet, by its columns")
    for reason in reasons:
        reading.warn("annotation", f"not read: {reason}")
    return _told(table, reading)


def _told(table: Table, reading: Reading) -> list[Row]:
    for note in table.notes:
        reading.warn("annotation", note)
    return table.rows
