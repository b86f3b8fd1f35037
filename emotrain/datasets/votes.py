"""Annotator votes as soft labels: a table with one column a class, read as shares that sum to 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from emotrain.datasets.reading import LayoutError, Reading
from emotrain.datasets.tables import Row, read_table


def read_votes(
    files: Sequence[Path],
    columns: Mapping[str, Sequence[str]],
    name_of: Callable[[str], str | None],
    reading: Reading,
) -> dict[str, Mapping[str, float]]:
    """Shares of the votes by clip name, from the first of `files`; {} with a warning when none can be read.

    `columns` maps "clip" and each label to its headers, `name_of` a cell of the clip column to the clip's name. A row
    that holds no distribution is left out with a warning.
    """
    if not files:
        reading.warn("soft labels", "annotation.xlsx is missing: the votes column is empty")
        return {}
    if len(files) > 1:
        names = ", ".join(file.name for file in files[1:])
        reading.warn("soft labels", f"{files[0].name} is read; {names} beside it is not: swap them if need be")
    try:
        table = read_table(files[0], columns)
    except LayoutError as error:
        reading.warn("soft labels", f"{error}; the votes column is empty")
        return {}
    for note in table.notes:
        reading.warn("soft labels", note)
    labels = [column for column in columns if column != "clip"]
    votes: dict[str, Mapping[str, float]] = {}
    for row in table.rows:
        name = name_of(row.cells.get("clip", ""))
        shares = shares_of(row, labels, reading)
        if name is not None and shares is not None:
            votes[name] = shares
    return votes


def shares_of(row: Row, labels: Sequence[str], reading: Reading) -> dict[str, float] | None:
    """The votes of one row as shares by label, those above 0; None with a warning where they are no distribution."""
    try:
        counts = {label: row.number_of(label) for label in labels}
    except ValueError as error:
        reading.warn("soft labels", str(error))
        return None
    given = {label: count for label, count in counts.items() if count is not None and count != 0}
    if not given or min(given.values()) < 0:
        reading.warn("soft labels", f"{row.where}: votes {list(counts.values())} are no distribution")
        return None
    total = sum(given.values())
    return {label: count / total for label, count in given.items()}
