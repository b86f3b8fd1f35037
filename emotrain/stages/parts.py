"""The part files of a stage's output folder: how they are called, which clips they hold, which of them are there.

A clip belongs to the shard that a hash of its id names, so the assignment depends on neither order nor machine.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

import pyarrow as pa

from emotrain.parquet_files import read_table
from emotrain.stable_hash import stable_hash


class WrongShard(ValueError, ArgumentTypeError):
    """A shard that is none; argparse shows the message of its own kind of error as it is."""


def shard_of(clip_id: str, shards: int) -> int:
    """The shard that a clip belongs to; equal on every machine and in every Python."""
    return stable_hash(clip_id) % shards


def part_path(out: Path, shard: int, shards: int) -> Path:
    """Path of one part file of a stage's output folder."""
    return out / f"part-{shard:05d}-of-{shards:05d}.parquet"


def parse_shard(text: str) -> tuple[int, int]:
    """Read `3/64` (the third of sixty-four, counted from 0) as (3, 64)."""
    shard, _, shards = text.partition("/")
    if not (shard.isdigit() and shards.isdigit() and int(shard) < int(shards)):
        raise WrongShard(f"--shard {text!r}: expected I/N with 0 <= I < N, for example 0/4")
    return int(shard), int(shards)


def read_parts(out: Path) -> pa.Table:
    """All parts of a stage's output as one table, in shard order; says which command makes them when there are none."""
    parts = finished_parts(out)
    if not parts:
        raise FileNotFoundError(f"{out}: no part-*.parquet here; run the stage that writes this folder first")
    remedy = "run the stage that writes this folder again: it makes this part anew"
    return pa.concat_tables([read_table(part, remedy) for part in parts])


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
