"""Which clips an index names, in two numbers each: a million rows take seconds and never lie in memory as records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from emotrain.datasets.index_file import REMEDY, IndexFile
from emotrain.datasets.media import VIDEO_SUFFIXES
from emotrain.parquet_files import opened
from emotrain.stable_hash import stable_hash

BATCH = 2048


@dataclass(frozen=True, slots=True)
class ClipIds:
    """In file order, the hash of each clip's id (N,) uint64 and its place in `labels` (N,) int32."""

    hashes: npt.NDArray[np.uint64]
    label_of: npt.NDArray[np.int32]
    labels: tuple[str, ...]

    def shard_sizes(self, shards: int) -> list[int]:
        """Number of clips in each shard."""
        return np.bincount((self.hashes % np.uint64(shards)).astype(np.int64), minlength=shards).tolist()

    def label_counts(self, mine: Iterable[int], shards: int) -> Counter[str]:
        """Number of clips of each label over the shards `mine`."""
        inside = np.isin((self.hashes % np.uint64(shards)).astype(np.int64), list(mine))
        counts = np.bincount(self.label_of[inside], minlength=len(self.labels)).tolist()
        return Counter({label: count for label, count in zip(self.labels, counts) if count})

    def in_shard(self, shard: int, shards: int) -> npt.NDArray[np.bool_]:
        """Which clips `stages.parts.shard_of` gives to `shard`, (N,)."""
        return self.hashes % np.uint64(shards) == shard


def batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The columns of a parquet file, a few thousand rows at a time."""
    with opened(path, REMEDY) as file:
        for batch in file.iter_batches(BATCH, columns=list(columns), use_threads=False):
            yield batch.select(columns)


def read_clip_ids(file: IndexFile) -> ClipIds:
    """Read the ids and labels; ValueError names ids that occur twice."""
    hashes = np.empty(file.rows, np.uint64)
    label_of = np.empty(file.rows, np.int32)
    numbers: dict[str, int] = {}
    start = 0
    for batch in batches(file.path, ["clip_id", "label"]):
        stop = start + len(batch)
        hashes[start:stop] = [stable_hash(clip_id) for clip_id in batch["clip_id"].to_pylist()]
        label_of[start:stop] = [numbers.setdefault(label, len(numbers)) for label in batch["label"].to_pylist()]
        start = stop
    _refuse_duplicates(file, hashes)
    return ClipIds(hashes, label_of, tuple(numbers))


def digest(file: IndexFile, columns: Sequence[str]) -> str:
    """Sixteen hex digits of these columns, whatever the order of the rows; a video's own rate is not the index's."""
    total = 0
    for batch in batches(file.path, [name for name in columns if name in file.columns]):
        for row in batch.to_pylist():
            if PurePosixPath(row["path"]).suffix.lower() in VIDEO_SUFFIXES:
                row.pop("fps", None)
            values = [row.get(name) for name in columns]
            total += stable_hash("\t".join("" if value is None else str(value) for value in values))
    return f"{total % 2**64:016x}"


def _refuse_duplicates(file: IndexFile, hashes: npt.NDArray[np.uint64]) -> None:
    ordered = np.sort(hashes)
    twice = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
    if twice:
        every = (clip_id for batch in batches(file.path, ["clip_id"]) for clip_id in batch["clip_id"].to_pylist())
        ids = sorted({clip_id for clip_id in every if stable_hash(clip_id) in twice})
        raise ValueError(f"{file.path}: clip_id occurs more than once: {', '.join(ids[:5])}; ids must be unique")
