"""How often people write each emotion word: the prior that a language model may have brought along."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

SHIPPED = Path(__file__).parents[1] / "word_frequency.csv"
SOURCE = "wordfreq 3.1.1 (Speer 2022, doi:10.5281/zenodo.7199437), English, large list, CC BY-SA 4.0"


def word_frequency(names: Sequence[str], table: Path | None = None) -> list[float | None]:
    """The frequency of each name, in its order; None for a name that the table lacks.

    `table` is a CSV with the columns word and frequency (shares or counts: only ratios matter) instead of the shipped
    one, which is English. Raises ValueError that names the row for a frequency that is no positive number.
    """
    path = table if table is not None else SHIPPED
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected a CSV with the columns word,frequency")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(line for line in file if not line.startswith("#"))
        columns = [] if reader.fieldnames is None else list(reader.fieldnames)
        if not {"word", "frequency"} <= set(columns):
            raise ValueError(f"{path}: expected the columns word and frequency, found {', '.join(columns)}")
        known = {row["word"].strip().lower(): _positive(path, row) for row in reader}
    return [known.get(name.lower()) for name in names]


def _positive(path: Path, row: dict[str, str]) -> float:
    try:
        value = float(row["frequency"])
    except (TypeError, ValueError):
        value = float("nan")
    if not 0 < value < float("inf"):
        raise ValueError(f"{path}: word {row['word']!r} has the frequency {row['frequency']!r}; expected a number > 0")
    return value
