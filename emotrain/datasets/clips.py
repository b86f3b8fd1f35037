"""The clip index of a prepared data folder: which clips there are, where their files lie, which label set they use.

`python data_prep/index_clips.py` writes it once per data set; every later stage opens it here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath

import pyarrow as pa
import pyarrow.parquet as pq

from emotrain.datasets.splits import select
from emotrain.emotions import LabelSet, label_set
from emotrain.records import Clip, Split, from_table

CLIPS_FILE = "clips.parquet"
_BATCH_ROWS = 4096


class PathOutsideRoot(ValueError):
    """A path of an annotation file points outside the data root."""


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
        return resolve(self.root, clip.path)


def read_index(data: Path | str) -> ClipIndex:
    """Open the index of a prepared data folder (or the parquet file itself).

    Raises FileNotFoundError that names the command which makes the file, ValueError for another parquet file.
    """
    data = Path(data)
    file = data if data.suffix == ".parquet" else data / CLIPS_FILE
    if not file.is_file():
        raise FileNotFoundError(
            f"{file}: no clip index here; make it with\n"
            f"  python data_prep/index_clips.py --dataset NAME --root DIR --out {file.parent}"
        )
    with pq.ParquetFile(file) as parquet:
        metadata = {key.decode(): value.decode() for key, value in (parquet.schema_arrow.metadata or {}).items()}
        rows = parquet.metadata.num_rows
    missing = [key for key in ("root", "dataset", "label_set") if key not in metadata]
    if missing:
        raise ValueError(
            f"{file}: the schema metadata lacks {', '.join(missing)}, so this is not a clip index; "
            "make it again with data_prep/index_clips.py"
        )
    return ClipIndex(
        file=file,
        root=Path(metadata["root"]),
        dataset=metadata["dataset"],
        label_set=_labels(metadata),
        validation_share=float(metadata.get("validation_share", "0.1")),
        seed=int(metadata.get("seed", "0")),
        rows=rows,
    )


def read_clips(data: Path | str) -> list[Clip]:
    """All clips of a prepared data folder."""
    return read_index(data).clips


def resolve(root: Path, path: str) -> Path:
    """Absolute path of a clip; raises PathOutsideRoot for one that would leave the data root.

    The check reads the text of the path alone. Symbolic links inside the root are followed: they were made by whoever
    owns the disk, an annotation file cannot make one.
    """
    posix, windows = PurePosixPath(path), PureWindowsPath(path)
    if not path or "\0" in path or posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise PathOutsideRoot(
            f"path {path!r} leaves the data root {root}; expected a path relative to the root, without '..'"
        )
    return root / posix


def _labels(metadata: dict[str, str]) -> LabelSet:
    # Sets made from a user's own class names are known to the index alone, hence the list beside the name.
    if "labels" in metadata:
        return LabelSet(metadata["label_set"], tuple(json.loads(metadata["labels"])))
    return label_set(metadata["label_set"])
