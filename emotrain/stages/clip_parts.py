"""Random access by clip id to what a stage wrote.

A clip's part follows from the hash of its id and each clip is one row group, so a look-up opens one part, reads its
footer and then only the clip's own bytes. No table of all clips exists in memory, opening costs nothing, and the parts
can be sent to data-loader workers: they travel as a path.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from emotrain.clip_errors import LeftOutBefore
from emotrain.digests import check_digests, list_beside
from emotrain.parquet_files import named, open_file, opened
from emotrain.stages.parts import finished_parts, part_path, shard_of
from emotrain.stages.quarantine import quarantine_path, read_records
from emotrain.stages.whole_parts import groups_of

OPEN_PARTS = 32
"""Parts kept open with their footers; the least recently used is closed first."""


@dataclass(frozen=True, slots=True)
class _Part:
    file: Any
    group_of: dict[str, int]


class Quarantined(KeyError):
    """The clip has no rows because the stage could not use it; the message has the reason."""


class ClipParts:
    """The parts in one folder. `remedy` names the command that writes them, for messages."""

    def __init__(self, folder: Path, remedy: str) -> None:
        self.folder = Path(folder)
        self.remedy = remedy
        parts = finished_parts(self.folder) if self.folder.is_dir() else []
        if not parts:
            raise FileNotFoundError(f"{self.folder}: no part-*.parquet; run {remedy} first")
        self.shards = int(parts[0].stem.rpartition("-of-")[2])
        self._open: OrderedDict[int, _Part] = OrderedDict()

    def __reduce__(self) -> tuple[type[ClipParts], tuple[Path, str]]:
        return ClipParts, (self.folder, self.remedy)

    def rows(self, clip_id: str) -> pa.Table:
        """All rows of a clip in the order written; KeyError says why a clip has none."""
        part = self._part(shard_of(clip_id, self.shards), clip_id)
        if clip_id not in part.group_of:
            raise self._why_not(clip_id)
        path = part_path(self.folder, shard_of(clip_id, self.shards), self.shards)
        with named(path, f"run {self.remedy} again"):
            return part.file.read_row_group(part.group_of[clip_id])

    def clip_ids(self) -> Iterator[str]:
        """Ids of all clips that have rows, part by part."""
        for path in finished_parts(self.folder):
            with opened(path, f"run {self.remedy} again") as file:
                groups = groups_of(path, file, f"run {self.remedy} again")
            yield from groups

    def __contains__(self, clip_id: str) -> bool:
        shard = shard_of(clip_id, self.shards)
        return part_path(self.folder, shard, self.shards).exists() and clip_id in self._part(shard, clip_id).group_of

    def _part(self, shard: int, clip_id: str) -> _Part:
        part = self._open.pop(shard, None)
        if part is None:
            path = part_path(self.folder, shard, self.shards)
            if not path.exists():
                raise KeyError(f"clip {clip_id!r} belongs to {path}, which is not there yet; finish {self.remedy}")
            listed = list_beside(path)
            if listed.is_file():
                check_digests(listed, f"run {self.remedy} again", content=False, only=[path.name])
            file = open_file(path, f"run {self.remedy} again", memory_map=True)
            part = _Part(file, groups_of(path, file, f"run {self.remedy} again"))
        self._open[shard] = part
        if len(self._open) > OPEN_PARTS:
            self._open.popitem(last=False)[1].file.close()
        return part

    def _why_not(self, clip_id: str) -> KeyError:
        part = part_path(self.folder, shard_of(clip_id, self.shards), self.shards)
        bad = quarantine_path(part)
        for record in read_records(bad):
            if record["clip_id"] == clip_id:
                reason = record["reason"].removeprefix(LeftOutBefore.MARK)
                return Quarantined(f"clip {clip_id!r} has no rows in {self.folder}: quarantined in {bad}: {reason}")
        return KeyError(
            f"clip {clip_id!r} is not in {self.folder} and was not quarantined; is it in this data folder's index?"
        )
