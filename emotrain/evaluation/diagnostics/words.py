"""How often people write each emotion word: the prior that a language model may have brought along."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emotrain.text_tables import columns

SHIPPED = Path(__file__).parents[1] / "word_frequency.csv"
SOURCE = "wordfreq 3.1.1 (Speer 2022, doi:10.5281/zenodo.7199437), English, large list, CC BY-SA 4.0"


def word_frequency(names: Sequence[str], table: Path | None = None) -> list[float | None]:
    """The frequency of each name, in its order; None for a name that the table lacks.

    `table` is a CSV with the columns word and frequency (shares or counts: only ratios matter) instead of the shipped
    one, which is English. Raises ValueError that names the row for a frequency that is no positive number.
    """
    path = table if table is not None else SHIPPED
    known = {word.strip().lower(): _positive(path, word, given) for word, given in columns(path, ["word", "frequency"])}
    return [known.get(name.lower()) for name in names]


def _positive(path: Path, word: str, given: str) -> float:
    try:
        value = float(given)
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise ValueError(f"{path}: word {word!r} has the frequency {given!r}; expected a number > 0")
    return value
