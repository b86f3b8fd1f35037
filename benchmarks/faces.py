"""What finding faces costs beside telling motion, and how close the aligned crop stays to the face, in one run.

    python benchmarks/faces.py                      # ../shared/realfaces, or --video YOUR.mp4
    python benchmarks/faces.py --video a.mp4 --repeats 5

Costs are CPU milliseconds for the whole clip on one thread, decoding included, the least of several repeats. The crop
is judged in two ways: against a run that looks at every frame, and, with a still picture of the face that is moved
through a scene in a known way, against where it really is. Both in percent of the distance between the eyes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

os.environ["OMP_NUM_THREADS"] = "1"

import av
import cv2
import numpy as np

from emotrain.context.motion_backend import MotionSummarizer
from emotrain.faces import looking
from emotrain.faces.detectors import Detector, detector_of
from emotrain.faces.find import FoundFaces, find_faces
from emotrain.faces.path import FacePath
from emotrain.faces.settings import FaceSettings
from emotrain.records import Clip
from emotrain.video.decode import open_clip
from emotrain.video.framing import Followed

REAL = Path(__file__).parents[1].parent / "shared" / "realfaces"
CROP = np.array([[35.5, 40.0], [64.5, 40.0], [50.0, 72.0]])
"""Both eyes and the mouth in an aligned crop of 100 pixels."""

EYES = 29.0
MOVES = {
    "still": lambda t: (0 * t, 0 * t, 0 * t),
    "sways": lambda t: (0.4 * np.sin(2.5 * t), 0.2 * np.sin(3.8 * t + 1), 5 * np.sin(2.5 * t)),
    "rolled by 20 degrees": lambda t: (0 * t, 0 * t, 20 + 0 * t),
    "nods fast": lambda t: (0.1 * np.sin(4.4 * t), 0.35 * np.sin(9.4 * t), 3 * np.sin(6.9 * t)),
}
"""Shift to the right and down in distances between the eyes, and roll in degrees, over time in seconds."""


def found_in(video: Path, detector: Detector) -> FoundFaces:
    with open_clip(video) as reader:
        return find_faces(reader, FaceSettings(), detector)


def motion_of(video: Path, path: FacePath) -> None:
    """What the stage after it does: the motion of the face that was found."""
    MotionSummarizer().seen(Clip(video.stem, video.name, ""), video, Followed(path))


def cpu_ms(job: Callable[[], object], repeats: int) -> float:
    least = np.inf
    for _ in range(repeats):
        start = time.process_time()
        job()
        least = min(least, time.process_time() - start)
    return 1000 * least


def write(path: Path, frames: np.ndarray, fps: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        for image in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def apart(path: FacePath, other: FacePath, times_s: np.ndarray, width: int, height: int) -> np.ndarray:
    """(T, 3) how far `path` puts what `other` puts on CROP, in percent of the distance between the eyes."""
    ours, theirs = (p.matrices(times_s, width, height, 100).astype(float) for p in (path, other))
    back = np.stack([cv2.invertAffineTransform(matrix) for matrix in theirs])
    there = CROP @ back[:, :, :2].transpose(0, 2, 1) + back[:, None, :, 2]
    here = there @ ours[:, :, :2].transpose(0, 2, 1) + ours[:, None, :, 2]
    return 100 / EYES * np.linalg.norm(here - CROP, axis=2)


def moved(video: Path, kind: str, out: Path, detector: Detector, seconds: float = 4.0) -> tuple[float, float]:
    """Median and 95th percentile of how far the crop of a moved still picture strays from its middle place."""
    with open_clip(video) as reader:
        still = reader.frames([0], 640)[0]
    height, width = still.shape[:2]
    face = found_in(write(out / "still.mp4", np.repeat(still[None], 30, 0), 30), detector).path()
    assert face is not None
    points = face.landmarks[0, :3] * (width, height)
    eyes = float(face.eye_distance_px[0]) * width / 640
    t = np.arange(round(seconds * 30)) / 30
    right, down, roll = MOVES[kind](t)
    maps = []
    for x, y, degrees in zip(right * eyes, down * eyes, roll):
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
        turn[:, 2] += (320 + x, 180 + y)
        maps.append(turn)
    scene = cv2.resize(np.random.default_rng(0).integers(40, 200, (9, 16, 3)).astype(np.uint8), (1280, 720))
    frames = np.stack(
        [cv2.warpAffine(still, m, (1280, 720), dst=scene.copy(), borderMode=cv2.BORDER_TRANSPARENT) for m in maps]
    )
    path = found_in(write(out / "moved.mp4", frames, 30), detector).path()
    assert path is not None
    matrices = path.matrices(t, 1280, 720, 100).astype(float)
    true = np.stack([points @ m[:, :2].T + m[:, 2] for m in maps])
    landed = true @ matrices[:, :, :2].transpose(0, 2, 1) + matrices[:, None, :, 2]
    off = 100 / EYES * np.linalg.norm(landed - np.median(landed, axis=0), axis=2)
    return float(np.median(off)), float(np.percentile(off, 95))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, default=REAL / "single_face.mp4")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    detector: Detector = detector_of(FaceSettings())  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        with open_clip(args.video) as reader:
            frames, times_s, fps = reader.frames(range(reader.n_frames), 640), reader.times_s, round(reader.fps)
        height, width = frames.shape[1:3]
        large = np.stack([cv2.resize(frame, (1920, 1080)) for frame in frames[: 2 * fps]])
        print(f"{args.video.name}: {len(frames)} frames\n")
        print("| clip | faces, ms | motion, ms | ratio | looks |\n|-|-|-|-|-|")
        for name, video in (("as it is", args.video), ("1080p", write(out / "large.mp4", large, fps))):
            faces = cpu_ms(lambda video=video: found_in(video, detector), args.repeats)  # type: ignore[misc]
            found = found_in(video, detector)
            path, looks = found.path(), len(found.clip.looks_s)
            if path is None:
                raise SystemExit(f"{video}: no face to align")
            motion = cpu_ms(lambda video=video, path=path: motion_of(video, path), args.repeats)  # type: ignore[misc]
            print(f"| {name} | {faces:.0f} | {motion:.0f} | {faces / motion:.2f} | {looks} |", flush=True)
        path = found_in(args.video, detector).path()
        with patch.multiple(looking, MOVING_S=1e-3, STILL_S=1e-3):
            every = found_in(args.video, detector).path()
        if path is None or every is None:
            raise SystemExit(f"{args.video}: no face to align")
        off = apart(path, every, times_s, width, height)
        print("\n| crop | median, % | 95th percentile, % |\n|-|-|-|")
        print(f"| against looking at every frame | {np.median(off):.1f} | {np.percentile(off, 95):.1f} |", flush=True)
        for kind in MOVES:
            middle, most = moved(args.video, kind, out, detector)
            print(f"| a picture that {kind} | {middle:.1f} | {most:.1f} |", flush=True)


if __name__ == "__main__":
    main()
