"""How well events are found when the picture misbehaves: a markdown table.

    python benchmarks/motion_robustness.py --clips 44 --seed 303

Every rendered clip is shown once as it is and once with each disturbance. "shots off" is the same summariser without
the search for cuts, flashes and light steps.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq

from emotrain.motion.clip_events import clip_events
from emotrain.motion.face_motion import SIZE, face_motion
from emotrain.motion.spotting import spot
from emotrain.progress import track
from emotrain.records import Event
from emotrain.synthetic.clip_set import write_clip_set
from emotrain.video.decode import open_clip

Film = tuple[np.ndarray, np.ndarray]


def lit(grey: np.ndarray, gain: np.ndarray | float) -> np.ndarray:
    return np.clip(grey * gain, 0, 255).astype(np.uint8)


def flashes(grey: np.ndarray, times_s: np.ndarray, shown: np.ndarray) -> Film:
    """Two flashes of a tenth of a second that burn most of the picture out."""
    grey = grey.copy()
    for start in (len(grey) // 3, 2 * len(grey) // 3):
        grey[start : start + 3] = np.clip(grey[start : start + 3] * 1.8 + 40, 0, 255).astype(np.uint8)
    return grey, times_s


def black_frames(grey: np.ndarray, times_s: np.ndarray, shown: np.ndarray) -> Film:
    grey = grey.copy()
    for start in (len(grey) // 3, 2 * len(grey) // 3):
        grey[start : start + 3] = 2
    return grey, times_s


def strobe(grey: np.ndarray, times_s: np.ndarray, shown: np.ndarray) -> Film:
    """Five times a second, a tenth of a second at 45 % of the light."""
    dim = (np.arange(len(grey)) // 3) % 2 == 1
    return lit(grey, np.where(dim, 0.45, 1.0)[:, None, None]), times_s


def lamp_on(grey: np.ndarray, times_s: np.ndarray, shown: np.ndarray) -> Film:
    after = np.arange(len(grey)) >= len(grey) // 2
    return lit(grey, np.where(after, 1.4, 1.0)[:, None, None]), times_s


def lamp_off(grey: np.ndarray, times_s: np.ndarray, shown: np.ndarray) -> Film:
    after = np.arange(len(grey)) >= len(grey) // 2
    return lit(grey, np.where(after, 0.45, 1.0)[:, None, None]), times_s


def side_lamp(grey: np.ndarray, times_s: np.ndarray, shown: np.ndarray) -> Film:
    """From the middle of the clip on, light falls from one side."""
    ramp = np.linspace(1.35, 0.7, SIZE)[None, None]
    after = (np.arange(len(grey)) >= len(grey) // 2)[:, None, None]
    return lit(grey, np.where(after, ramp, 1.0)), times_s


def slow_fade(grey: np.ndarray, times_s: np.ndarray, shown: np.ndarray) -> Film:
    return lit(grey, np.linspace(1.25, 0.5, len(grey))[:, None, None]), times_s


def very_dark(grey: np.ndarray, times_s: np.ndarray, shown: np.ndarray) -> Film:
    return lit(grey, 0.12), times_s


def cut(grey: np.ndarray, times_s: np.ndarray, shown: np.ndarray) -> Film:
    """Another person, at rest, follows for two thirds of a second."""
    noise = np.random.default_rng(0).normal(0, 1.5, (20, SIZE, SIZE))
    after = np.clip(shown + noise, 0, 255).astype(np.uint8)
    return np.concatenate([grey, after]), np.concatenate([times_s, times_s[-1] + np.arange(1, 21) / 30])


def every_second_frame(grey: np.ndarray, times_s: np.ndarray, shown: np.ndarray) -> Film:
    return grey[::2], times_s[::2]


def fps_12(grey: np.ndarray, times_s: np.ndarray, shown: np.ndarray) -> Film:
    kept = np.arange(0, len(grey) - 1, 2.4).round().astype(int)
    return grey[kept], times_s[kept]


DISTURBANCES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], Film]] = {
    "none": lambda grey, times_s, shown: (grey, times_s),
    "two flashes": flashes,
    "black frames": black_frames,
    "strobe": strobe,
    "lamp on": lamp_on,
    "lamp off": lamp_off,
    "side lamp": side_lamp,
    "slow fade": slow_fade,
    "12 % of the light": very_dark,
    "cut to another person": cut,
    "15 frames/s": every_second_frame,
    "12.5 frames/s": fps_12,
}


def iou(a: Event, b: Event) -> float:
    both = min(a.offset_s, b.offset_s) - max(a.onset_s, b.onset_s)
    return max(both, 0.0) / (max(a.offset_s, b.offset_s) - min(a.onset_s, b.onset_s))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=44)
    parser.add_argument("--seed", type=int, default=303)
    arguments = parser.parse_args()
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_clip_set(root, train=0, validation=0, test=arguments.clips, seed=arguments.seed)
        rows = pq.read_table(root / "annotations.parquet").to_pylist()
        films = []
        for row in rows:
            with open_clip(root / row["path"]) as reader:
                films.append((reader.grey(SIZE), reader.times_s))
    subjects = [row["subject"] for row in rows]
    others = [films[another(subjects, i)][0][0] for i in range(len(rows))]
    print(f"seed {arguments.seed}, {len(rows)} clips\n")
    print("| disturbance | F1 | TP | FP | FN | cuts | F1, shots off |\n|-|-|-|-|-|-|-|")
    with track("disturb", len(DISTURBANCES) * len(rows)) as advance:
        for name, disturb in DISTURBANCES.items():
            found, plain = np.zeros(3, int), np.zeros(3, int)
            cuts = 0
            for row, film, other in zip(rows, films, others):
                grey, times_s = disturb(*film, other)
                truth = [Event(**event) for event in row["events"]]
                seen = clip_events(grey, times_s)
                cuts += len(seen.cuts_s)
                found += counts(list(seen.events), truth)
                plain += counts(spot(face_motion(grey, times_s))[0], truth)
                advance(1)
            print(f"| {name} | {f1(found)} | {found[0]} | {found[1]} | {found[2]} | {cuts} | {f1(plain)} |", flush=True)


def another(subjects: list[str], i: int) -> int:
    """The next clip of the list that shows somebody else."""
    later = [(i + k) % len(subjects) for k in range(1, len(subjects))]
    return next(j for j in later if subjects[j] != subjects[i])


def counts(events: list[Event], truth: list[Event]) -> np.ndarray:
    hits = sum(iou(event, real) >= 0.5 for event in events for real in truth)
    return np.array([hits, len(events) - hits, len(truth) - hits])


def f1(found: np.ndarray) -> str:
    return f"{2 * found[0] / max(2 * found[0] + found[1] + found[2], 1):.3f}"


if __name__ == "__main__":
    main()
