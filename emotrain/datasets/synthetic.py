"""Reader of the project's own synthetic clip set: `annotations.parquet` beside the rendered clips."""

from __future__ import annotations

from pathlib import Path

from emotrain.datasets.media import Listing
from emotrain.datasets.reading import LayoutError, Reading, first_existing
from emotrain.emotions import label_set
from emotrain.parquet_files import read_table
from emotrain.records import CLIPS, Clip, from_table


def read_synthetic(root: Path, listing: Listing) -> Reading:
    """The clips of a rendered set. Its true events are left out: a model under test must not see them."""
    file = first_existing(root, ["annotations.parquet"], "the annotation of a synthetic clip set")
    table = read_table(file, "render the clip set again into an empty folder")
    metadata = table.schema.metadata or {}
    if b"label_set" not in metadata:
        raise LayoutError(f"{file}: the schema metadata lacks 'label_set'; render the clip set again")
    missing = [field.name for field in CLIPS if not field.nullable and field.name not in table.column_names]
    if missing:
        raise LayoutError(f"{file}: no column {', '.join(missing)}; found {', '.join(table.column_names)}")
    return Reading("synthetic", label_set(metadata[b"label_set"].decode()), from_table(table, Clip))
