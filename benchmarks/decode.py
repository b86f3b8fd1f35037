"""Compare the decoding back ends with each other, with the codec alone and with the frames stage, in one run.

    python benchmarks/decode.py                     # a markdown table on standard output
    python benchmarks/decode.py --repeats 9 --seconds 4

Figures are CPU milliseconds for one clip on one thread, the least of several repeats; children of the process count.
"The codec alone" decodes every packet and converts nothing: no back end can be faster. "The plain loop" converts every
frame to RGB at full size and keeps the wanted ones, as popular fine-tuning repositories do.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import av
import cv2
import numpy as np

from emotrain.records import Clip
from emotrain.video.decode import open_clip
from emotrain.video.extract import ExtractClip, FrameSettings
from emotrain.video.keyframes import between_keyframes, choose_keyframes

SIZE, KEYFRAMES, GREY = 224, 8, 128
Job = Callable[[], object]


def write_video(path: Path, height: int, width: int, seconds: float, fps: int = 30) -> None:
    """A moving texture with sensor noise, H.264 with the encoder's defaults."""
    rng = np.random.default_rng(0)
    coarse = rng.normal(128, 60, (height // 16 + 8, width // 16 + 8, 3)).astype(np.float32)
    texture = cv2.resize(coarse, (width + 128, height + 128), interpolation=cv2.INTER_CUBIC)
    noise = rng.normal(0, 2, (8, height, width, 1)).astype(np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for i in range(round(seconds * fps)):
            x, y = round(40 + 30 * np.sin(i / 15)), round(40 + 30 * np.cos(i / 20))
            image = np.clip(texture[y : y + height, x : x + width] + noise[i % 8], 0, 255).astype(np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)


def codec_alone(path: Path) -> int:
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "NONE"
        return sum(len(packet.decode()) for packet in container.demux(video=0))


def plain_loop(path: Path, wanted: set[int] | None) -> list[np.ndarray]:
    kept = []
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "NONE"
        for index, frame in enumerate(container.decode(video=0)):
            image = frame.to_ndarray(format="rgb24")
            if wanted is None or index in wanted:
                kept.append(cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA))
    return kept


def read(path: Path, decoder: str, everything: bool) -> np.ndarray:
    with open_clip(path, decoder) as clip:
        clip.look = "centre"
        return clip.sweep(None, _all if everything else _keyframes, SIZE).colour


def decord_itself(path: Path, everything: bool) -> np.ndarray:
    """decord without its guard, in this process."""
    import decord

    reader = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1, width=SIZE, height=SIZE)
    times_s = np.arange(len(reader)) / reader.get_avg_fps()
    return reader.get_batch((_all if everything else _keyframes)(times_s).tolist()).asnumpy()


def sweep(path: Path) -> object:
    with open_clip(path) as clip:
        clip.look = "centre"
        return clip.sweep(GREY, _keyframes, SIZE)


def read_44(path: Path) -> np.ndarray:
    def wanted(times_s: np.ndarray) -> np.ndarray:
        keys = _keyframes(times_s)
        return np.sort(np.concatenate([keys, *between_keyframes(times_s, keys, 4)]))

    with open_clip(path) as clip:
        clip.look = "centre"
        return clip.sweep(None, wanted, SIZE).colour


def extract(path: Path, between: int) -> object:
    settings = FrameSettings(keyframes=KEYFRAMES, between=between, size=SIZE, crop="centre")
    return ExtractClip(path.parent, settings)(Clip(path.stem, path.name, "x"))


def cpu_ms(jobs: list[Job], repeats: int) -> list[float]:
    """Least CPU time of each job, children included, after one call each to warm up.

    The jobs take turns, so that a busy moment of the machine falls on all of them and their ratios stay right.
    """
    for job in jobs:
        job()
    least = [float("inf")] * len(jobs)
    for _ in range(repeats):
        for number, job in enumerate(jobs):
            before = _cpu_s()
            job()
            least[number] = min(least[number], (_cpu_s() - before) * 1000)
    return least


def _cpu_s() -> float:
    """CPU seconds of this process and of its children that live."""
    # The kernel's number for "the CPU clock of process pid", as clock_getcpuclockid(3) makes it.
    children = sum(time.clock_gettime((~child.pid << 3) | 2) for child in multiprocessing.active_children())
    return time.process_time() + children


def _all(times_s: np.ndarray) -> np.ndarray:
    return np.arange(len(times_s))


def _keyframes(times_s: np.ndarray) -> np.ndarray:
    duration_s = float(times_s[-1] + times_s[1])
    return choose_keyframes("segment_centres", times_s, KEYFRAMES, duration_s=duration_s)


def measure(path: Path, repeats: int) -> dict[str, tuple[float | None, float | None]]:
    """CPU ms by row: (all frames, 8 of N); None where a row has no such figure."""
    wanted = set(_keyframes(_times(path)).tolist())
    jobs: dict[str, tuple[Job | None, Job | None]] = {
        "the codec alone (limit)": (lambda: codec_alone(path), None),
        "the plain loop": (lambda: plain_loop(path, None), lambda: plain_loop(path, wanted)),
    }
    for decoder in ("pyav", "torchcodec", "opencv", "decord"):
        try:
            read(path, decoder, False)
        except ImportError:
            continue
        jobs[f"open_clip, {decoder}"] = (partial(read, path, decoder, True), partial(read, path, decoder, False))
    if find_spec("decord"):
        jobs["decord itself, unguarded"] = (partial(decord_itself, path, True), partial(decord_itself, path, False))
    jobs[f"one pass: grey {GREY} of all + RGB of 8"] = (None, lambda: sweep(path))
    jobs["frames stage: 8 keyframes as JPEG"] = (None, lambda: extract(path, 0))
    jobs["open_clip, pyav: the 44 frames of the next row"] = (None, partial(read_44, path))
    jobs["frames stage: 8 + 36 in-between as JPEG"] = (None, lambda: extract(path, 4))
    figures = iter(cpu_ms([job for pair in jobs.values() for job in pair if job is not None], repeats))
    return {
        row: (next(figures) if first else None, next(figures) if second else None)
        for row, (first, second) in jobs.items()
    }


def table(by_clip: dict[str, dict[str, tuple[float | None, float | None]]]) -> str:
    """A markdown table; in brackets how many times the codec alone."""
    names = list(by_clip)
    header = [f"{name}, {what}" for name in names for what in ("all frames", f"{KEYFRAMES} frames")]
    lines = ["| CPU ms a clip | " + " | ".join(header) + " |", "|-|" + "-|" * len(header)]
    for row in by_clip[names[0]]:
        cells = []
        for name in names:
            limit = by_clip[name]["the codec alone (limit)"][0]
            for figure in by_clip[name][row]:
                cells.append("" if figure is None or limit is None else f"{figure:.1f} ({figure / limit:.2f})")
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of the clips at 30 frames a second")
    args = parser.parse_args()
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as folder:
        clips = {"224 x 224": (224, 224), "1920 x 1080": (1080, 1920)}
        results = {}
        for name, (height, width) in clips.items():
            path = Path(folder) / f"{height}.mp4"
            write_video(path, height, width, args.seconds)
            results[name] = measure(path, args.repeats)
    print(f"{args.seconds:g} s at 30 frames/s, least of {args.repeats}; PyAV {av.__version__}, {platform.machine()}\n")
    print(table(results))


def _times(path: Path) -> np.ndarray:
    with open_clip(path) as clip:
        return clip.times_s


if __name__ == "__main__":
    main()
