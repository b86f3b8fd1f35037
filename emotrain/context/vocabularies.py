"""In whose words a back end's events are told, and told again when they move: a table with an entry for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emotrain.context import facs_words, grid_words, number_words

DESCRIBE: Mapping[str, Callable[..., str]] = {
    "grid": grid_words.describe,
    f"{number_words.PREFIX}motion": number_words.describe,
    f"{number_words.PREFIX}grid": number_words.describe,
}
"""By back end, where it has words of its own; every other tells of a face."""


def describing(backend: str) -> Callable[..., str]:
    """The function that tells the events of a back end (`facs_words.describe` says what it takes)."""
    return DESCRIBE.get(backend, facs_words.describe)
