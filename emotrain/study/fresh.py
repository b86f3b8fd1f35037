"""Clips that nobody has looked at: a study's arms on further synthetic test sets, with mean and s.d. over them.

A test set that was looked at through all development is no longer one. Where clips are drawn, further sets cost
minutes: the arms of the declared contrasts are scored with the adapters they have, on sets of seeds used nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from emotrain.emotions import Group
from emotrain.evaluation.evaluate import METRICS, PREDICTIONS
from emotrain.evaluation.headline import percent
from emotrain.metrics.predictions import read_predictions
from emotrain.metrics.scores import statistics, table_confusion
from emotrain.preparation.prepare import prepare
from emotrain.recipe.recipe import load_recipe
from emotrain.study.arms import Arm, run_arms
from emotrain.study.cells import Cell, frames_name, yaml_word
from emotrain.study.settings import Study
from emotrain.synthetic.clip_set import write_clip_set

_LEAST = 22  # training clips that a set must have to be one; no arm here reads them
SHOWN = (("uar", "UAR"), ("tail_f1", "Tail F1"))


def run_fresh(study: Study, every: Sequence[Cell], *, workers: int, gpus: Sequence[str] = ()) -> None:
    """Draw, prepare and score what is missing; raises ArmsFailed when an arm cannot be scored."""
    if study.fresh is None:
        return
    arms = [fresh_arm(study, cell, seed) for seed in study.fresh["seeds"] for cell in _mine(study, every)]
    for seed in study.fresh["seeds"]:
        write_clip_set(
            _clips(study, seed),
            train=_LEAST,
            validation=_LEAST,
            test=study.fresh["test"],
            seed=seed,
            workers=workers,
            **study.drawing,
        )
    for arm in {arm.recipe.data.data + str(arm.recipe.context.context): arm for arm in arms}.values():
        prepare(arm.recipe, workers=workers)
    run_arms([[arm] for arm in arms], parallel=workers, gpus=gpus)


def fresh_arm(study: Study, cell: Cell, seed: int) -> Arm:
    """The cell's system on the fresh set of a seed."""
    run = cell.run
    home = study.out / "fresh" / f"seed{seed}"
    overrides = [*run.overrides, "--root", yaml_word(str(_clips(study, seed)))]
    recipe = load_recipe(study.recipe, overrides)
    data = str(home / "data" / frames_name(recipe.data.frame_settings()))
    recipe = replace(recipe, data=replace(recipe.data, data=data), values={**recipe.values, "data": data})
    adapter = run.output if run.trained else run.adapter
    scores = run.scores.parent / f"fresh-seed{seed}"
    return Arm(recipe, (*overrides, "--data", yaml_word(data)), scores, trained=False, adapter=adapter)


def fresh_table(study: Study, every: Sequence[Cell], groups: dict[str, Group]) -> str:
    """Mean and s.d. over the fresh sets of each arm, a figure being the mean over its trainings; "" without any."""
    if study.fresh is None:
        return ""
    rows: dict[str, list[list[dict[str, float]]]] = {}
    for cell in _mine(study, every):
        arms = [fresh_arm(study, cell, seed) for seed in study.fresh["seeds"]]
        if all((arm.scores / METRICS).exists() for arm in arms):
            rows.setdefault(cell.arm.name, []).append([_figures(arm.scores, groups) for arm in arms])
    if not rows:
        return ""
    seeds = study.fresh["seeds"]
    # Few training clips have no rare class to speak of.
    every_set = [one for trainings in rows.values() for of_seed in trainings for one in of_seed]
    shown = [(key, name) for key, name in SHOWN if all(key in one for one in every_set)]
    lines = ["", "| arm, on fresh clips | " + " | ".join(name for _, name in shown) + " |", "|-|" + "-|" * len(shown)]
    for name, trainings in rows.items():
        cells = []
        for key, _ in shown:
            over_sets = np.array([[one[key] for one in of_seed] for of_seed in trainings]).mean(axis=0)
            cells.append(f"{percent(float(over_sets.mean()))} ±{percent(float(over_sets.std(ddof=1)))}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    said = f"{study.fresh['test']} clips of each of the seeds {', '.join(map(str, seeds))}, used nowhere else"
    return "\n".join([*lines, "", f"Mean ± s.d. over {len(seeds)} further test sets: {said}."]) + "\n"


def _mine(study: Study, every: Sequence[Cell]) -> list[Cell]:
    """The cells whose arm stands in a contrast and needs neither training clips nor a server to be scored."""
    named = {name for one in study.contrasts for name in (one.first, one.second)}
    return [
        cell
        for cell in every
        if cell.arm.name in named
        and cell.run.baseline is None
        and cell.run.server is None
        and cell.run.recipe.evaluation.head == "none"
        and cell.run.recipe.evaluation.posthoc in ("none", "training_prior")
    ]


def _clips(study: Study, seed: int) -> Path:
    return study.out / "fresh" / f"seed{seed}" / "clips"


def _figures(folder: Path, groups: dict[str, Group]) -> dict[str, float]:
    """Figures of one set; head, medium and tail are those of the study's training clips, not of the fresh set's."""
    table = read_predictions(folder / PREDICTIONS)
    found = statistics(table_confusion(table), table.labels, groups)
    return {key: float(found[key]) for key, _ in SHOWN if key in found}
