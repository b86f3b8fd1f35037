"""How well the stage `faces` meets drawn scenes, whose truth is known: a markdown table.

    python benchmarks/scenes.py --clips 100 --seed 404

Scenes have pans and hand-held cameras, roll, a second person, people who leave and come back, cuts, posters (still
faces among them), words and screens that play. Told are cuts found and invented, the time in which the right face was
seen, and how far the smoothed landmarks stray from where they usually lie on the same face.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.faces.detectors import detector_of
from emotrain.faces.find import find_faces
from emotrain.faces.path import FacePath
from emotrain.faces.settings import FaceSettings
from emotrain.progress import track
from emotrain.synthetic.clip_plan import plan_clips
from emotrain.synthetic.clip_set import write_clip_set
from emotrain.synthetic.scene_plan import SceneSettings, plan_scene
from emotrain.synthetic.scene_set import read_scene_truth, scene_path
from emotrain.synthetic.scene_tracks import SceneTruth
from emotrain.video.decode import open_clip

SAME_CUT_S = 0.05
RIGHT_FACE = 0.5
"""A face whose landmarks lie within so many eye distances of the true ones is the right one."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--seed", type=int, default=404)
    parser.add_argument("--width", type=int, default=960)
    parser.add_argument("--detect", type=int, default=640, help="size at which the whole frame is looked at")
    parser.add_argument("--keep", type=Path, help="folder for the clips, used again; else a temporary one")
    arguments = parser.parse_args()
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as folder:
        root = arguments.keep if arguments.keep is not None else Path(folder)
        settings = SceneSettings(width=arguments.width)
        sizes = {"train": 0, "validation": 0, "test": arguments.clips, "seed": arguments.seed}
        write_clip_set(root, **sizes, scenes=settings, aligned=False)
        _table(root, sizes, settings, arguments.detect)


def _table(root: Path, sizes: dict[str, int], settings: SceneSettings, detect: int) -> None:
    faces = FaceSettings(size=detect)
    detector = detector_of(faces)
    count: Counter[str] = Counter()
    bias: list[NDArray[np.float64]] = []
    stray: list[NDArray[np.float64]] = []
    looks: list[int] = []
    plans = plan_clips(**sizes)
    started = time.process_time()
    with track("find faces", len(plans)) as advance:
        for plan in plans:
            truth, happening = read_scene_truth(root, plan.clip_id), plan_scene(plan, settings).happening
            with open_clip(scene_path(root, plan.clip_id)) as reader:
                found = find_faces(reader, faces, detector)
            looks.append(len(found.clip.looks_s))
            _cuts(count, truth, found.clip.cuts_s)
            path = found.path()
            count["clips"] += 1
            count["clips with a face told"] += path is not None
            count["frames with the face"] += int(truth.seen.sum())
            if path is not None:
                off = _off(path, truth)
                told = path.seen_at(truth.time_s.astype(np.float64))
                right = told & truth.seen & (np.linalg.norm(off, axis=2).mean(1) < RIGHT_FACE)
                count["right"] += int(right.sum())
                count["told while nobody is there"] += int((told & ~truth.seen & np.isnan(truth.box[:, 0])).sum())
                count["wrong person"] += int((told & truth.seen & ~right).sum())
                if right.any():
                    bias.append(off[right].mean(0))
                    stray.append(np.linalg.norm(off[right] - off[right].mean(0), axis=2))
                if not right[truth.seen].mean() > 0.9:
                    print(f"{plan.clip_id} {happening}: face {right[truth.seen].mean():.0%} of the time seen")
            advance(1)
    spent, frames = time.process_time() - started, count["frames with the face"]
    where, off_path = np.mean(bias, axis=0), np.concatenate(stray)
    print("| what | figure |\n|-|-|")
    print(f"| clips, cuts | {count['clips']}, {count['cuts']} |")
    print(f"| cuts found, cuts invented | {count['found']}, {count['invented']} |")
    print(f"| clips told to have a face | {count['clips with a face told']} |")
    print(f"| of the time in which the face shows: told, right person | {count['right'] / frames:.1%} |")
    print(f"| the same: told, another person or place | {count['wrong person'] / frames:.2%} |")
    print(f"| frames told in shots without the person | {count['told while nobody is there']} |")
    along, across = where.mean(axis=0)
    print(f"| landmarks, mean way from the true ones, eye distances | {along:+.3f}, {across:+.3f} |")
    eyes = off_path[:, :2]
    print(f"| eyes stray from that by, eye distances: mean, 95 % | {eyes.mean():.3f}, {np.quantile(eyes, 0.95):.3f} |")
    print(f"| looked-at frames a clip | {np.mean(looks):.0f} |")
    print(f"| CPU a clip, decoding included | {spent / count['clips']:.2f} s |")


def _cuts(count: Counter[str], truth: SceneTruth, found_s: tuple[float, ...]) -> None:
    true_s = [float(cut) for cut in truth.cuts_s]
    hit = [cut for cut in true_s if any(abs(cut - other) <= SAME_CUT_S for other in found_s)]
    count["cuts"] += len(true_s)
    count["found"] += len(hit)
    count["invented"] += sum(all(abs(cut - other) > SAME_CUT_S for cut in true_s) for other in found_s)


def _off(path: FacePath, truth: SceneTruth) -> NDArray[np.float64]:
    """(T, 5, 2) way from the true landmarks to the told ones, in true eye distances along and across the eyes."""
    times, aspect = truth.time_s.astype(np.float64), np.array([1.0, 9 / 16])
    told = np.stack(
        [[np.interp(times, path.times_s, path.landmarks[:, k, axis]) for axis in range(2)] for k in range(5)]
    )
    true = truth.landmarks.astype(np.float64) * aspect
    eyes = true[:, 1] - true[:, 0]
    apart = np.linalg.norm(eyes, axis=1)[:, None, None]
    away = (np.moveaxis(told, 2, 0) * aspect - true) / apart
    along = eyes[:, None] / apart
    across = np.stack([-along[..., 1], along[..., 0]], -1)
    return np.stack([(away * along).sum(-1), (away * across).sum(-1)], -1)


if __name__ == "__main__":
    main()
