"""One real smile wherever it lies in the picture, and beside pictures without a face: what an adapter makes of it.

    python benchmarks/real_face.py --adapter runs/demo/arms/enriched_balanced    # of `make demo`
    python benchmarks/real_face.py --adapter ADAPTER --face YOURS.mp4 --card FACELESS.mp4
    python benchmarks/real_face.py --adapter ADAPTER --placements     # 18 sizes and rolls

The clip is read as it is, pasted into 1080p at a third and a sixth of the width, upright and rolled, and joined with a
title card in both orders, a black frame between. A row says the first label, when the first pull of the mouth corners
begins, every event that is told while no face is there, and the cuts that are told (one joint is one cut).
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.inference.recogniser import Reading, load
from emotrain.video.decode import open_clip

REAL = Path(__file__).parents[1].parent / "shared" / "realfaces"
FPS = 30
SMILE = "12"
"""FACS action unit of the pull of the mouth corners."""


PASTED = (
    ("a third of 1080p", 1 / 3, 0),
    ("a sixth of 1080p", 1 / 6, 0),
    ("a third, rolled 20 degrees", 1 / 3, 20),
    ("a sixth, rolled 20 degrees", 1 / 6, 20),
)
"""Name, share of the width, roll in degrees."""

PLACEMENTS = tuple(
    (f"1/{parts} of 1080p, {roll} degrees", 1 / parts, roll)
    for parts, rolls in (
        (3, (0, 10, 20, -20)),
        (6, (0, 10, 20, -20)),
        (4, (-15, -10, 5, 15, 25)),
        (5, (-15, -10, 5, 15, 25)),
    )
    for roll in rolls
)
"""Where else the same face may lie. Nothing was chosen by quarters and fifths."""


def read(video: Path) -> NDArray[np.uint8]:
    with open_clip(video) as clip:
        return clip.frames(range(clip.n_frames))


def write(path: Path, frames: NDArray[np.uint8]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        stream.options = {"crf": "16", "preset": "veryfast"}
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def pasted(frames: NDArray[np.uint8], share: float, roll_deg: float) -> NDArray[np.uint8]:
    """(T, 1080, 1920, 3): the clip at `share` of the width, turned, on soft shapes that are no face."""
    coarse = np.random.default_rng(0).integers(40, 200, (9, 16, 3)).astype(np.uint8)
    scene = cv2.resize(coarse, (1920, 1080), interpolation=cv2.INTER_CUBIC)
    height, width = frames.shape[1:3]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -roll_deg, share * 1920 / width)
    turn[:, 2] += (1200 - width / 2, 500 - height / 2)
    flags, border = cv2.INTER_AREA, cv2.BORDER_TRANSPARENT
    return np.stack([cv2.warpAffine(f, turn, (1920, 1080), scene.copy(), flags, border) for f in frames])


def joined(face: NDArray[np.uint8], card: NDArray[np.uint8], face_first: bool) -> NDArray[np.uint8]:
    """(T, H, W, 3): both clips, the card brought to the face's size, and a black frame between."""
    size = face.shape[2], face.shape[1]
    card = np.stack([cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in card[: 2 * FPS]])
    black = np.zeros_like(face[:1])
    return np.concatenate((face, black, card) if face_first else (card, black, face))


def cases(face: Path, card: Path, folder: Path, many: bool) -> Iterator[tuple[str, Path, tuple[float, float]]]:
    """(name, video, seconds in which the face is there)."""
    frames, blank = read(face), read(card)
    seconds = len(frames) / FPS
    if many:
        for name, share, roll_deg in PLACEMENTS:
            yield name, write(folder / "case.mp4", pasted(frames, share, roll_deg)), (0.0, seconds)
        return
    yield "as it is", face, (0.0, seconds)
    for name, share, roll_deg in PASTED:
        yield name, write(folder / "case.mp4", pasted(frames, share, roll_deg)), (0.0, seconds)
    for name, first in (("face, then title card", True), ("title card, then face", False)):
        video = joined(frames, blank, first)
        start = 0.0 if first else (len(video) - len(frames)) / FPS
        yield name, write(folder / "case.mp4", video), (start, start + seconds)


def row(name: str, reading: Reading, there: tuple[float, float]) -> str:
    label, share = max(reading.probabilities.items(), key=lambda pair: pair[1])
    smiles = [event.onset_s - there[0] for event in reading.events if SMILE in event.action_units]
    outside = sum(event.onset_s < there[0] - 0.05 or event.offset_s > there[1] + 0.05 for event in reading.events)
    cuts = " ".join(gap.text for gap in reading.gaps).count("cut to another shot")
    onset = f"{min(smiles):.2f} s" if smiles else "not told"
    return f"| {name} | {label} {share:.0%} | {onset} | {outside} | {cuts} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", type=Path, required=True)
    parser.add_argument("--face", type=Path, default=REAL / "single_face.mp4")
    parser.add_argument("--card", type=Path, default=REAL / "no_face.mp4")
    parser.add_argument("--placements", action="store_true", help="18 sizes and rolls instead")
    options = parser.parse_args()
    recogniser = load(options.adapter, device="cpu")
    print("| clip | first label | smile begins | events without a face | cuts |\n|-|-|-|-|-|")
    with tempfile.TemporaryDirectory() as folder:
        for name, video, there in cases(options.face, options.card, Path(folder), options.placements):
            print(row(name, recogniser.predict(video), there))


if __name__ == "__main__":
    main()
