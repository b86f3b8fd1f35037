"""The clip index of a prepared data folder: which clips there are, where their files lie, which label set they use.

`python data_prep/index_clips.py` writes it once per data set; every later stage opens it here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emotrain.datasets.index_file import CLIPS_FILE, open_index_file
from emotrain.datasets.paths import inside
from emotrain.datasets.splits import select
from emotrain.emotions import LabelSet, label_set
from emotrain.records import Clip, Split, from_table

__all__ = ["CLIPS_FILE", "ClipIndex", "read_clips", "read_index"]

_BATCH_ROWS = 4096


@dataclass(frozen=True)
class ClipIndex:
    """One opened `clips.parquet`. Opening reads the footer only; `clips` loads the rows on first use.

    `validation_share` and `seed` are those the index was made with: `select` uses them, so every stage that opens the
    index sees the same validation clips.
    """

    file: Path
    root: Path
    dataset: str
    label_set: LabelSet
    validation_share: float
    seed: int
    rows: int
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the reader was told beyond `root` (`media`, `labels`, `assume_fps` ...); empty for an index of before."""

    def __len__(self) -> int:
        return self.rows

    @cached_property
    def clips(self) -> list[Clip]:
        """All clips, in file order."""
        return list(self)

    def __iter__(self) -> Iterator[Clip]:
        """The clips one by one, with a few thousand rows in memory at a time."""
        with pq.ParquetFile(self.file) as parquet:
            for batch in parquet.iter_batches(_BATCH_ROWS):
                yield from from_table(pa.Table.from_batches([batch]), Clip)

    def select(self, split: Split, fold: int | None = None) -> list[Clip]:
        """The clips of one split of one fold (or of the fixed split); see `emotrain.datasets.splits.select`."""
        return select(self.clips, split, fold, validation_share=self.validation_share, seed=self.seed)

    def path(self, clip: Clip) -> Path:
        """Absolute path of the clip's video file or frame folder."""
        return inside(self.root, clip.path)


def read_index(data: Path | str) -> ClipIndex:
    """Open the index of a prepared data folder (or the parquet file itself).

    Raises FileNotFoundError that names the command which makes the file, ValueError for another parquet file.
    """
    file = open_index_file(data)
    metadata = file.stated("root", "dataset", "label_set")
    return ClipIndex(
        file=file.path,
        root=file.root,
        dataset=metadata["dataset"],
        label_set=_labels(metadata),
        validation_share=float(metadata.get("validation_share", "0.1")),
        seed=int(metadata.get("seed", "0")),
        rows=file.rows,
        options=json.loads(metadata.get("options", "{}")),
    )


def read_clips(data: Path | str) -> list[Clip]:
    """All clips of a prepared data folder."""
    return read_index(data).clips


def _labels(metadata: dict[str, str]) -> LabelSet:
    # Sets made from a user's own class names are known to the index alone, hence the list beside the name.
    if "labels" in metadata:
        return LabelSet(metadata["label_set"], tuple(json.loads(metadata["labels"])))
    return label_set(metadata["label_set"])
