"""What is said in a clip as timed lines: subtitles (SRT, VTT) or a table become words between the keyframes.

A line stands in the gap of its middle, with its times: `1.20-2.05 s, said: "Leave me alone."`. It goes the way of all
words that others write: emotion words are masked and counted ("I'm so angry"), and every control holds. A clip without
lines is silent, and lines past its end are left out.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from emotrain.context.precomputed import PrecomputedTexts, Told
from emotrain.text_tables import read_text

SUFFIXES = (".srt", ".vtt")
COLUMNS = ("clip_id", "start_s", "end_s", "text")
SAID = {"en": '{start:.2f}-{end:.2f} s, said: "{words}"', "zh": "{start:.2f}–{end:.2f} 秒，说：“{words}”"}

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_CUE = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}")
_TAG = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")


def read_speech(path: Path, language: str = "en") -> PrecomputedTexts:
    """The lines of a folder of <clip_id>.srt and .vtt files, or of a .csv with `clip_id, start_s, end_s, text`.

    Raises FileNotFoundError when nothing is there, ValueError naming file and line for a line that cannot be read.
    """
    lines: dict[str, list[Told]] = defaultdict(list)
    said = SAID.get(language, SAID["en"])
    for clip_id, number, start, end, words in _subtitles(path) if path.is_dir() else _table(path):
        if end < start:
            raise ValueError(f"{path}: clip {clip_id!r}, line {number}: ends at {end:.2f} s, before {start:.2f} s")
        if words:
            text = said.format(start=start, end=end, words=words)
            lines[clip_id].append(Told(clip_id, text, None, (start + end) / 2, number))
    by_clip = {clip_id: tuple(sorted(told, key=lambda row: row.time_s or 0.0)) for clip_id, told in lines.items()}
    return PrecomputedTexts(path, by_clip, language, "speech", sparse=True)


def cues(text: str) -> Iterator[tuple[int, float, float, str]]:
    """(line number, start, end, words) of each cue of an SRT or VTT text: seconds, words on one line without markup."""
    rows = text.splitlines()
    at = 0
    while at < len(rows):
        match = _CUE.match(rows[at])
        number = at + 1
        at += 1
        if match is None:
            if "-->" in rows[number - 1]:
                raise ValueError(f"line {number}: {rows[number - 1]!r:.60} is no time; expected 00:00:01,000 --> ...")
            continue
        words = []
        while at < len(rows) and rows[at].strip() and "-->" not in rows[at]:
            words.append(rows[at])
            at += 1
        plain = " ".join(html.unescape(_TAG.sub("", " ".join(words))).split())
        yield number, _seconds(*match.groups()[:4]), _seconds(*match.groups()[4:]), plain.replace('"', "'")


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    return 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds) + float(f"0.{fraction}")


def _subtitles(folder: Path) -> Iterator[tuple[str, int, float, float, str]]:
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    if not files:
        raise FileNotFoundError(f"{folder}: no subtitles; expected <clip_id>.srt or <clip_id>.vtt")
    for file in files:
        try:
            for number, start, end, words in cues(read_text(file).text):
                yield file.stem, number, start, end, words
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error


def _table(path: Path) -> Iterator[tuple[str, int, float, float, str]]:
    from emotrain.metrics.row_files import read_rows

    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file or folder; expected subtitles, or a table of {COLUMNS}")
    for number, row in enumerate(read_rows(path, lambda column: column in COLUMNS).rows, start=2):
        lacking = [column for column in COLUMNS if row.get(column) in (None, "")]
        try:
            times = [] if lacking else [float(row["start_s"]), float(row["end_s"])]
        except (TypeError, ValueError):
            lacking = ["number in start_s and end_s"]
        if lacking:
            raise ValueError(f"{path}: row {number}: no {', '.join(lacking)}; found {dict(row)!r:.120}")
        yield str(row["clip_id"]), number, times[0], times[1], " ".join(str(row["text"]).split()).replace('"', "'")
