"""The clip index of a prepared data folder: which clips there are, where their files lie, which label set they use.

`python data_prep/index_clips.py` writes it once per data set; every later stage opens it here.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emotrain.datasets.clip_ids import ClipIds, batches, digest, read_clip_ids
from emotrain.datasets.index_file import CLIPS_FILE, open_index_file
from emotrain.datasets.paths import inside
from emotrain.datasets.splits import check_fold, select
from emotrain.emotions import LabelSet, label_set
from emotrain.records import CLIPS, Clip, Split, from_table

__all__ = ["CLIPS_FILE", "ClipIndex", "read_clips", "read_index"]

MARKS = ("onset_s", "apex_s", "offset_s")

log = logging.getLogger(__name__)


class ClipIndex:
    """One opened `clips.parquet`, in file order; what a stage runs over.

    Opening reads the footer only. Ids are read (as hashes) when shards are asked for, rows a batch at a time; only
    `clips` holds all records in memory. What the metadata must say is looked up on use and a ValueError names it when
    it is not there. `validation_share` and `seed` are those the index was made with: `select` uses them, so every stage
    that opens the index sees the same validation clips.
    """

    def __init__(self, data: Path | str) -> None:
        """Raises FileNotFoundError that names the command which makes the file, ValueError for another parquet file."""
        self._file = open_index_file(data)
        self.file = self._file.path

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "clips"}

    def __len__(self) -> int:
        return self._file.rows

    def __iter__(self) -> Iterator[Clip]:
        return self._rows(None)

    def stated(self, *keys: str) -> Mapping[str, str]:
        """The metadata; raises ValueError that names those of `keys` which are not there."""
        return self._file.stated(*keys)

    @cached_property
    def root(self) -> Path:
        """The folder that clip paths are relative to; a relative one starts at the index's own folder."""
        return self._file.root

    @property
    def stated_root(self) -> str:
        """The same folder as the index states it."""
        return self._file.stated("root")["root"]

    def check_fold(self, fold: int | None) -> None:
        """Raise ValueError unless this index has the test fold, or fixed splits for None; reads two columns."""
        columns = [name for name in ("test_fold", "split") if name in self._file.columns]
        table = pq.read_table(self.file, columns=columns)
        known = pc.unique(table["test_fold"]).drop_null().to_pylist() if "test_fold" in columns else []
        if fold is None and "split" in columns and table["split"].null_count == 0:
            return
        check_fold(tuple(sorted(known)), fold)

    @property
    def dataset(self) -> str:
        """The name of the reader that made the index."""
        return self._file.stated("dataset")["dataset"]

    @cached_property
    def label_set(self) -> LabelSet:
        """The label set; a user's own class names are known to the index alone, hence the list beside the name."""
        metadata = self._file.stated("label_set")
        if "labels" in metadata:
            return LabelSet(metadata["label_set"], tuple(self._file.stated_json("labels", list)))
        return label_set(metadata["label_set"])

    @property
    def validation_share(self) -> float:
        """Share of the training clips held out for validation."""
        return float(self._file.metadata.get("validation_share", "0.1"))

    @property
    def seed(self) -> int:
        """Seed of that choice."""
        return int(self._file.metadata.get("seed", "0"))

    @property
    def options(self) -> Mapping[str, Any]:
        """What the reader was told beyond `root` (`media`, `labels`, ...); empty for an index of before."""
        options: Mapping[str, Any] = self._file.stated_json("options", dict) if "options" in self._file.metadata else {}
        return options

    @cached_property
    def clips(self) -> list[Clip]:
        """All clips, in file order."""
        return list(self)

    def select(self, split: Split, fold: int | None = None) -> list[Clip]:
        """The clips of one split of one fold (or of the fixed split); see `emotrain.datasets.splits.select`."""
        return select(
            self.clips,
            split,
            fold,
            validation_share=self.validation_share,
            seed=self.seed,
            long_tail=self.options.get("long_tail"),
            long_tail_seed=self.options.get("long_tail_seed") or 0,
        )

    def path(self, clip: Clip) -> Path:
        """Absolute path of the clip's video file or frame folder."""
        return inside(self.root, clip.path)

    @cached_property
    def ids(self) -> ClipIds:
        """Hashed ids and labels; ValueError names ids that occur twice."""
        return read_clip_ids(self._file)

    def shard_sizes(self, shards: int) -> list[int]:
        """Number of clips in each shard."""
        return self.ids.shard_sizes(shards)

    def label_counts(self, mine: Iterable[int], shards: int) -> Counter[str]:
        """Number of clips of each label over the shards `mine`."""
        return self.ids.label_counts(mine, shards)

    def of_shard(self, shard: int, shards: int) -> Iterator[Clip]:
        """The clips that `stages.parts.shard_of` gives to `shard`, in file order."""
        return self._rows(self.ids.in_shard(shard, shards))

    def fingerprint(self) -> str:
        """Sixteen hex digits of the set of (clip id, path) pairs, whatever their order."""
        return digest(self._file, ["clip_id", "path"])

    def persons_fingerprint(self) -> str:
        """Like `fingerprint`, and whom each clip is about."""
        return digest(self._file, ["clip_id", "path", "face"])

    def times_fingerprint(self) -> str:
        """Sixteen hex digits of what the index says about time and frames hang on, whatever the order of the clips.

        That is the rate of frame folders (a video has its own) and the annotated onset, apex and offset.
        """
        return digest(self._file, ["clip_id", "path", "fps", *MARKS])

    def durations_s(self) -> npt.NDArray[np.float64]:
        """Durations in seconds, above 0, of the clips whose duration the index knows; names a clip with another one."""
        if "duration_s" not in self._file.columns:
            return np.empty(0)
        columns = (batch.column(0) for batch in batches(self.file, ["duration_s"]))
        known = [column.drop_null().to_numpy(zero_copy_only=False) for column in columns]
        found = np.concatenate(known) if known else np.empty(0)
        usable = np.isfinite(found) & (found > 0)
        if not usable.all():
            odd = next(clip for clip in self if clip.duration_s is not None and not 0 < clip.duration_s < np.inf)
            log.warning(
                "%s: %d clips have no duration above 0 s and are left out of P(miss), first %r with %s s",
                *(self.file, len(found) - usable.sum(), odd.clip_id, odd.duration_s),
            )
        return found[usable]

    def _rows(self, mask: npt.NDArray[np.bool_] | None) -> Iterator[Clip]:
        start = 0
        for batch in batches(self.file, [name for name in CLIPS.names if name in self._file.columns]):
            table = pa.Table.from_batches([batch])
            stop = start + len(batch)
            if mask is not None:
                table = table.filter(pa.array(mask[start:stop]))
            yield from from_table(table, Clip)
            start = stop


def read_index(data: Path | str) -> ClipIndex:
    """Open the index of a prepared data folder (or the parquet file itself).

    Raises FileNotFoundError that names the command which makes the file, ValueError for another parquet file or one
    whose metadata do not say where the clips lie and what they are.
    """
    index = ClipIndex(data)
    index.stated("root", "dataset", "label_set")
    _ = index.label_set  # a set that this version does not know is an error here
    return index


def read_clips(data: Path | str) -> list[Clip]:
    """All clips of a prepared data folder."""
    return read_index(data).clips
