"""Writes emotrain/evaluation/word_frequency.csv: how often English text has each emotion word.

    .venv/bin/python -m pip install wordfreq==3.1.1
    .venv/bin/python benchmarks/word_frequency.py

wordfreq (Robyn Speer, 2022, doi:10.5281/zenodo.7199437; code Apache-2.0, data CC BY-SA 4.0) merges Wikipedia,
subtitles, news, books, web text, Twitter and Reddit up to about 2021; its large English list is used. Needed only to
write the table anew: the package ships the table.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from emotrain.emotions import ALIASES

OUT = Path(__file__).parents[1] / "emotrain" / "evaluation" / "word_frequency.csv"


def main() -> None:
    """Write one row a word: the share of all words that it is, to three digits."""
    from wordfreq import word_frequency

    words = {word for name, aliases in ALIASES.items() for word in (name, *aliases) if word.isascii()}
    shares = {word: word_frequency(word, "en", wordlist="large") for word in sorted(words)}
    rows = [f"{word},{share:.3g}" for word, share in shares.items() if share > 0]  # a misspelling has none
    header = (
        f"# wordfreq {version('wordfreq')}, English, large list; data CC BY-SA 4.0, see benchmarks/word_frequency.py"
    )
    OUT.write_text("\n".join([header, "word,frequency", *rows]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
