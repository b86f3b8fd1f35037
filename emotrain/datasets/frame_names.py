"""The order of a clip's images by their names: natural, by the number that varies from one to the next.

`frame_9_crop_0.jpg`, `9_224x224.jpg`, `frame9_0.98.jpg` and `006_00009.jpg` are all image 9, whatever stands behind it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from statistics import median_low

_RUNS = re.compile(r"\d+")
_NO_FRAMES = re.compile(
    r"(?:^|[^a-z])(masks?|matte|alpha|seg|segm|segmentation|depth|flow|normals?|heatmaps?|landmarks?|parsing|labels?|"
    r"thumb|thumbnails?|cover|poster|preview|contact.?sheet|montage)(?:[^a-z]|$)"
)
_FRAME_SUFFIXES = (".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".png")
"""Where each stem comes with two suffixes, the first of these are the frames: masks must not be compressed."""
MOST = 0.9


@dataclass(frozen=True, slots=True)
class Arranged:
    """Names in order, their numbers (empty where no number tells them apart), and what a person should know of it."""

    names: tuple[str, ...]
    numbers: tuple[int, ...]
    notes: tuple[str, ...] = ()


def natural_key(name: str) -> list[tuple[int, int | str]]:
    """A sort key under which image2 comes before image10."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name) if part]


def arranged(names: Sequence[str]) -> Arranged:
    """The frames among `names`, in order. Masks and the like beside them are left out, with a note."""
    frames, notes = _frames_among(sorted(names, key=lambda name: (natural_key(name), name)))
    if not frames:
        return Arranged((), ())
    stems = {name: PurePath(name).stem for name in frames}
    patterns: dict[str, list[str]] = defaultdict(list)
    for name in frames:
        patterns[_RUNS.sub("#", stems[name])].append(name)
    pattern, most = max(patterns.items(), key=lambda item: len(item[1]))
    rest = [name for name in frames if not _RUNS.search(stems[name])]
    if "#" in pattern and rest and len(frames) - len(rest) == len(most) >= MOST * len(frames):
        notes.append(f"images without a number are left out: {len(rest)}, first {rest[0]}")
        frames, patterns = most, {pattern: most}
    if len(patterns) > 1:
        return _of_patterns(frames, stems, notes)
    columns = _columns([stems[name] for name in frames])
    counters = _counters(columns)
    if counters:
        orders = [sorted(range(len(frames)), key=column.__getitem__) for column in counters]
        chosen, order = counters[0], orders[0]
        if any(other != order for other in orders[1:]):
            notes.append(_unsure([frames[i] for i in order], "two numbers in their names order them differently"))
        return Arranged(tuple(frames[i] for i in order), tuple(chosen[i] for i in order), tuple(notes))
    return Arranged(tuple(frames), (), (*notes, _unsure(frames, "no single number tells them apart")))


def _frames_among(names: list[str]) -> tuple[list[str], list[str]]:
    notes: list[str] = []
    parted = [(name, _NO_FRAMES.search(PurePath(name).stem.lower()) is not None) for name in names]
    other = [name for name, is_other in parted if is_other]
    if other and len(other) < len(names):
        notes.append(f"images that are no frames by their names are left out: {len(other)}, first {other[0]}")
        names = [name for name, is_other in parted if not is_other]
    suffixes = Counter(PurePath(name).suffix.lower() for name in names)
    doubled = len(names) - len({PurePath(name).stem for name in names})
    if len(suffixes) > 1 and 2 * doubled >= MOST * len(names):
        kept = min(suffixes, key=lambda suffix: (_rank(suffix), suffix))
        notes.append(f"each image comes with several suffixes: those with {kept} are the frames, the others left out")
        names = [name for name in names if PurePath(name).suffix.lower() == kept]
    return names, notes


def _rank(suffix: str) -> int:
    return _FRAME_SUFFIXES.index(suffix) if suffix in _FRAME_SUFFIXES else len(_FRAME_SUFFIXES)


def _of_patterns(frames: list[str], stems: dict[str, str], notes: list[str]) -> Arranged:
    """Names of several patterns: by their last number where that tells all of them apart."""
    last = {name: int(runs[-1]) for name in frames if (runs := _RUNS.findall(stems[name]))}
    if len(set(last.values())) == len(frames):
        ordered = sorted(frames, key=last.__getitem__)
        note = f"their names follow several patterns; taken in the order of the last number: {_first(ordered)}"
        return Arranged(tuple(ordered), tuple(last[name] for name in ordered), (*notes, note))
    return Arranged(tuple(frames), (), (*notes, _unsure(frames, "their names follow several patterns")))


def _unsure(frames: Sequence[str], why: str) -> str:
    return f"the order of the images is not sure, {why}: taken as {_first(frames)}; number them from 1 if that is wrong"


def _first(frames: Sequence[str]) -> str:
    return ", ".join(frames[:3]) + (", ..." if len(frames) > 3 else "")


def _columns(stems: Sequence[str]) -> list[tuple[bool, list[int]]]:
    """The numbers at each place of names of one pattern, and whether they are decimals (1.25 counts as 125)."""
    runs = [_RUNS.findall(stem) for stem in stems]
    between = _RUNS.split(stems[0])[1:-1]
    columns: list[tuple[bool, list[int]]] = []
    at = 0
    while at < len(runs[0]):
        widths = {len(run[at + 1]) for run in runs} if at < len(between) and between[at] == "." else set()
        if len(widths) == 1 and len({run[at + 1] for run in runs}) > 1:
            columns.append((True, [int(run[at] + run[at + 1]) for run in runs]))
            at += 2
        else:
            columns.append((False, [int(run[at]) for run in runs]))
            at += 1
    return columns


def _counters(columns: Sequence[tuple[bool, list[int]]]) -> list[list[int]]:
    """The columns that are different for each image, that which counts them first: whole numbers before decimals, then
    the evenest, then the last. Decimals, such as scores, are left out beside whole numbers."""
    apart = [(decimal, values) for decimal, values in reversed(columns) if len(set(values)) == len(values)]
    whole = [column for column in apart if not column[0]]
    return [values for _, values in sorted(whole if whole else apart, key=lambda column: _unevenness(column[1]))]


def _unevenness(values: Sequence[int]) -> float:
    """1 for numbers at equal distances, more for others."""
    ordered = sorted(values)
    if len(ordered) < 3:
        return 1.0
    step = median_low([b - a for a, b in pairwise(ordered)])
    return (ordered[-1] - ordered[0]) / (len(ordered) - 1) / step
