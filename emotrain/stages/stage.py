"""How a stage runs over many clips: shard by shard, in a pool of workers, with quarantine and resume.

A stage is a function `work(clip) -> rows`. Its output folder holds one `part-00003-of-00064.parquet` per shard. A
finished shard is never redone unless it was damaged since, and an interrupted one leaves no part behind, because a part
appears only by a rename, when a list of digests vouches for it.
Clips are assigned by a hash of their id, so the assignment depends on neither order nor machine. A clip that cannot be
processed raises `ClipError`; it is written to the part's quarantine file with the reason and counted per class, and the
run stops loudly when more than a stated share of the clips is bad. A clip that is usable in part returns `Damaged`: it
is kept, and named with what was lost in the part's `.damaged.jsonl`.
"""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from emotrain.atomic_files import replacing, write_json, write_text
from emotrain.clip_errors import ClipError, Damaged, LeftOutBefore
from emotrain.parquet_files import WRITING
from emotrain.progress import track
from emotrain.records import Clip
from emotrain.stages.parts import finished_parts, part_path, shard_of
from emotrain.stages.quarantine import damage_path, quarantine_path, read_records, record_of, records_text
from emotrain.stages.ray_engine import ray_shards
from emotrain.stages.report import StageReport, check_bad_share
from emotrain.stages.whole_parts import keep_or_drop, vouch_part
from emotrain.stages.workers import Died, spread

ENGINES = ("local", "ray")
"""Where a stage runs: in processes of this machine, or on the workers of a Ray cluster."""

Work = Callable[[Clip], "list[dict[str, Any]] | Damaged"]


class Clips(Protocol):
    """What a stage runs over when its clips are not a list in memory; `datasets.clips.ClipIndex` is one."""

    def __len__(self) -> int: ...

    def shard_sizes(self, shards: int) -> Sequence[int]:
        """Number of clips in each shard."""

    def label_counts(self, mine: Iterable[int], shards: int) -> Counter[str]:
        """Number of clips of each label over the shards `mine`."""

    def of_shard(self, shard: int, shards: int) -> Iterator[Clip]:
        """The clips of one shard, always in the same order."""


def run_stage(
    stage: str,
    clips: Clips | Sequence[Clip],
    work: Work,
    schema: pa.Schema,
    out: Path,
    *,
    shards: int = 8,
    only: tuple[int, int] | None = None,
    workers: int | None = None,
    max_bad_share: float = 0.01,
    limit_s: float | None = None,
    engine: str = "local",
    ray_address: str | None = None,
) -> StageReport:
    """Run `work` over all clips, shard by shard, and return what happened.

    `only=(i, n)` does the i-th of n shards and nothing else (for array jobs). `work` must be picklable: it runs in
    `workers` processes (default: one a core). A clip that takes longer than `limit_s` seconds, or ends its process, is
    quarantined like one that raises ClipError. Raises TooManyBadClips past `max_bad_share`, when all is written.

    `engine="ray"` writes the same files with `workers` workers of the Ray cluster at `ray_address` (see `ray_shards`),
    each doing whole shards. Raises ValueError for another engine, an address for the local one, and a number out of
    its range.
    """
    check_engine(engine, ray_address)
    check_numbers(shards=shards, workers=workers, max_bad_share=max_bad_share, limit_s=limit_s)
    mine = range(shards) if only is None else [only[0]]
    shards = shards if only is None else only[1]
    started = time.monotonic()
    report = StageReport(stage)
    lazy: Clips = _InMemory(clips) if isinstance(clips, Sequence) else clips
    out.mkdir(parents=True, exist_ok=True)
    parts = finished_parts(out)
    if parts and parts[0] != part_path(out, int(parts[0].name[5:10]), shards):
        raise ValueError(
            f"{out}: {parts[0].name} is of a run with another number of shards (this one has {shards}); "
            "delete the folder or finish with the same --shards"
        )
    counts = lazy.shard_sizes(shards)
    todo = [shard for shard in mine if not _is_kept(part_path(out, shard, shards), schema, lazy, shard, shards)]
    total = sum(counts[shard] for shard in todo)
    run_shard = _ShardRun(work, lazy, schema, out, shards)
    if engine == "ray":
        with track(stage, total) as advance:
            for shard in ray_shards(run_shard, todo, out, workers=workers, limit_s=limit_s, address=ray_address):
                advance(counts[shard])
    else:
        processes = workers if workers is not None else len(os.sched_getaffinity(0))
        with spread(processes, total, limit_s) as run, track(stage, total) as advance:
            for shard in todo:
                run_shard(run, shard, advance)
    for shard in mine:
        part = part_path(out, shard, shards)
        bad = read_records(quarantine_path(part))
        report.quarantined.update(row["label"] for row in bad)
        report.before.update(row["label"] for row in bad if row["reason"].startswith(LeftOutBefore.MARK))
        report.damaged.update(row["label"] for row in read_records(damage_path(part)))
    report.done = lazy.label_counts(mine, shards) - report.quarantined
    report.seconds = time.monotonic() - started
    if only is None:
        write_json(report.as_json(), out / "report.json")
    check_bad_share(report, max_bad_share, out)
    return report


