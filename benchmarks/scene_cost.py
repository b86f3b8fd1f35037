"""What a scene costs: the same drawn clips read as aligned crops and in scenes, by the same adapters.

    python benchmarks/scene_cost.py --adapter runs/demo/arms/enriched_balanced --clips 440 --seed 94117 --keep CLIPS

The adapters were trained on aligned crops; nothing of a scene was ever shown to them. Clips of both kinds are drawn
from the same plan: the same people do the same at the same times. A clip that is refused (no face) has no answer and so
is wrong. With several adapters (seeds of one arm) figures are their means. The interval takes people for units.
`--keep` keeps the clips and each answer, so a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from emotrain.clip_errors import ClipError
from emotrain.inference.recogniser import Recogniser, load
from emotrain.metrics.resampling import Sample, draw, interval
from emotrain.metrics.scores import uar
from emotrain.progress import track
from emotrain.synthetic.clip_plan import ClipPlan, plan_clips
from emotrain.synthetic.clip_set import write_clip_set
from emotrain.synthetic.scene_plan import SceneSettings
from emotrain.synthetic.scene_set import read_scene_truth, scene_path

KINDS = ("aligned", "scene")
CUT = "cut to another shot"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", type=Path, nargs="+", required=True)
    parser.add_argument("--clips", type=int, default=440)
    parser.add_argument("--seed", type=int, default=94117, help="of the clips; none that training has seen")
    parser.add_argument("--keep", type=Path, help="folder for clips and answers; else a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = options.keep if options.keep is not None else Path(folder)
        sizes = {"train": 0, "validation": 0, "test": options.clips, "seed": options.seed}
        write_clip_set(root, **sizes, scenes=SceneSettings())
        plans = plan_clips(**sizes)
        answers = {kind: [answered(adapter, kind, plans, root) for adapter in options.adapter] for kind in KINDS}
    show(plans, answers)


def answered(adapter: Path, kind: str, plans: list[ClipPlan], root: Path) -> dict[str, str]:
    """The first label of every clip by its id, "" for one that was refused."""
    table = root / f"{kind}-{adapter.parent.name}-{adapter.name}.csv"
    done = dict(csv.reader(table.open())) if table.exists() else {}
    todo = [plan for plan in plans if plan.clip_id not in done]
    recogniser = load(adapter, device="cpu") if todo else None
    with table.open("a") as file, track(f"{kind}, {adapter.name}", len(todo)) as advance:
        for plan in todo:
            assert recogniser is not None
            done[plan.clip_id] = first_label(recogniser, root, plan, kind)
            csv.writer(file).writerow([plan.clip_id, done[plan.clip_id]])
            file.flush()
            advance(1)
    return done


def first_label(recogniser: Recogniser, root: Path, plan: ClipPlan, kind: str) -> str:
    video = root / plan.clip.path if kind == "aligned" else scene_path(root, plan.clip_id)
    try:
        reading = recogniser.predict(video)
    except ClipError as error:
        print(f"{plan.clip_id} {kind}: {error}")
        return ""
    told = " ".join(gap.text for gap in reading.gaps).count(CUT)
    true = len(read_scene_truth(root, plan.clip_id).cuts_s) if kind == "scene" else 0
    if told > true:
        print(f"{plan.clip_id} {kind}: {told} cuts told, {true} made")
    return reading.label


def show(plans: list[ClipPlan], answers: dict[str, list[dict[str, str]]]) -> None:
    labels = sorted({plan.clip.label for plan in plans})
    number = {label: i for i, label in enumerate(labels)}
    people = np.unique([plan.subject for plan in plans], return_inverse=True)[1]
    sample = Sample(np.array([number[plan.clip.label] for plan in plans]), len(labels), people)
    systems = {
        kind: [np.array([number.get(of_seed[plan.clip_id], len(labels)) for plan in plans]) for of_seed in of_kind]
        for kind, of_kind in answers.items()
    }
    drawn = draw(sample, systems, lambda matrix: {"uar": uar(matrix)})
    print("| clips | UAR, % | refused |\n|-|-|-|")
    for kind in KINDS:
        of_seeds = " ".join(f"{100 * value:.1f}" for value in drawn[kind].values[:, 0])
        refused = sum(answer == "" for of_seed in answers[kind] for answer in of_seed.values())
        print(f"| {kind} | {100 * drawn[kind].values[:, 0].mean():.1f} ({of_seeds}) | {refused} |")
    value, draws = (getattr(drawn["scene"], part) - getattr(drawn["aligned"], part) for part in ("values", "draws"))
    lost = interval(value.mean(), draws.mean(axis=(0, 2)), least=-1.0)
    points = [f"{100 * lost[name]:+.1f}" for name in ("value", "low", "high")]
    print("| scene less aligned | {} ({} to {}) | |".format(*points))


if __name__ == "__main__":
    main()
