"""What a reader hands over: the clips of one data set, and everything that was odd about its files.

A reader goes on after a bad row. A row that is usable but odd is a warning, a row that is not is quarantined; both
name the file and the row. Only an unknown label stops a reader, because guessing one would poison a class.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from emotrain.datasets.ignored import found
from emotrain.emotions import ALIASES, LabelSet, canonical, nearest
from emotrain.records import Clip


class LayoutError(ValueError):
    """The folder is not in the official layout; the message says what was expected where."""


class UnknownLabel(ValueError):
    """A label that is in no alias table; the message names file, row, value and the nearest names."""


@dataclass(slots=True)
class Reading:
    """The clips of one data set with warnings by kind and quarantined rows. Media files are checked afterwards."""

    dataset: str
    label_set: LabelSet
    clips: list[Clip] = field(default_factory=list)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    quarantined: list[dict[str, str]] = field(default_factory=list)
    rows: dict[str, str] = field(default_factory=dict)
    """File and row of a clip id, where the annotation has one row a clip: for what is found out later."""

    def warn(self, kind: str, message: str) -> None:
        """Note something odd; `kind` is the heading it is counted under."""
        self.warnings.setdefault(kind, []).append(printable(message))

    def quarantine(self, clip_id: str, label: str, path: str, reason: str) -> None:
        """Leave a clip out, with the reason."""
        row = {"clip_id": clip_id, "label": label, "path": path, "reason": reason}
        self.quarantined.append({key: printable(value) for key, value in row.items()})


def printable(text: str) -> str:
    """`text` as it can be written into a file: bytes of a file's name that are not UTF-8 are spelled out (\\xd6)."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def read_label(word: str, known: LabelSet, where: str) -> str:
    """The name in `known` that `word` stands for, by its aliases; `where` is "file, row n" for the error.

    Of an ordinal set a number is the label with the nearest value.

    Raises UnknownLabel.
    """
    if word.strip() in known.labels:
        return word.strip()
    if known.values and (rated := _number(word)) is not None:
        if not min(known.values) <= rated <= max(known.values):
            raise UnknownLabel(
                f"{where}: rating {word!r} is outside {min(known.values):g} to {max(known.values):g} of label set "
                f"{known.name!r}; correct the annotation, or give a label file with the values of your scale"
            )
        return min(zip(known.values, known.labels), key=lambda pair: abs(pair[0] - rated))[1]
    name = canonical(word)
    if name is None or name not in known.labels:
        spellings = [*known.labels, *(alias for label in known.labels for alias in ALIASES.get(label, ()))]
        close = get_close_matches(word.strip().lower(), spellings, n=1, cutoff=0.6)
        raise UnknownLabel(
            f"{where}: label {word!r} is not in label set {known.name!r}; {nearest(word, close or known.labels)}; "
            "correct the annotation or add the spelling to ALIASES in emotrain/emotions.py"
        )
    return name


def _number(word: str) -> float | None:
    try:
        found = float(word)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def first_existing(root: Path, candidates: Collection[str], what: str) -> Path:
    """The first of `candidates` (glob patterns relative to `root`, "" for the root itself) that exists.

    Raises LayoutError.
    """
    if not root.is_dir():
        raise LayoutError(
            f"{root}: no such folder; --root is the folder that holds the data set as its authors ship it"
        )
    for candidate in candidates:
        places = found(root, candidate) if candidate else [root]
        if places:
            return places[0]
    raise LayoutError(
        f"{root}: {what} not found; expected one of {', '.join(candidates)} below it (docs/datasets.md has the layouts)"
    )


def media_folder(root: Path, media: str | None, candidates: Collection[str]) -> str:
    """The folder, relative to `root`, that the clips of an annotation lie in ("" for the root itself).

    `media` names it; without it, the first of `candidates` that exists. Raises LayoutError.
    """
    if media is None:
        relative = first_existing(root, candidates, "the folder of the clips").relative_to(root).as_posix()
        return "" if relative == "." else relative
    if not (root / media).is_dir():
        raise LayoutError(f"--media {media!r}: no folder {root / media}")
    return media.strip("/")


def joined(*parts: str) -> str:
    """A relative path of the parts that are not empty."""
    return "/".join(part for part in parts if part)
