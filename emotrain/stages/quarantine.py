"""The clips that a stage could not use, or only in part: a JSON line each, in a file beside the part they belong to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from emotrain.records import Clip

QUARANTINE, DAMAGED = ".quarantine.jsonl", ".damaged.jsonl"
KEYS = ("clip_id", "label", "path", "reason")


def quarantine_path(part: Path) -> Path:
    """The file that names the clips of a part which could not be used; it exists whenever the part does."""
    return part.with_suffix(QUARANTINE)


def damage_path(part: Path) -> Path:
    """The file that names the clips of a part which were kept in part; it exists only when there are any."""
    return part.with_suffix(DAMAGED)


def record_of(clip: Clip, reason: str) -> dict[str, str]:
    """What is noted about a clip."""
    return {"clip_id": clip.clip_id, "label": clip.label, "path": clip.path, "reason": reason}


def records_text(records: Iterable[dict[str, str]]) -> str:
    """The records as the text of their file."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def read_records(file: Path) -> list[dict[str, str]]:
    """The records of a quarantine or damage file; empty when the file is not there.

    Raises ValueError that names the file and line when a line is no such record.
    """
    return list(_records(file)) if file.exists() else []


def quarantined_in(folder: Path) -> Iterator[dict[str, str]]:
    """The quarantined clips of all parts in a stage's output folder; none when the folder is not there yet."""
    for file in sorted(folder.glob(f"*{QUARANTINE}")):
        yield from _records(file)


def _records(file: Path) -> Iterator[dict[str, str]]:
    # Not splitlines(), which also cuts at the line separators that a file name may hold.
    for number, line in enumerate(file.read_text(encoding="utf-8").removesuffix("\n").split("\n"), start=1):
        if number == 1 and not line:
            return
        try:
            record = json.loads(line)
            yield {key: str(record[key]) for key in KEYS}
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{file}:{number}: {line[:80]!r} is no quarantine record (a JSON object with {', '.join(KEYS)}); "
                "delete this part and the files beside it, then run the stage again"
            ) from error
