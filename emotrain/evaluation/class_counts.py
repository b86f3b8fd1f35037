"""Training clips a class as people have them: a JSON or CSV file, or the published counts of a label set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emotrain.emotions import PUBLISHED_COUNTS, canonical, nearest
from emotrain.json_files import read_object
from emotrain.text_tables import columns


def read_counts(given: str) -> dict[str, int]:
    """Counts by label from `{"anger": 1390, ...}`, from rows `label,count`, or of a known set ("mafw").

    Labels may be written in any known spelling. Raises ValueError, naming the entry, for a count that is no whole
    number from 0 and for a label that occurs twice, FileNotFoundError for a name that is neither a file nor a set.
    """
    path = Path(given)
    if path.suffix not in (".json", ".csv"):
        if given in PUBLISHED_COUNTS:
            return dict(PUBLISHED_COUNTS[given])
        raise FileNotFoundError(
            f"{given!r} is neither a .json or .csv file nor a label set with published counts; "
            f"{nearest(given, PUBLISHED_COUNTS)}"
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected training clips a class")
    rows = _from_json(path) if path.suffix == ".json" else columns(path, ["label", "count"])
    counts: dict[str, int] = {}
    for label, count in rows:
        known = canonical(label)
        name = known if known is not None else label.strip()
        if name in counts:
            raise ValueError(f"{path}: label {name!r} occurs twice; give one count a label")
        counts[name] = _whole(path, label, count)
    return counts


def _from_json(path: Path) -> list[tuple[str, Any]]:
    found = read_object(path, 'write an object of counts by label, such as {"anger": 12}')
    return list(found.items())


def _whole(path: Path, label: str, count: Any) -> int:
    text = str(count).strip()
    if isinstance(count, bool) or not text.isdigit():
        raise ValueError(f"{path}: label {label!r} has the count {count!r}; expected a whole number from 0")
    return int(text)
