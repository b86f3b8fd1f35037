"""Reader of people's own annotation file: a CSV with a header, one row a clip.

    path,label[,clip_id,split,test_fold,subject,source,kind,fps,onset_s,apex_s,offset_s,action_units,caption,face]
    and what is known of people and takes, for figures by group: age, sex, gender, race, ethnicity, culture, trait_NAME

Or a spreadsheet of these columns. Times are seconds, or what the column's name says (onset_ms, onset_frame); paths are
relative to the data root (an absolute path below the root is accepted). Other names in use are listed in COLUMNS.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from emotrain.datasets.action_units import parse_action_units
from emotrain.datasets.coding_sheets import SUFFIXES, named_table
from emotrain.datasets.folder import SPLIT_NAMES
from emotrain.datasets.ignored import found
from emotrain.datasets.media import Listing
from emotrain.datasets.own_labels import own_label_set
from emotrain.datasets.paths import PathOutsideRoot, inside
from emotrain.datasets.reading import LayoutError, Reading, first_existing
from emotrain.datasets.tables import Row, column_of, read_table
from emotrain.emotions import LabelSet, nearest
from emotrain.records import Clip, Kind, Split
from emotrain.text_tables import listed

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
    **{
        f"{mark}{unit}": tuple(f"{mark}{name}" for name in names)
        for mark in ("onset", "apex", "offset")
        for unit, names in {
            "_s": ("_s", "_sec", "_seconds"),
            "_ms": ("_ms", "_msec", "_milliseconds"),
            "_frame": ("_frame", "_frame_number", "_index"),
            "": ("", "_time"),
        }.items()
    },
    "action_units": ("action_units", "aus"),
    "caption": ("caption", "text", "description"),
    "face": ("face",),
}
REQUIRED = ("path", "label")
TRAITS = ("age", "sex", "gender", "race", "ethnicity", "culture", "country", "nationality", "skin_tone")
"""Columns of what is known of whom a clip shows; any other takes part as trait_NAME."""
_TRAIT = "trait_"
Word = TypeVar("Word", Split, Kind)

KINDS: dict[str, Kind] = {"macro": "macro", "micro": "micro"}


def read_csv_file(
    root: Path, listing: Listing, *, annotation: str | None = None, label_set: str | None = None
) -> Reading:
    """The clips of a CSV or spreadsheet. `annotation` is its path (default: clips.csv, else the only table with these
    columns in the root), or "FILE#SHEET".

    A row that cannot be used is quarantined with its row number; `label_set` as for `read_folder`.
    """
    reading = Reading("csv", LabelSet("own", ()))

    def exists(cells: Mapping[str, str]) -> bool:
        return listing.has(cells.get("path", ""))

    file, sheet = named_table(root, annotation) if annotation is not None else (_annotation_file(root), None)
    table = read_table(file, COLUMNS, REQUIRED, only=sheet, exists=exists)
    traits = {name: header for header in table.ignored if (name := _trait_of(header)) is not None}
    if traits:
        columns = {**COLUMNS, **{f"{_TRAIT}{name}": (header,) for name, header in traits.items()}}
        table = read_table(file, columns, REQUIRED, only=sheet, exists=exists)
    rows = table.rows
    for note in table.notes:
        reading.warn("annotation", note)
    for header in table.ignored:
        name = column_of(header, COLUMNS)
        why = f"stands for nothing here; {nearest(header, COLUMNS)}" if name is None else f"is not read, {name!r} is"
        reading.warn("column ignored", f"{file.name}: column {header!r} {why}")
    usable = [row for row in rows if _complete(row, reading)]
    bare = [mark for mark in ("onset", "apex", "offset") if any(row.text(mark) is not None for row in usable)]
    if bare:
        reading.warn(
            "times without a unit",
            f"{file.name}: column {', '.join(bare)}: read as seconds; name the unit: {bare[0]}_s, {bare[0]}_ms or "
            f"{bare[0]}_frame",
        )
    names = own_label_set([(row.cells["label"], row.where) for row in usable], label_set, reading)
    for row in usable:
        label = names[row.cells["label"]]
        try:
            clip = _clip(row, label, listing, reading)
            reading.clips.append(clip)
            reading.rows.setdefault(clip.clip_id, row.where)
        except ValueError as error:
            reading.quarantine(_clip_id(row), label, row.cells["path"], f"{row.where}: {error}")
    return reading


def _annotation_file(root: Path) -> Path:
    """clips.csv, or the only table in the root that has the columns of one; notes and price lists may lie beside it."""
    tables = [file for suffix in SUFFIXES for file in found(root, f"*{suffix}") if file.is_file()]
    named = [file for file in tables if file.stem.lower() == "clips"]
    tables = named if len(named) == 1 else tables
    if len(tables) <= 1:
        return tables[0] if tables else first_existing(root, ["clips.csv", "*.csv", "*.xlsx"], "the annotation")
    fitting = [file for file in tables if _fits(file)]
    if len(fitting) != 1:
        names = listed([file.name for file in (fitting if fitting else tables)])
        which = "several tables have" if fitting else "no table has"
        raise LayoutError(f"{root}: {which} the columns path and label ({names}); name one with --annotation FILE")
    return fitting[0]


def _fits(file: Path) -> bool:
    try:
        read_table(file, COLUMNS, REQUIRED)
    except LayoutError:
        return False
    return True


def _complete(row: Row, reading: Reading) -> bool:
    absent = [name for name in ("path", "label") if row.text(name) is None]
    if absent:
        path, label = row.cells.get("path", ""), row.cells.get("label", "")
        found = " and ".join(f"{name} {row.cells.get(name, '')!r}" for name in absent)
        reading.quarantine(path, label, path, f"{row.where}: {found}, expected a path and a label in every row")
    return not absent


def _clip(row: Row, label: str, listing: Listing, reading: Reading) -> Clip:
    path = _relative(row.cells["path"], listing)
    units, odd = parse_action_units(row.text("action_units"))
    for message in odd:
        reading.warn("action units", f"{row.where}: {message}")
    fps, fold = row.number_of("fps"), row.number_of("test_fold")
    if fps is not None and fps <= 0:
        raise ValueError(f"fps {fps}: expected a positive number")
    if fold is not None and (fold < 1 or fold != int(fold)):
        raise ValueError(f"test_fold {fold}: expected 1, 2, ...")
    times = [_seconds(row, mark, path, fps, listing, reading) for mark in ("onset", "apex", "offset")]
    return Clip(
        clip_id=_clip_id(row, path),
        path=path,
        label=label,
        test_fold=None if fold is None else int(fold),
        split=_word(row, "split", SPLIT_NAMES, "train, validation or test"),
        subject=row.text("subject"),
        source=row.text("source"),
        kind=_word(
            row,
            "kind",
            KINDS,
            "macro (an ordinary expression), micro (a fleeting one) or an empty cell for neither; "
            "what the face shows, neutral or an emotion, is the column label",
        ),
        fps=fps,
        onset_s=times[0],
        apex_s=times[1],
        offset_s=times[2],
        action_units=units,
        caption=row.text("caption"),
        face=row.text("face"),
        traits={name.removeprefix(_TRAIT): value for name in row.cells if (value := _trait(row, name)) is not None}
        or None,
    )


def _trait_of(header: str) -> str | None:
    """The name of the trait that a column is of, None for any other column."""
    name = "_".join(header.strip().lower().replace("_", " ").split())
    return name if name in TRAITS else name.removeprefix(_TRAIT) if name.startswith(_TRAIT) else None


def _trait(row: Row, name: str) -> str | None:
    return row.text(name) if name.startswith(_TRAIT) else None


def _seconds(row: Row, mark: str, path: str, fps: float | None, listing: Listing, reading: Reading) -> float | None:
    """The mark in seconds from the clip's first frame; frames of a video count from 0, of a folder by its names."""
    seconds, milliseconds, frame = (row.number_of(f"{mark}{unit}") for unit in ("_s", "_ms", "_frame"))
    if seconds is not None:
        return seconds
    if milliseconds is not None:
        return milliseconds / 1000
    if frame is None:
        return row.number_of(mark)
    if fps is None:
        reading.warn("frame number", f"{row.where}: {mark}_frame {frame:g} needs the column fps: dropped")
        return None
    folder = listing.frames(path)
    return folder.time_of(round(frame), fps) if folder.numbers else frame / fps


def _clip_id(row: Row, path: str | None = None) -> str:
    given, cell = row.text("clip_id"), row.cells["path"]
    if given is not None:
        return given
    return cell if path is None or cell.startswith("/") else path


def _relative(path: str, listing: Listing) -> str:
    root = listing.root
    for base in (root, root.resolve()):
        if Path(path).is_absolute() and Path(path).is_relative_to(base):
            path = Path(path).relative_to(base).as_posix()
    try:
        inside(root, path)
        path = listing.located(path)
        inside(root, path)
    except PathOutsideRoot as error:
        raise ValueError(str(error)) from error
    return path


def _word(row: Row, column: str, known: Mapping[str, Word], meaning: str) -> Word | None:
    value = row.text(column)
    if value is None:
        return None
    if value.lower() not in known:
        raise ValueError(f"{column} {value!r}: expected {meaning}; {nearest(value, known)}")
    return known[value.lower()]
