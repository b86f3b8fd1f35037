"""CPU time of the motion summariser, part by part, against bare decoding of the same frames: a markdown table.

    python benchmarks/motion_speed.py --repeats 5
    python benchmarks/motion_speed.py --repeats 5 --against OTHER_CHECKOUT

Clips are 4 s long and show rendered faces: 224 x 224 filled by the face, and 1920 x 1080 with the face in the middle
(centre crop). The limit is the codec alone, which converts nothing; "bare decode" is every frame as RGB at its own
size. One thread; the least of the repeats. `--against` times the summariser of another checkout on the same clips, in
a process of its own that takes turns with this one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import cycle, islice
from pathlib import Path
from types import ModuleType

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import av
import cv2
import numpy as np

from emotrain.context import motion_backend
from emotrain.context.gaps import gaps_of
from emotrain.context.motion_backend import MotionSummarizer
from emotrain.motion import clip_events
from emotrain.motion import face_motion as motion
from emotrain.records import Clip
from emotrain.synthetic.clip_plan import plan_clips
from emotrain.synthetic.clip_set import render_clip
from emotrain.video.decode import open_clip
from emotrain.video.extract import ExtractClip
from emotrain.video.frame_settings import Crop, FrameSettings

FRAMES, FPS = 120, 30
LENGTH_S = FRAMES / FPS
PARTS: tuple[tuple[str, ModuleType | type, str], ...] = (
    ("cuts and flashes", clip_events, "find_shots"),
    ("halving", motion, "halved"),
    ("optical flow", motion.FlowFromFirst, "to"),
    ("head motion", motion, "head_motion"),
    ("brightness", motion, "_appearance"),
    ("spotting", clip_events, "spot"),
    ("words", motion_backend, "told"),
)
OLD = """
import sys, json, time, cv2
from pathlib import Path
cv2.setNumThreads(0)
from emotrain.context.gaps import gaps_of
from emotrain.context.motion_backend import MotionSummarizer
from emotrain.records import Clip
for line in sys.stdin:
    path = Path(line.strip())
    started = time.process_time()
    gaps = gaps_of("a", [0.25 + 0.5 * k for k in range(8)], 4.0)
    MotionSummarizer().summarize(Clip("a", path.name, "neutral", fps=30.0), path, gaps)
    print(json.dumps(time.process_time() - started), flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--against", type=Path, help="another checkout, whose summariser is timed in the same run")
    arguments = parser.parse_args()
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as folder:
        clips = {"224 x 224": Path(folder, "face.mp4"), "1920 x 1080": Path(folder, "scene.mp4")}
        faces = rendered()
        write(clips["224 x 224"], faces)
        write(clips["1920 x 1080"], [scene(face) for face in faces])
        tables = {name: timed(path, arguments.repeats, arguments.against) for name, path in clips.items()}
    rows = list(dict.fromkeys(row for table in tables.values() for row in table))
    print(f"4 s at {FPS} frames/s, least of {arguments.repeats}; PyAV {av.__version__}, OpenCV {cv2.__version__}\n")
    print("| CPU ms a clip | " + " | ".join(tables) + " |\n|-|" + "-|" * len(tables))
    for row in rows:
        cells = [
            f"{1000 * table[row]:.1f} ({table[row] / table['bare decode']:.2f})" if row in table else ""
            for table in tables.values()
        ]
        print(f"| {row} | " + " | ".join(cells) + " |")
    least = tables["224 x 224"]["summary, decode included"]
    print(f"\n* 224 x 224: {1 / least:.1f} clips/s a core, {2 / least:.1f} on two")


def rendered() -> list[np.ndarray]:
    """120 frames of one rendered expression, played to and fro if it is shorter."""
    plan = next(p for p in plan_clips(train=0, validation=0, test=44, seed=9) if p.script.kind == "macro")
    frames = list(render_clip(plan, 224)[1])
    return list(islice(cycle(frames + frames[::-1]), FRAMES))


def scene(face: np.ndarray) -> np.ndarray:
    """The face at 1080 x 1080 in the middle of a still, textured room."""
    room = np.random.default_rng(0).integers(60, 180, (27, 48, 3), np.uint8)
    frame = cv2.resize(room, (1920, 1080), interpolation=cv2.INTER_CUBIC)
    frame[:, 420:1500] = cv2.resize(face, (1080, 1080), interpolation=cv2.INTER_CUBIC)
    return frame


def write(path: Path, frames: list[np.ndarray]) -> None:
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "18", "preset": "veryfast", "threads": "1"}
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def timed(path: Path, repeats: int, against: Path | None) -> dict[str, float]:
    """Least CPU seconds of each row, all rows once in each round."""
    summarizer = MotionSummarizer(crop="centre" if "scene" in path.name else "none")
    clip = Clip("a", path.name, "neutral", fps=float(FPS))
    gaps = gaps_of("a", [0.25 + 0.5 * k for k in range(8)], LENGTH_S)
    rows: dict[str, Callable[[], object]] = {
        "the codec alone (limit)": lambda: codec(path),
        "bare decode": lambda: bare(path),
        "grey frames at 128 px, as the summariser decodes": lambda: grey(path, summarizer.crop),
        "summary, decode included": lambda: summarizer.summarize(clip, path, gaps),
        "frames stage, 8 keyframes": lambda: keyframes(path, clip, summarizer.crop),
    }
    best: dict[str, float] = {}
    with other(against) as ask:
        for _ in range(repeats):
            for name, work in rows.items():
                with spent() as parts:
                    started = time.process_time()
                    work()
                    parts[name] = time.process_time() - started
                for part, seconds in parts.items():
                    best[part] = min(best.get(part, np.inf), seconds)
            if ask is not None and "scene" not in path.name:
                name = "summary of the other checkout"
                best[name] = min(best.get(name, np.inf), ask(path))
    best["frames stage and summary"] = best["summary, decode included"] + best["frames stage, 8 keyframes"]
    return best


