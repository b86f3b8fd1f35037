"""`clips.parquet` read lazily: a million rows open in seconds and never lie in memory as records.

Two numbers a clip are kept, the hash of its id and its label's; records are made a batch at a time.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from emotrain.datasets.index_file import open_index_file
from emotrain.datasets.media import VIDEO_SUFFIXES
from emotrain.records import CLIPS, Clip, from_table
from emotrain.stable_hash import stable_hash

BATCH = 2048
MARKS = ("onset_s", "apex_s", "offset_s")

log = logging.getLogger(__name__)


class ClipShards:
    """The clips of one `clips.parquet`, in file order. `of_shard` streams one shard's clips."""

    def __init__(self, path: Path) -> None:
        """Reads the ids. Raises FileNotFoundError, and ValueError for missing columns or an id that occurs twice."""
        self._file = open_index_file(path)
        self.path = self._file.path
        self._columns = [name for name in CLIPS.names if name in self._file.columns]
        self._read_ids_and_labels()
        self._refuse_duplicates()

    def __len__(self) -> int:
        return len(self._hashes)

    def __iter__(self) -> Iterator[Clip]:
        return self._rows(None)

    def shard_sizes(self, shards: int) -> list[int]:
        """Number of clips in each shard."""
        return np.bincount((self._hashes % np.uint64(shards)).astype(np.int64), minlength=shards).tolist()

    def label_counts(self, mine: Iterable[int], shards: int) -> Counter[str]:
        """Number of clips of each label over the shards `mine`."""
        inside = np.isin((self._hashes % np.uint64(shards)).astype(np.int64), list(mine))
        counts = np.bincount(self._label_of[inside], minlength=len(self._labels)).tolist()
        return Counter({label: count for label, count in zip(self._labels, counts) if count})

    def of_shard(self, shard: int, shards: int) -> Iterator[Clip]:
        """The clips that `shards.shard_of` gives to `shard`, in file order."""
        return self._rows(self._hashes % np.uint64(shards) == shard)

    def root(self) -> Path:
        """The folder that clip paths are relative to; a relative one starts at the index's own folder."""
        return self._file.root

    def stated_root(self) -> str:
        """The same folder as the index states it."""
        return self._file.stated("root")["root"]

    def fingerprint(self) -> str:
        """Sixteen hex digits of the set of (clip id, path) pairs, whatever their order."""
        return self._digest(["clip_id", "path"])

    def times_fingerprint(self) -> str:
        """Sixteen hex digits of what the index says about time and frames hang on, whatever the order of the clips.

        That is the rate of frame folders (a video has its own) and the annotated onset, apex and offset.
        """
        return self._digest(["clip_id", "path", "fps", *MARKS])

    def _digest(self, columns: list[str]) -> str:
        total = 0
        for batch in self._batches([name for name in columns if name in self._columns]):
            for row in batch.to_pylist():
                if PurePosixPath(row["path"]).suffix.lower() in VIDEO_SUFFIXES:
                    row.pop("fps", None)
                values = [row.get(name) for name in columns]
                total += stable_hash("\t".join("" if value is None else str(value) for value in values))
        return f"{total % 2**64:016x}"

    def durations_s(self) -> npt.NDArray[np.float64]:
        """Durations in seconds, above 0, of the clips whose duration the index knows; names a clip with another one."""
        if "duration_s" not in self._columns:
            return np.empty(0)
        known = [batch.column(0).drop_null().to_numpy(zero_copy_only=False) for batch in self._batches(["duration_s"])]
        found = np.concatenate(known) if known else np.empty(0)
        usable = np.isfinite(found) & (found > 0)
        if not usable.all():
            odd = next(clip for clip in self if clip.duration_s is not None and not 0 < clip.duration_s < np.inf)
            log.warning(
                "%s: %d clips have no duration above 0 s and are left out of P(miss), first %r with %s s",
                *(self.path, len(found) - usable.sum(), odd.clip_id, odd.duration_s),
            )
        return found[usable]

    def _rows(self, mask: npt.NDArray[np.bool_] | None) -> Iterator[Clip]:
        start = 0
        for batch in self._batches(self._columns):
            table = pa.Table.from_batches([batch])
            stop = start + len(batch)
            if mask is not None:
                table = table.filter(pa.array(mask[start:stop]))
            yield from from_table(table, Clip)
            start = stop

    def _batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(BATCH, columns=columns, use_threads=False):
                yield batch.select(columns)

    def _read_ids_and_labels(self) -> None:
        self._hashes = np.empty(self._file.rows, np.uint64)
        self._label_of = np.empty(self._file.rows, np.int32)
        numbers: dict[str, int] = {}
        start = 0
        for batch in self._batches(["clip_id", "label"]):
            stop = start + len(batch)
            self._hashes[start:stop] = [stable_hash(clip_id) for clip_id in batch["clip_id"].to_pylist()]
            self._label_of[start:stop] = [
                numbers.setdefault(label, len(numbers)) for label in batch["label"].to_pylist()
            ]
            start = stop
        self._labels = list(numbers)

    def _refuse_duplicates(self) -> None:
        ordered = np.sort(self._hashes)
        twice = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
        if twice:
            ids = sorted({clip.clip_id for clip in self if stable_hash(clip.clip_id) in twice})
            raise ValueError(f"{self.path}: clip_id occurs more than once: {', '.join(ids[:5])}; ids must be unique")
