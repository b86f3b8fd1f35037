"""The label set of people's own videos: one of the known sets, or the classes their files name."""

from __future__ import annotations

from collections.abc import Sequence

from emotrain.datasets.reading import LayoutError, Reading, printable, read_label
from emotrain.emotions import OWN, LabelSet, canonical, label_set


def own_label_set(words: Sequence[tuple[str, str]], name: str | None, reading: Reading) -> dict[str, str]:
    """Name of the class for each (word, where); sets `reading.label_set`.

    With `name` every word must belong to that set (UnknownLabel otherwise). Without it the classes are the words
    themselves, spellings of one emotion put together; a word that is no known emotion becomes a class with a warning.
    Raises LayoutError for a name that is not UTF-8.
    """
    for word, where in words:
        if printable(word) != word:
            raise LayoutError(f"{printable(where)}: the class {printable(word)!r} is not named in UTF-8; rename it")
    if name is not None:
        reading.label_set = label_set(name)
        return {word: read_label(word, reading.label_set, where) for word, where in words}
    names: dict[str, str] = {}
    for word, where in words:
        if word in names:
            continue
        known = canonical(word)
        names[word] = known if known is not None else word.strip().lower()
        if known is None:
            reading.warn("own label", f"{where}: {word!r} is in no alias table and becomes a class of its own")
    for label in sorted(set(names.values())):
        spellings = sorted(word for word, of in names.items() if of == label)
        if len(spellings) > 1:
            reading.warn("spellings", f"{', '.join(map(repr, spellings))} are one class: {label}")
    reading.label_set = LabelSet(OWN, tuple(sorted(set(names.values()))))
    return names
