"""JSON files that emotrain or a library of its wrote: read in one place, every fault said with file and remedy."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from emotrain.damaged_files import DamagedFile


def read_object(
    path: Path, remedy: str, keys: Collection[str] = (), *, most_bytes: int | None = None
) -> dict[str, Any]:
    """The object in a JSON file; `remedy` is a clause that says how to get the file back, `keys` must be in it.

    Raises DamagedFile for a file that is cut, no JSON, no object, longer than `most_bytes` or lacks keys; OSError where
    it cannot be read.
    """
    expected = f"an object with {', '.join(keys)}" if keys else "an object"
    with path.open("rb") as file:
        content = file.read(-1 if most_bytes is None else most_bytes + 1)
    if most_bytes is not None and len(content) > most_bytes:
        raise DamagedFile(path, f"more than {most_bytes:,} bytes", expected, remedy)
    values = parse(content, path, expected, remedy)
    if not isinstance(values, dict):
        raise DamagedFile(path, f"holds {_kind(values)}", expected, remedy)
    missing = [key for key in keys if key not in values]
    if missing:
        raise DamagedFile(path, f"no {', '.join(missing)} in it", expected, remedy)
    return values


def parse(content: bytes, path: Path | str, expected: str, remedy: str) -> Any:
    """The value of JSON text from `path` (which may name a line, too); raises DamagedFile where it is none."""
    try:
        return json.loads(content)
    except RecursionError as error:
        raise DamagedFile(path, "values within values without end", expected, remedy) from error
    except ValueError as error:  # not JSON, not UTF-8, a number of 10,000 digits
        found = "an empty file" if not content.strip() else f"not JSON ({error})"
        raise DamagedFile(path, found, expected, remedy) from error


def entry(values: dict[str, Any], key: str, kind: type, path: Path, remedy: str) -> Any:
    """One value of an object that was read from `path`; raises DamagedFile unless it is there and of its kind."""
    value = values.get(key)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        found = f"{key} is {_kind(value)}" if key in values else f"no {key} in it"
        raise DamagedFile(path, found, f"{key} as {_NAMES.get(kind, kind.__name__)}", remedy)
    return value


_NAMES = {dict: "an object", list: "a list", str: "a text", int: "a whole number", float: "a number"}


def _kind(value: object) -> str:
    return "null" if value is None else _NAMES.get(type(value), type(value).__name__)
