"""Label sets from files: a label on a line of a .txt, or `labels:` of a .yaml, a list or {label: value} of a scale.

    labels: {very low: 1, low: 2, medium: 3, high: 4, very high: 5}

With values the set is ordinal: an answer is the expectation of the value over the scores of the labels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emotrain.yaml_files import read_mapping

SUFFIXES = (".txt", ".yaml", ".yml")
MOST = 1000


def is_label_file(name: str) -> bool:
    """Whether the name of a label set is that of a file."""
    return name.lower().endswith(SUFFIXES)


def read_labels(path: Path) -> Mapping[str, float | None]:
    """The labels of a file in its order, each with its value on a scale, or None.

    Raises ValueError, naming the file and what is wrong, for anything but two or more different labels with a value
    each or none, and for a file that is not there.
    """
    if not path.is_file():
        raise ValueError(f"label_set: {path}: no such file; expected a label a line (.txt), or `labels:` (.yaml)")
    given = _lines(path) if path.suffix.lower() == ".txt" else read_mapping(path).get("labels")
    pairs = list(given.items()) if isinstance(given, dict) else [(label, None) for label in _listed(given, path)]
    found = {" ".join(str(label).split()): value for label, value in pairs}
    odd = [label for label in found if not label or not label.isprintable() or len(label) > 100 or "," in label]
    if odd or len(found) != len(pairs) or not 2 <= len(found) <= MOST:
        raise ValueError(
            f"label_set: {path}: expected 2 to {MOST} different labels of at most 100 characters and without commas, "
            f"found {', '.join(map(repr, odd)) or f'{len(found)} different ones of {len(pairs)}'}"
        )
    wrong = [label for label, value in found.items() if value is not None and not _is_number(value)]
    valued = [value for value in found.values() if value is not None]
    if wrong or (valued and (len(valued) != len(found) or len(set(valued)) != len(valued))):
        raise ValueError(
            f"label_set: {path}: expected a number of its own for every label of a scale, or for none; see "
            f"{', '.join(wrong) or 'labels that share a value or lack one'}"
        )
    return {label: None if value is None else float(value) for label, value in found.items()}


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"label_set: {path}: not UTF-8 text; save it as UTF-8") from error
    return [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]


def _listed(given: Any, path: Path) -> list[Any]:
    if not isinstance(given, list):
        raise ValueError(f"label_set: {path}: `labels:` expected, a list or {{label: value}}, found {given!r:.80}")
    return given


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
