"""Frames and motion summaries with 1 and 2 workers, the ray engine beside the local one, on the same clips.

    python benchmarks/ray_engine.py                # markdown table on standard output

Each engine prepares copies of one rendered clip; the jobs take turns, and the best of the repeats counts. The rate is
that between the first finished parts and the last, what is left of the time is the start. The last column checks that
the files of both engines are equal. With --wait-s a clip only waits, so that the table shows the dealing out and not
the load of the machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import pyarrow as pa
import ray

from emotrain.atomic_files import write_table
from emotrain.context.summarize import summarize_clips
from emotrain.datasets.clips import ClipIndex
from emotrain.records import Clip, to_table
from emotrain.stages.parts import part_path
from emotrain.stages.ray_engine import OBJECT_STORE_BYTES
from emotrain.stages.stage import run_stage
from emotrain.synthetic.clip_plan import plan_clips
from emotrain.synthetic.clip_set import render_clip
from emotrain.synthetic.h264 import write_mp4
from emotrain.synthetic.performance import FPS
from emotrain.video.extract import extract_frames

ENGINES = ("local", "ray")
WORKERS = (1, 2)


def write_index(data: Path, video: Path, clips: int) -> None:
    """`clips` rows that all name the same video."""
    rows = [Clip(f"clip-{i:05d}", video.name, "anger") for i in range(clips)]
    write_table(to_table(rows, Clip, {"root": str(video.parent)}), data / "clips.parquet")


def rate(out: Path, data: Path, workers: int, shards: int) -> float:
    """Clips a second of a finished stage, without its start: each worker's first part only sets the clock."""
    sizes = ClipIndex(data / "clips.parquet").shard_sizes(shards)
    ends = sorted((part_path(out, shard, shards).stat().st_mtime_ns / 1e9, size) for shard, size in enumerate(sizes))
    return sum(size for _, size in ends[workers:]) / (ends[-1][0] - ends[workers - 1][0])


def prepared(data: Path, engine: str, workers: int, shards: int) -> tuple[float, float]:
    """Seconds of both stages from nothing, and the clips a second of the two together."""
    for folder in ("frames", "summaries"):
        shutil.rmtree(data / folder, ignore_errors=True)
    started = time.perf_counter()
    extract_frames(data, between=0, shards=shards, workers=workers, engine=engine)
    summarize_clips(data, "motion", shards=shards, workers=workers, engine=engine)
    took = time.perf_counter() - started
    outs = [data / "frames", *(data / "summaries").iterdir()]
    return took, 1 / sum(1 / rate(out, data, workers, shards) for out in outs)


@dataclass(frozen=True)
class Waits:
    """Work that takes its time, but none of a core's."""

    seconds: float

    def __call__(self, clip: Clip) -> list[dict[str, Any]]:
        time.sleep(self.seconds)
        return [{"clip_id": clip.clip_id}]


def waited(work: Any, data: Path, engine: str, workers: int, shards: int) -> tuple[float, float]:
    """The same of a stage whose clips only wait."""
    shutil.rmtree(data / "waits", ignore_errors=True)
    schema = pa.schema([("clip_id", pa.string())])
    started = time.perf_counter()
    run_stage(
        *("waits", ClipIndex(data / "clips.parquet"), work, schema, data / "waits"),
        shards=shards,
        workers=workers,
        limit_s=60.0,
        engine=engine,
    )
    return time.perf_counter() - started, rate(data / "waits", data, workers, shards)


def parts(data: Path) -> dict[str, bytes]:
    return {str(file.relative_to(data)): file.read_bytes() for file in sorted(data.rglob("part-*"))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=192, help="clips of a job (%(default)s)")
    parser.add_argument("--shard-clips", type=int, default=12, help="clips a shard, about (%(default)s)")
    parser.add_argument("--size", type=int, default=224, help="side of the clips in pixels (%(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="the best of these counts (%(default)s)")
    parser.add_argument("--wait-s", type=float, help="clips wait so long instead of being prepared")
    args = parser.parse_args()
    # Under its own name: workers cannot import what lies in __main__.
    from ray_engine import Waits

    job = prepared if args.wait_s is None else partial(waited, Waits(args.wait_s))
    best: dict[tuple[str, int], tuple[float, float]] = {}
    found: dict[str, bytes] | None = None
    shards = max(2 * max(WORKERS), args.clips // args.shard_clips)
    equal = dict.fromkeys(product(ENGINES, WORKERS), True)
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "clip.mp4"
        frames = list(render_clip(plan_clips()[0], args.size)[1])
        write_mp4(frames, video, args.size, FPS)
        data = Path(folder) / "data"
        write_index(data, video, args.clips)
        started = time.perf_counter()
        ray.init(
            address="local",
            num_cpus=max(WORKERS),
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            _node_ip_address="127.0.0.1",
        )
        start = time.perf_counter() - started
        for _, workers, engine in product(range(args.repeats), WORKERS, ENGINES):
            took, speed = job(data, engine, workers, shards)
            if (engine, workers) not in best or speed > best[engine, workers][1]:
                best[engine, workers] = took, speed
            found = parts(data) if found is None else found
            equal[engine, workers] &= found == parts(data)
        ray.shutdown()
    clip = f"{len(frames)} frames of {args.size} pixels" if args.wait_s is None else f"a wait of {args.wait_s} s"
    print(
        f"a clip is {clip}; {args.clips} clips, {shards} shards, best of {args.repeats}; load {os.getloadavg()[1]:.0f};"
    )
    print(f"a Ray cluster on this machine starts in {start:.1f} s\n")
    print("| engine | workers | clips/s | times the local engine's | times one worker's | start, s | same files |")
    print("|-|-|-|-|-|-|-|")
    for workers, engine in product(WORKERS, ENGINES):
        took, speed = best[engine, workers]
        beside, alone = speed / best["local", workers][1], speed / best[engine, WORKERS[0]][1]
        same = "yes" if equal[engine, workers] else "NO"
        begun = took - args.clips / speed
        print(f"| {engine} | {workers} | {speed:.2f} | {beside:.2f} | {alone:.2f} | {begun:.1f} | {same} |")


if __name__ == "__main__":
    main()
