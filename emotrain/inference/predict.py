"""`emotrain predict`: every clip read, printed and written, the bad ones named with their reason."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from emotrain.atomic_files import replacing
from emotrain.clip_errors import ClipError
from emotrain.file_errors import in_words
from emotrain.inference.reading import Reading
from emotrain.inference.recogniser import Recogniser
from emotrain.inference.terminal import print_reading

STDOUT = "-"


def predict_all(recogniser: Recogniser, paths: Sequence[Path], *, json: str | None = None, top: int = 3) -> None:
    """Read the clips one by one; ClipError at the end when some could not be read.

    Without `json` or with a file, readings are printed as tables. `json` names a file for JSON lines, one a clip in the
    order given, which appears when all are done; "-" writes them to stdout as they come, and no table. A clip that
    cannot be read has `path` and `error` there, and its reason goes to stderr.
    """
    if json is None:
        bad = _each(recogniser, paths, None, top)
    elif json == STDOUT:
        bad = _each(recogniser, paths, sys.stdout, None)
    else:
        with replacing(Path(json)) as temporary, open(temporary, "w", encoding="utf-8") as lines:
            bad = _each(recogniser, paths, lines, top)
    if bad > 0:
        raise ClipError(f"{bad} of {len(paths)} clips could not be read, for the reasons above")


def _each(recogniser: Recogniser, paths: Sequence[Path], lines: IO[str] | None, top: int | None) -> int:
    from rich.console import Console

    console = Console(highlight=False)
    bad = 0
    for path in paths:
        readings: list[Reading] = []
        try:
            readings = recogniser.predict_people(path)
            rows: list[dict[str, Any]] = [{**reading.as_json(), "path": str(path)} for reading in readings]
        except ClipError as error:
            bad += 1
            rows = [{"path": str(path), "error": str(error)}]
            print(f"emotrain: {in_words(error)}", file=sys.stderr)
        if lines is not None:
            lines.writelines(json_text.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            lines.flush()
        for reading in readings if top is not None else ():
            print_reading(reading, top or 0, console)
    return bad
