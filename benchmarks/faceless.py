"""How often something is told of clips without any face: a markdown table. Nothing must be.

    python benchmarks/faceless.py --clips 200 --also title_card.mp4

Noise, gradients, patterns, title cards, rolling text, drawn objects, landscapes, streets, rooms, screens, cartoon
animals and people seen from behind.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import cv2

from emotrain.faces.detectors import detector_of
from emotrain.faces.find import find_faces
from emotrain.faces.settings import FaceSettings
from emotrain.progress import track
from emotrain.synthetic.faceless import write_faceless
from emotrain.video.decode import open_clip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="other videos without a face")
    parser.add_argument("--keep", type=Path, help="folder for the clips, used again; else a temporary one")
    arguments = parser.parse_args()
    cv2.setNumThreads(0)
    settings = FaceSettings()
    detector = detector_of(settings)
    told: dict[str, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        videos = write_faceless(arguments.keep or Path(folder), arguments.clips, arguments.seed)
        drawn_s, started = time.process_time() - started, time.process_time()
        videos += arguments.also
        with track("look for faces", len(videos)) as advance:
            for video in videos:
                kind = "yours" if video in arguments.also else video.stem.rpartition("-")[0]
                with open_clip(video) as reader:
                    found = find_faces(reader, settings, detector)
                told[kind]["clips"] += 1
                told[kind]["refused"] += str(found.clip.reason).startswith("no face")
                told[kind]["faces"] += found.clip.faces
                if found.clip.faces:
                    print(f"{video.name}: {found.clip.faces} face(s): {found.clip.reason}")
                advance(1)
        looked_s = time.process_time() - started
    print("| kind | clips | refused by name | faces told |\n|-|-|-|-|")
    told["all"] = sum(told.values(), Counter())
    for kind, row in told.items():
        print(f"| {kind} | {row['clips']} | {row['refused']} | {row['faces']} |")
    print(f"\nCPU a clip: {drawn_s / arguments.clips:.2f} s drawing, {looked_s / len(videos):.2f} s looking")


if __name__ == "__main__":
    main()