def check_engine(engine: str, ray_address: str | None) -> None:
    """Raise ValueError for an engine that is none, and for an address that the engine would not look at."""
    if engine not in ENGINES:
        raise ValueError(f"engine {engine!r} is not one of {', '.join(ENGINES)}")
    if ray_address is not None and engine != "ray":
        raise ValueError(f"a Ray address ({ray_address}) is of no use to the engine {engine}; add --engine ray")


def check_numbers(
    *, shards: int = 1, workers: int | None = None, max_bad_share: float = 0.0, limit_s: float | None = None
) -> None:
    """Raise ValueError for a number with which a stage would do nothing, or throw all clips away."""
    for name, found, right, expected in (
        ("--shards", shards, shards >= 1, "1 or more"),
        ("--workers", workers, workers is None or workers >= 1, "1 or more"),
        ("--max-bad-share", max_bad_share, 0 <= max_bad_share <= 1, "a share from 0 to 1, for example 0.05"),
        ("--limit-s", limit_s, limit_s is None or 0 < limit_s < math.inf, "seconds above 0"),
    ):
        if not right:
            raise ValueError(f"{name} {found}: expected {expected}")


def _run_shard(
    run: Callable[..., Iterable[Any]],
    work: Work,
    clips: Iterable[Clip],
    schema: pa.Schema,
    part: Path,
    advance: Callable[[int], None],
) -> None:
    bad: list[dict[str, str]] = []
    damaged: list[dict[str, str]] = []
    with replacing(part) as temporary:
        with pq.ParquetWriter(temporary, schema, **WRITING) as writer:
            # tee keeps no more clips than are under way in the pool.
            inputs, named = tee(clips)
            for result, clip in zip(run(_Guarded(work), inputs), named):
                done, reason = (None, result.reason) if isinstance(result, Died) else result
                if isinstance(done, Damaged):
                    damaged.append(record_of(clip, done.note))
                rows = done.rows if isinstance(done, Damaged) else done
                if reason is not None:
                    bad.append(record_of(clip, reason))
                elif rows:
                    writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                advance(1)
        # These files land first: a part that exists always has its quarantine and its list beside it.
        write_text(records_text(bad), quarantine_path(part))
        if damaged:
            write_text(records_text(damaged), damage_path(part))
        else:
            damage_path(part).unlink(missing_ok=True)  # of a run whose part was deleted
        vouch_part(part, temporary)


def _is_kept(part: Path, schema: pa.Schema, clips: Clips, shard: int, shards: int) -> bool:
    return part.exists() and keep_or_drop(part, schema, clips.of_shard(shard, shards))


@dataclass(frozen=True, slots=True)
class _ShardRun:
    """All that it takes to run any one shard of a stage; picklable, so that another machine can."""

    work: Work
    clips: Clips
    schema: pa.Schema
    out: Path
    shards: int

    def __call__(self, run: Callable[..., Iterable[Any]], shard: int, advance: Callable[[int], None]) -> None:
        part = part_path(self.out, shard, self.shards)
        _run_shard(run, self.work, self.clips.of_shard(shard, self.shards), self.schema, part, advance)


@dataclass(frozen=True, slots=True)
class _InMemory:
    """A plain sequence of clips, seen as `Clips`."""

    clips: Sequence[Clip]

    def shard_sizes(self, shards: int) -> Sequence[int]:
        counts = Counter(shard_of(clip.clip_id, shards) for clip in self.clips)
        return [counts[shard] for shard in range(shards)]

    def label_counts(self, mine: Iterable[int], shards: int) -> Counter[str]:
        chosen = set(mine)
        return Counter(clip.label for clip in self.clips if shard_of(clip.clip_id, shards) in chosen)

    def of_shard(self, shard: int, shards: int) -> Iterator[Clip]:
        return (clip for clip in self.clips if shard_of(clip.clip_id, shards) == shard)

    def __len__(self) -> int:
        return len(self.clips)


@dataclass(frozen=True, slots=True)
class _Guarded:
    """Runs the work and carries a ClipError home as text instead of ending the pool."""

    work: Work

    def __call__(self, clip: Clip) -> tuple[list[dict[str, Any]] | Damaged | None, str | None]:
        try:
            return self.work(clip), None
        except ClipError as error:
            return None, str(error)
