"""Reader of the project's own synthetic clip set: `annotations.parquet` beside the rendered clips.

videos/<clip_id>.mp4 are aligned faces, scenes/<clip_id>.mp4 the same clips filmed in scenes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from emotrain.datasets.media import Listing
from emotrain.datasets.reading import LayoutError, Reading, first_existing
from emotrain.emotions import label_set
from emotrain.parquet_files import read_table
from emotrain.records import CLIPS, Clip, from_table

MEDIA = ("videos", "scenes")


def read_synthetic(root: Path, listing: Listing, *, media: str | None = None) -> Reading:
    """The clips of a rendered set. Its true events are left out: a model under test must not see them.

    `media` is one of MEDIA; by default the first that exists, aligned faces before scenes.
    """
    file = first_existing(root, ["annotations.parquet"], "the annotation of a synthetic clip set")
    table = read_table(file, "render the clip set again into an empty folder")
    metadata = table.schema.metadata or {}
    if b"label_set" not in metadata:
        raise LayoutError(f"{file}: the schema metadata lacks 'label_set'; render the clip set again")
    missing = [field.name for field in CLIPS if not field.nullable and field.name not in table.column_names]
    if missing:
        raise LayoutError(f"{file}: no column {', '.join(missing)}; found {', '.join(table.column_names)}")
    folder = _media_folder(root, media)
    clips = [replace(clip, path=f"{folder}/{PurePosixPath(clip.path).name}") for clip in from_table(table, Clip)]
    return Reading("synthetic", label_set(metadata[b"label_set"].decode()), clips)


def _media_folder(root: Path, media: str | None) -> str:
    if media is None:
        return next((name for name in MEDIA if (root / name).is_dir()), MEDIA[0])
    if media not in MEDIA:
        raise LayoutError(f"--media {media!r}: a synthetic set has {', '.join(MEDIA)}")
    if not (root / media).is_dir():
        raise LayoutError(f"--media {media!r}: no folder {root / media}; render the set again with it")
    return media
