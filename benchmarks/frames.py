"""How much of the fastest back end's rate the frames stage keeps, and what frames and motion summaries cost together.

    python benchmarks/frames.py                    # markdown tables on standard output
    python benchmarks/frames.py --repeats 9 --clips 12

One process against one process, on the same clips, the jobs taking turns: read the ratios, not the milliseconds. "The
fastest back end's own rate" is the best of all back ends at delivering the same frames as RGB at the same size, each
library alone. The stage is the whole of `extract_frames`: index, decoding, JPEG, parquet,
report. Every figure is the least of the repeats.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import av
import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from av.video.reformatter import VideoReformatter
from decode import write_video

from emotrain.atomic_files import write_table
from emotrain.context.motion_backend import MotionSummarizer
from emotrain.context.summarize import SummarizeClip
from emotrain.records import FRAMES, Clip, to_table
from emotrain.video.decode import open_clip
from emotrain.video.extract import ExtractClip, extract_frames, jpeg_encoder
from emotrain.video.frame_settings import FrameSettings
from emotrain.video.frame_store import FrameStore
from emotrain.video.keyframes import between_keyframes, choose_keyframes
from emotrain.video.reader import duration_of

KEYFRAMES, SIZE, QUALITY = 8, 224, 95
Job = Callable[[], object]
Cost = tuple[float, float]
"""CPU and wall milliseconds a clip."""


def wanted(times_s: np.ndarray, between: int) -> np.ndarray:
    """The frames that the stage keeps."""
    keys = choose_keyframes("segment_centres", times_s, KEYFRAMES, duration_s=duration_of(times_s, None))
    return np.sort(np.concatenate([keys, *between_keyframes(times_s, keys, between)]))


def by_open_clip(paths: list[Path], between: int) -> None:
    """The frames as RGB, through our interface."""
    for path in paths:
        with open_clip(path) as clip:
            clip.sweep(None, partial(wanted, between=between), SIZE)


def by_pyav(paths: list[Path], chosen: list[int], height: int, width: int) -> None:
    """PyAV alone: every frame decoded, the chosen ones converted, with a scaler that is kept."""
    scaler = VideoReformatter()
    for path in paths:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "NONE"
            for index, frame in enumerate(container.decode(video=0)):
                if index in chosen:
                    scaler.reformat(
                        frame, width=width, height=height, format="rgb24", interpolation="BILINEAR", threads=1
                    ).to_ndarray()


def by_opencv(paths: list[Path], chosen: list[int], height: int, width: int) -> None:
    """OpenCV alone: grabbed in order, the chosen frames retrieved."""
    for path in paths:
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        index = 0
        while capture.grab():
            if index in chosen:
                image = cv2.resize(capture.retrieve()[1], (width, height), interpolation=cv2.INTER_AREA)
                cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            index += 1
        capture.release()


def by_torchcodec(paths: list[Path], chosen: list[int], height: int, width: int) -> None:
    """torchcodec alone, in exact mode."""
    from torchcodec.decoders import VideoDecoder

    for path in paths:
        for frame in VideoDecoder(str(path), dimension_order="NHWC", num_ffmpeg_threads=1).get_frames_at(chosen).data:
            cv2.resize(frame.numpy(), (width, height), interpolation=cv2.INTER_AREA)


def by_decord(paths: list[Path], chosen: list[int], height: int, width: int) -> None:
    """decord alone, without the guard that a damaged clip needs."""
    import decord

    for path in paths:
        reader = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1, width=width, height=height)
        reader.get_batch(chosen).asnumpy()


ALONE = {"PyAV": by_pyav, "OpenCV": by_opencv, "torchcodec": by_torchcodec, "decord": by_decord}


def every_frame(paths: list[Path]) -> None:
    """The bare decode: all frames of the clip, nothing converted."""
    for path in paths:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "NONE"
            for packet in container.demux(video=0):
                packet.decode()


def stage(data: Path, between: int) -> None:
    """The whole stage, from nothing."""
    shutil.rmtree(data / "frames", ignore_errors=True)
    extract_frames(
        data, keyframes=KEYFRAMES, between=between, size=SIZE, quality=QUALITY, shards=1, workers=1, limit_s=None
    )


def summaries(data: Path, clips: list[Clip]) -> None:
    """What the summarise stage does to each clip, in this process."""
    work = SummarizeClip(MotionSummarizer(), data, FrameStore(data / "frames"))
    for clip in clips:
        work(clip)


def encoded(images: list[np.ndarray], quality: int) -> list[bytes]:
    """The JPEGs of the images."""
    encode = jpeg_encoder(quality)
    return [encode(image) for image in images]


def written(rows: list[dict[str, object]], path: Path, clips: int) -> None:
    """The rows of a clip as parquet, once a clip."""
    with pq.ParquetWriter(path, FRAMES, compression="zstd") as writer:
        for _ in range(clips):
            writer.write_table(pa.Table.from_pylist(rows, schema=FRAMES))


def least(jobs: dict[str, Job], clips: int, repeats: int) -> dict[str, Cost]:
    """CPU and wall milliseconds a clip of each job, after one call each to warm up; the jobs take turns."""
    for job in jobs.values():
        job()
    best = dict.fromkeys(jobs, (float("inf"), float("inf")))
    for _ in range(repeats):
        for name, job in jobs.items():
            cpu, wall = time.process_time(), time.perf_counter()
            job()
            spent = (time.process_time() - cpu, time.perf_counter() - wall)
            best[name] = tuple(min(old, new * 1000 / clips) for old, new in zip(best[name], spent))  # type: ignore[assignment]
    return best


def jobs_of(data: Path, clips: list[Clip], between: int) -> dict[str, Job]:
    """Everything that is timed on one kind of clip."""
    paths = [data / clip.path for clip in clips]
    with open_clip(paths[0]) as clip:
        sweep = clip.sweep(None, partial(wanted, between=between), SIZE)
    chosen, images = sweep.indices.tolist(), list(sweep.colour)
    height, width = images[0].shape[:2]
    jobs: dict[str, Job] = {}
    for name, read in ALONE.items():
        try:
            read(paths[:1], chosen, height, width)
        except (ImportError, OSError, RuntimeError):
            continue  # torchcodec without FFmpeg's libraries, decord without a wheel for this machine
        jobs[name] = partial(read, paths, chosen, height, width)
    rows = ExtractClip(data, FrameSettings(keyframes=KEYFRAMES, between=between, size=SIZE, quality=QUALITY))(clips[0])
    assert isinstance(rows, list)
    jobs |= {
        "open_clip": partial(by_open_clip, paths, between),
        "stage": partial(stage, data, between),
        "jpeg": lambda: [encoded(images, QUALITY) for _ in clips],
        "parquet": partial(written, rows, data / "written.parquet", len(clips)),
        "every frame": partial(every_frame, paths),
        "summaries": partial(summaries, data, clips),
    }
    return jobs


def row(name: str, cost: dict[str, Cost]) -> str:
    """One line of the table of ratios."""
    fastest = min((key for key in cost if key in ALONE), key=lambda key: cost[key][0])
    decode, total = cost[fastest], cost["stage"]
    jpeg, parquet = cost["jpeg"][0], cost["parquet"][0]
    ours = cost["open_clip"][0]
    cells = [
        name,
        f"{fastest} {decode[0]:.1f}",
        f"{total[0]:.1f}",
        f"**{decode[0] / total[0]:.2f}** ({decode[1] / total[1]:.2f})",
        f"{ours:.1f} + {jpeg:.1f} + {parquet:.1f} + {total[0] - ours - jpeg - parquet:.1f}",
        f"{decode[0] / (decode[0] + jpeg):.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


def together(name: str, cost: dict[str, Cost]) -> str:
    """One line of the table of frames and motion summaries."""
    bare, both = cost["every frame"][0], cost["stage"][0] + cost["summaries"][0]
    return f"| {name} | {bare:.1f} | {cost['stage'][0]:.1f} + {cost['summaries'][0]:.1f} | {both / bare:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--clips", type=int, default=16, help="clips of 224 px; an eighth as many of 1080p")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of the clips at 30 frames a second")
    args = parser.parse_args()
    cv2.setNumThreads(0)
    ratios, both = [], []
    for name, (height, width), count in (
        ("224 x 224", (224, 224), args.clips),
        ("1920 x 1080", (1080, 1920), max(1, args.clips // 8)),
    ):
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder)
            write_video(data / "0.mp4", height, width, args.seconds)
            for number in range(1, count):
                shutil.copy(data / "0.mp4", data / f"{number}.mp4")
            clips = [Clip(str(number), f"{number}.mp4", "x") for number in range(count)]
            write_table(to_table(clips, Clip, {"root": str(data)}), data / "clips.parquet")
            for between in (0, 4):
                what = f"{name}, {KEYFRAMES} keyframes + {between} a gap"
                cost = least(jobs_of(data, clips, between), count, args.repeats)
                ratios.append(row(what, cost))
                both.append(together(what, cost))
    busy = os.getloadavg()[0] / len(os.sched_getaffinity(0))
    print(f"{args.seconds:g} s at 30 frames/s, {SIZE} px, least of {args.repeats}; {busy:.1f} busy processes a core\n")
    print("| clips | fastest back end, CPU ms a clip | stage | its share of that rate, CPU (wall) |", end="")
    print(" open_clip + JPEG + parquet + the rest | the fastest back end with JPEG and nothing else |\n|-|-|-|-|-|-|")
    print("\n".join(ratios))
    print("\n| clips | bare decode of every frame | frames + motion summaries | times the bare decode |\n|-|-|-|-|")
    print("\n".join(both))


if __name__ == "__main__":
    main()
