"""Eighteen drawn clips in the layout of people's own data: a folder of videos and clips.csv."""

from __future__ import annotations

import csv
from pathlib import Path

from emotrain.atomic_files import replacing
from emotrain.progress import track
from emotrain.synthetic.clip_plan import plan_clips
from emotrain.synthetic.clip_set import render_clip
from emotrain.synthetic.h264 import write_mp4
from emotrain.synthetic.performance import FPS

LABELS = ("happiness", "surprise", "disgust")
SIDE_PX = 128
_SEED = 17


def write_sample(root: Path) -> int:
    """Draw the clips, two a class in each of train, validation and test, no person in two of them; returns how many.

    `root/clips.csv` has the columns path, label, split and subject, as docs/datasets.md describes them for one's own.
    """
    plans = plan_clips(label_set_name="dfew", train=14, validation=14, test=14, seed=_SEED)
    plans = [plan for plan in plans if plan.script.label in LABELS]
    (root / "videos").mkdir(parents=True)
    rows = []
    with track("draw sample clips", len(plans)) as advance:
        for plan in plans:
            path = f"videos/{plan.clip_id}.mp4"
            write_mp4(render_clip(plan, SIDE_PX)[1], root / path, SIDE_PX, FPS)
            rows.append((path, plan.script.label, plan.split, plan.subject))
            advance(1)
    with replacing(root / "clips.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "split", "subject"), *rows])
    return len(rows)
