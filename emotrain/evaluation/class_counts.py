"""Training clips a class as people have them: a JSON or CSV file, or the published counts of a label set."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from emotrain.emotions import PUBLISHED_COUNTS, canonical, nearest


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
    rows = _from_json(path) if path.suffix == ".json" else _from_csv(path)
    counts: dict[str, int] = {}
    for label, count in rows:
        known = canonical(label)
        name = known if known is not None else label.strip()
        if name in counts:
            raise ValueError(f"{path}: label {name!r} occurs twice; give one count a label")
        counts[name] = _whole(path, label, count)
    return counts


def _from_json(path: Path) -> list[tuple[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path}: expected an object of counts by label, found a {type(found).__name__}")
    return list(found.items())


def _from_csv(path: Path) -> list[tuple[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        columns = [] if reader.fieldnames is None else list(reader.fieldnames)
        if not {"label", "count"} <= set(columns):
            raise ValueError(f"{path}: expected columns label and count, found {', '.join(columns)}")
        return [(str(row["label"]), row["count"]) for row in reader]


def _whole(path: Path, label: str, count: Any) -> int:
    text = str(count).strip()
    if isinstance(count, bool) or not text.isdigit():
        raise ValueError(f"{path}: label {label!r} has the count {count!r}; expected a whole number from 0")
    return int(text)
