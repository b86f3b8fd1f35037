"""What is known of people or clips, in a table of one's own: any column beside the one that names them is a trait."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from emotrain.datasets.tables import Row, read_table
from emotrain.records import Clip

KEYS = {"clip_id": ("clip_id", "clip", "video_name", "filename"), "subject": ("subject", "person", "actor", "speaker")}


def traits_of(clips: Mapping[str, Clip]) -> Mapping[str, Mapping[str, str]]:
    """The traits that an index knows, by clip id."""
    return {clip_id: clip.traits for clip_id, clip in clips.items() if clip.traits}


def read_traits(path: Path, clips: Mapping[str, Clip] | None) -> Mapping[str, Mapping[str, str]]:
    """Traits by clip id from a CSV or spreadsheet with a column `clip_id`, or `subject` as the index of `clips` has it.

    Raises ValueError for a table that names neither, that has no other column, or that no clip of the index is in.
    """
    head = read_table(path, KEYS, [])
    if not head.ignored:
        raise ValueError(f"{path}: no column beside the one that names the clips; expected some as age, sex, culture")
    names = {header.strip().lower().replace(" ", "_"): header for header in head.ignored}
    rows = read_table(path, {**KEYS, **{f"trait_{name}": (header,) for name, header in names.items()}}, []).rows
    by_clip = any(row.text("clip_id") is not None for row in rows)
    if not by_clip and (clips is None or not any(row.text("subject") is not None for row in rows)):
        raise ValueError(
            f"{path}: expected a column clip_id, or subject together with --clips DATA, whose index names the subjects"
        )
    of = {str(row.text("clip_id" if by_clip else "subject")): _traits(row, list(names)) for row in rows}
    if by_clip:
        return of
    found = {clip_id: of[clip.subject] for clip_id, clip in (clips or {}).items() if clip.subject in of}
    if not found:
        shown = ", ".join(sorted({clip.subject for clip in (clips or {}).values() if clip.subject is not None})[:3])
        raise ValueError(f"{path}: no subject of the index is in it; the index has {shown or 'none'}, it {min(of)!r}")
    return found


def _traits(row: Row, names: list[str]) -> dict[str, str]:
    return {name: value for name in names if (value := row.text(f"trait_{name}")) is not None}
