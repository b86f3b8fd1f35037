"""How a stage runs over many clips: stable shards, atomic writes, a worker pool, quarantine, resume.

A stage is a function `work(clip) -> rows`. Its output folder holds one `part-00003-of-00064.parquet` per shard. A
finished shard is never redone and an interrupted one leaves no part behind, because a part appears only by a rename.
Clips are assigned by a hash of their id, so the assignment depends on neither order nor machine. A clip that cannot be
processed raises `ClipError`; it is written to the part's quarantine file with the reason and counted per class, and the
run stops loudly when more than a stated share of the clips is bad. A clip that is usable in part returns `Damaged`: it
is kept, and named with what was lost in the part's `.damaged.jsonl`.
"""

from __future__ import annotations

import json
import math
import os
import time
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import tee
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from emotrain.progress import track
from emotrain.quarantine import damage_path, quarantine_path, read_records, record_of, records_text
from emotrain.ray_engine import ray_shards
from emotrain.records import Clip
from emotrain.workers import Died, spread


@dataclass(frozen=True, slots=True)
class Damaged:
    """The rows of a clip of which only a part could be used; `note` says what was lost, for the stage's report."""

    rows: list[dict[str, Any]]
    note: str


ENGINES = ("local", "ray")
"""Where a stage runs: in processes of this machine, or on the workers of a Ray cluster."""

Work = Callable[[Clip], "list[dict[str, Any]] | Damaged"]


class Clips(Protocol):
    """What a stage runs over when its clips are not a list in memory; `datasets.clip_shards.ClipShards` is one."""

    def __len__(self) -> int: ...

    def shard_sizes(self, shards: int) -> Sequence[int]:
        """Number of clips in each shard."""

    def label_counts(self, mine: Iterable[int], shards: int) -> Counter[str]:
        """Number of clips of each label over the shards `mine`."""

    def of_shard(self, shard: int, shards: int) -> Iterator[Clip]:
        """The clips of one shard, always in the same order."""


class ClipError(Exception):
    """This clip cannot be used; the message says why and goes to the quarantine file."""


class WrongShard(ValueError, ArgumentTypeError):
    """A shard that is none; argparse shows the message of its own kind of error as it is."""


class TooManyBadClips(RuntimeError):
    """A larger share of the clips than allowed was quarantined."""


@dataclass(slots=True)
class StageReport:
    """What a stage did: clips done, quarantined, and (among those done) damaged, each per class."""

    stage: str
    done: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    damaged: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def bad_share(self) -> float:
        """Share of clips that were quarantined, 0 for an empty stage."""
        total = self.done.total() + self.quarantined.total()
        return self.quarantined.total() / total if total else 0.0

    def add(self, other: StageReport) -> None:
        """Count what another run of the same stage did on other shards."""
        self.done += other.done
        self.quarantined += other.quarantined
        self.damaged += other.damaged
        self.seconds += other.seconds

    def in_words(self) -> str:
        """The report in a line, and one more for each class that lost something."""
        total = f"{self.done.total()} clips done, {self.quarantined.total()} quarantined"
        partly = f" ({self.damaged.total()} of those done are damaged and kept in part)" if self.damaged else ""
        lines = [f"{self.stage}: {total}{partly}, {self.seconds:.1f} s"]
        lines += [f"  quarantined {count:6d}  {label}" for label, count in sorted(self.quarantined.items())]
        lines += [f"  damaged     {count:6d}  {label}" for label, count in sorted(self.damaged.items())]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The report as plain values (dataclasses.asdict cannot copy a Counter before Python 3.12)."""
        return {
            "stage": self.stage,
            "done": dict(sorted(self.done.items())),
            "quarantined": dict(sorted(self.quarantined.items())),
            "damaged": dict(sorted(self.damaged.items())),
            "bad_share": self.bad_share,
            "seconds": round(self.seconds, 2),
        }


def shard_of(clip_id: str, shards: int) -> int:
    """The shard that a clip belongs to; equal on every machine and in every Python."""
    return stable_hash(clip_id) % shards


def stable_hash(text: str) -> int:
    """64 bits that depend on nothing but the text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def part_path(out: Path, shard: int, shards: int) -> Path:
    """Path of one part file of a stage's output folder."""
    return out / f"part-{shard:05d}-of-{shards:05d}.parquet"


def parse_shard(text: str) -> tuple[int, int]:
    """Read `3/64` (the third of sixty-four, counted from 0) as (3, 64)."""
    shard, _, shards = text.partition("/")
    if not (shard.isdigit() and shards.isdigit() and int(shard) < int(shards)):
        raise WrongShard(f"--shard {text!r}: expected I/N with 0 <= I < N, for example 0/4")
    return int(shard), int(shards)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write to the yielded temporary path; on success it becomes `path` in one step, on failure nothing is left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a parquet file atomically."""
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", row_group_size=4096)


def write_text(text: str, path: Path) -> None:
    """Write a text file atomically, as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(value: Any, path: Path) -> None:
    """Write a JSON file atomically, keys in the order given."""
    write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", path)


def read_parts(out: Path) -> pa.Table:
    """All parts of a stage's output as one table, in shard order; says which command makes them when there are none."""
    parts = finished_parts(out)
    if not parts:
        raise FileNotFoundError(f"{out}: no part-*.parquet here; run the stage that writes this folder first")
    return pa.concat_tables([pq.read_table(part) for part in parts])


def finished_parts(out: Path) -> list[Path]:
    """The part files of one complete or partial run, in shard order; mixed shard counts are an error."""
    parts = sorted(out.glob("part-*-of-*.parquet"))
    counts = {part.stem.rpartition("-of-")[2] for part in parts}
    if len(counts) > 1:
        raise ValueError(
            f"{out}: parts of runs with {' and '.join(sorted(counts))} shards lie side by side; "
            "delete the folder or finish with the same --shards"
        )
    return parts


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
    todo = [shard for shard in mine if not part_path(out, shard, shards).exists()]
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
        report.quarantined.update(row["label"] for row in read_records(quarantine_path(part)))
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


def check_bad_share(report: StageReport, max_bad_share: float, out: Path) -> None:
    """Raise TooManyBadClips when a larger share of a stage's clips than `max_bad_share` was quarantined."""
    if report.bad_share > max_bad_share:
        clips = report.done.total() + report.quarantined.total()
        raise TooManyBadClips(
            f"{report.stage}: {report.quarantined.total()} of {clips} clips are unusable ({report.bad_share:.1%}, "
            f"allowed {max_bad_share:.1%}); the reasons are in {out}/*.quarantine.jsonl; raise --max-bad-share to go on"
        )


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
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
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
        # These files land first: a part that exists always has its quarantine beside it.
        write_text(records_text(bad), quarantine_path(part))
        if damaged:
            write_text(records_text(damaged), damage_path(part))
        else:
            damage_path(part).unlink(missing_ok=True)  # of a run whose part was deleted


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