@contextmanager
def spent() -> Iterator[dict[str, float]]:
    """CPU seconds of each of PARTS while the block runs."""
    seconds: dict[str, float] = {}
    kept = [(module, name, getattr(module, name)) for _, module, name in PARTS]

    def wrap(label: str, function: Callable) -> Callable:
        def wrapped(*arguments, **named):
            started = time.process_time()
            try:
                return function(*arguments, **named)
            finally:
                label_of = f"- of it {label}"
                seconds[label_of] = seconds.get(label_of, 0.0) + time.process_time() - started

        return wrapped

    for (label, _, _), (module, name, function) in zip(PARTS, kept):
        setattr(module, name, wrap(label, function))
    try:
        yield seconds
    finally:
        for module, name, function in kept:
            setattr(module, name, function)


@contextmanager
def other(checkout: Path | None) -> Iterator[Callable[[Path], float] | None]:
    """A function that times the summariser of another checkout on a clip, in its own process."""
    if checkout is None:
        yield None
        return
    environment = {**os.environ, "PYTHONPATH": str(checkout.resolve())}
    command = [sys.executable, "-c", OLD]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=checkout
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        out, back = child.stdin, child.stdout

        def ask(path: Path) -> float:
            out.write(f"{path}\n")
            out.flush()
            return float(json.loads(back.readline()))

        yield ask
        out.close()


def codec(path: Path) -> None:
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "NONE"
        for _ in container.decode(video=0):
            pass


def bare(path: Path) -> None:
    with open_clip(path) as reader, closing(reader._decode()) as pictures:
        for picture in pictures:
            picture.rgb(None, reader._box(picture))


def grey(path: Path, crop: Crop) -> None:
    with open_clip(path) as reader:
        if crop == "centre":
            reader.look = "centre"
        reader.grey(motion.SIZE)


def keyframes(path: Path, clip: Clip, crop: Crop) -> None:
    settings = FrameSettings(between=0, crop=crop)
    ExtractClip(path.parent, settings)(clip)


if __name__ == "__main__":
    main()
