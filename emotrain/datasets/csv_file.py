"""Reader of people's own annotation file: a CSV with a header, one row a clip.

    path,label[,clip_id,split,test_fold,subject,source,kind,fps,onset_s,apex_s,offset_s,action_units,caption]

Comma, semicolon or TAB; UTF-8 or gb18030; times in seconds; paths relative to the data root (an absolute path below the
root is accepted). Other column names in use are listed in COLUMNS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from emotrain.datasets.action_units import parse_action_units
from emotrain.datasets.folder import SPLIT_NAMES
from emotrain.datasets.media import Listing
from emotrain.datasets.own_labels import own_label_set
from emotrain.datasets.paths import PathOutsideRoot, inside
from emotrain.datasets.reading import LayoutError, Reading, first_existing
from emotrain.datasets.tables import Row, column_of, read_csv
from emotrain.emotions import LabelSet, nearest
from emotrain.records import Clip, Kind, Split

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "path": ("path", "file", "filename", "file_name", "video", "video_path", "video_name"),
    "label": ("label", "emotion", "class"),
    "clip_id": ("clip_id", "id", "clip"),
    "split": ("split", "partition", "set"),
    "test_fold": ("test_fold", "fold"),
    "subject": ("subject", "person", "actor", "speaker"),
    "source": ("source", "movie", "film", "session"),
    "kind": ("kind",),
    "fps": ("fps",),
    "onset_s": ("onset_s", "onset"),
    "apex_s": ("apex_s", "apex"),
    "offset_s": ("offset_s", "offset"),
    "action_units": ("action_units", "aus"),
    "caption": ("caption", "text", "description"),
}
Word = TypeVar("Word", Split, Kind)

KINDS: dict[str, Kind] = {"macro": "macro", "micro": "micro"}


def read_csv_file(
    root: Path, listing: Listing, *, annotation: str | None = None, label_set: str | None = None
) -> Reading:
    """The clips of a CSV. `annotation` is its path (default: clips.csv, else the only .csv, in the root).

    A row that cannot be used is quarantined with its row number; `label_set` as for `read_folder`.
    """
    file = _annotation_file(root, annotation)
    reading = Reading("csv", LabelSet("own", ()))
    rows, ignored = read_csv(file, COLUMNS, required=("path", "label"))
    for header in ignored:
        name = column_of(header, COLUMNS)
        why = f"stands for nothing here; {nearest(header, COLUMNS)}" if name is None else f"is not read, {name!r} is"
        reading.warn("column ignored", f"{file.name}: column {header!r} {why}")
    usable = [row for row in rows if _complete(row, reading)]
    names = own_label_set([(row.cells["label"], row.where) for row in usable], label_set, reading)
    for row in usable:
        label = names[row.cells["label"]]
        try:
            reading.clips.append(_clip(row, label, root, reading))
        except ValueError as error:
            reading.quarantine(_clip_id(row), label, row.cells["path"], f"{row.where}: {error}")
    return reading


def _annotation_file(root: Path, annotation: str | None) -> Path:
    if annotation is None:
        tables = sorted(root.glob("*.csv"))
        if len(tables) > 1 and root / "clips.csv" not in tables:
            found = ", ".join(table.name for table in tables)
            raise LayoutError(f"{root}: several CSV files ({found}); name one with --annotation")
        return first_existing(root, ["clips.csv", "*.csv"], "the annotation (path,label,...)")
    file = Path(annotation) if Path(annotation).is_file() else root / annotation
    if not file.is_file():
        raise LayoutError(f"--annotation {annotation!r}: no such file, neither here nor in {root}")
    return file


def _complete(row: Row, reading: Reading) -> bool:
    absent = [name for name in ("path", "label") if row.text(name) is None]
    if absent:
        path, label = row.cells.get("path", ""), row.cells.get("label", "")
        found = " and ".join(f"{name} {row.cells.get(name, '')!r}" for name in absent)
        reading.quarantine(path, label, path, f"{row.where}: {found}, expected a path and a label in every row")
    return not absent


def _clip(row: Row, label: str, root: Path, reading: Reading) -> Clip:
    path = _relative(row.cells["path"], root)
    units, odd = parse_action_units(row.text("action_units"))
    for message in odd:
        reading.warn("action units", f"{row.where}: {message}")
    fps, fold = row.number_of("fps"), row.number_of("test_fold")
    if fps is not None and fps <= 0:
        raise ValueError(f"fps {fps}: expected a positive number")
    if fold is not None and (fold < 1 or fold != int(fold)):
        raise ValueError(f"test_fold {fold}: expected 1, 2, ...")
    clip = Clip(
        clip_id=_clip_id(row),
        path=path,
        label=label,
        test_fold=None if fold is None else int(fold),
        split=_word(row, "split", SPLIT_NAMES),
        subject=row.text("subject"),
        source=row.text("source"),
        kind=_word(row, "kind", KINDS),
        fps=fps,
        onset_s=row.number_of("onset_s"),
        apex_s=row.number_of("apex_s"),
        offset_s=row.number_of("offset_s"),
        action_units=units,
        caption=row.text("caption"),
    )
    return _ordered(clip, row, reading)


def _clip_id(row: Row) -> str:
    given = row.text("clip_id")
    return given if given is not None else row.cells["path"]


def _relative(path: str, root: Path) -> str:
    for base in (root, root.resolve()):
        if Path(path).is_absolute() and Path(path).is_relative_to(base):
            path = Path(path).relative_to(base).as_posix()
    try:
        inside(root, path)
    except PathOutsideRoot as error:
        raise ValueError(str(error)) from error
    return path


def _word(row: Row, column: str, known: Mapping[str, Word]) -> Word | None:
    value = row.text(column)
    if value is None:
        return None
    if value.lower() not in known:
        raise ValueError(f"{column} {value!r}: {nearest(value, known)}")
    return known[value.lower()]


def _ordered(clip: Clip, row: Row, reading: Reading) -> Clip:
    if clip.onset_s is not None and clip.offset_s is not None and clip.offset_s < clip.onset_s:
        reading.warn(
            "offset before onset",
            f"{row.where}: onset {clip.onset_s} s, offset {clip.offset_s} s: the offset was dropped",
        )
        return replace(clip, offset_s=None)
    return clip
