"""Frames and motion summaries with 1 and 2 workers, the ray engine beside the local one, on the same clips.

    python benchmarks/ray_engine.py                # markdown table on standard output

Each engine prepares few and many copies of one rendered clip; the jobs take turns. The slope between the two is the
seconds that a clip costs, what is left is the start. A last column checks that the files of both engines are equal.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from itertools import product
from pathlib import Path

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray

from emotrain.context.summarize import summarize_clips
from emotrain.ray_engine import OBJECT_STORE_BYTES
from emotrain.records import Clip, to_table
from emotrain.shards import write_table
from emotrain.synthetic.clip_set import write_clip_set
from emotrain.video.extract import extract_frames

ENGINES = ("local", "ray")
WORKERS = (1, 2)


def write_index(data: Path, video: Path, clips: int) -> None:
    """`clips` rows that all name the same video."""
    rows = [Clip(f"clip-{i:05d}", video.name, "anger") for i in range(clips)]
    write_table(to_table(rows, Clip, {"root": str(video.parent)}), data / "clips.parquet")


def prepared(data: Path, engine: str, workers: int, shards: int) -> float:
    """Seconds of both stages, from nothing."""
    for folder in ("frames", "summaries"):
        shutil.rmtree(data / folder, ignore_errors=True)
    started = time.perf_counter()
    extract_frames(data, between=0, shards=shards, workers=workers, engine=engine)
    summarize_clips(data, "motion", shards=shards, workers=workers, engine=engine)
    return time.perf_counter() - started


def parts(data: Path) -> dict[str, bytes]:
    return {str(file.relative_to(data)): file.read_bytes() for file in sorted(data.rglob("part-*"))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, nargs=2, default=[16, 80], help="few and many (%(default)s)")
    parser.add_argument("--shard-clips", type=int, default=4, help="clips a shard, about (%(default)s)")
    parser.add_argument("--size", type=int, default=224, help="side of the clips in pixels (%(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="medians are of these (%(default)s)")
    args = parser.parse_args()
    seconds: dict[tuple[str, int, int], list[float]] = {}
    found: dict[int, dict[str, bytes]] = {}
    equal = dict.fromkeys(product(ENGINES, WORKERS), True)
    with tempfile.TemporaryDirectory() as folder:
        write_clip_set(Path(folder) / "set", train=1, validation=0, test=0, size=args.size, workers=1)
        video = next((Path(folder) / "set" / "videos").iterdir())
        for clips in args.clips:
            write_index(Path(folder) / str(clips), video, clips)
        started = time.perf_counter()
        ray.init(
            address="local",
            num_cpus=max(WORKERS),
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            _node_ip_address="127.0.0.1",
        )
        start = time.perf_counter() - started
        for _, workers, engine, clips in product(range(args.repeats), WORKERS, ENGINES, args.clips):
            data = Path(folder) / str(clips)
            took = prepared(data, engine, workers, max(1, clips // args.shard_clips))
            seconds.setdefault((engine, workers, clips), []).append(took)
            equal[engine, workers] &= found.setdefault(clips, parts(data)) == parts(data)
        ray.shutdown()
    few, many = args.clips
    print(f"a Ray cluster on this machine starts in {start:.1f} s\n")
    print("| engine | workers | clips/s | times the local engine's | times one worker's | start, s | same files |")
    print("|-|-|-|-|-|-|-|")
    rates = {}
    for workers, engine in product(WORKERS, ENGINES):
        low, high = (statistics.median(seconds[engine, workers, clips]) for clips in (few, many))
        slope = (high - low) / (many - few)
        rates[engine, workers] = rate = 1 / slope
        beside, alone = rate / rates["local", workers], rate / rates[engine, WORKERS[0]]
        same = "yes" if equal[engine, workers] else "NO"
        print(f"| {engine} | {workers} | {rate:.2f} | {beside:.2f} | {alone:.2f} | {low - few * slope:.1f} | {same} |")


if __name__ == "__main__":
    main()
