"""`emotrain study STUDY`: draw or prepare what the arms need, run what is missing, gather what is there.

Locally one call does all three. On a cluster the steps run apart: `--prepare-only` once, then an array job of
`--shard i/n`, each task with the groups of arms that fall to it, then `--report-only`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from emotrain.examples.manifests import manifest_path
from emotrain.examples.summaries import is_written_by_recipe, summary_options
from emotrain.preparation.prepare import prepare
from emotrain.study.arms import run_arms
from emotrain.study.cells import Cell, cells, groups
from emotrain.study.failures import ArmsFailed
from emotrain.study.fresh import run_fresh
from emotrain.study.results import write_results
from emotrain.study.settings import Study


def run_study(study: Study, *, workers: int, shard: tuple[int, int] = (0, 1), prepare_only: bool = False) -> Path:
    """Run a study, or one shard of its runs, and return the page of its results (or its folder for a shard).

    What is finished is kept. `workers` processes prepare; arms then run one on each visible GPU, or `workers` at a time
    where recipes train on the CPU. The results are written even when an arm failed, without that arm; then ArmsFailed
    is raised. ArmsStopped when a batch script asked for a stop. Every fault of a recipe is found before the first arm
    runs.
    """
    every = cells(study)
    if shard == (0, 1):
        prepare_study(study, every, workers)
    if prepare_only:
        return study.out
    on_cpu = all(cell.run.recipe.sft.use_cpu for cell in every)
    failure: ArmsFailed | None = None
    try:
        mine = [[cell.run for cell in group] for group in groups(every)[shard[0] :: shard[1]]]
        run_arms(mine, parallel=workers if on_cpu else 1, gpus=() if on_cpu else visible_gpus())
    except ArmsFailed as error:
        failure = error
    if shard == (0, 1) and failure is None:
        run_fresh(study, every, workers=workers, gpus=() if on_cpu else visible_gpus())
    page = write_results(study, every) if shard == (0, 1) else study.out
    if failure is not None:
        raise failure
    return page


def visible_gpus() -> tuple[str, ...]:
    """The GPUs that this process may use, as entries of CUDA_VISIBLE_DEVICES."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return tuple(word.strip() for word in named.split(",") if word.strip())
    import torch

    return tuple(str(number) for number in range(torch.cuda.device_count()))


def prepare_study(study: Study, every: Sequence[Cell], workers: int) -> None:
    """Draw the synthetic clips that the study asks for, then run each preparation that some cell needs, once."""
    if study.clips is not None:
        from emotrain.synthetic.clip_set import write_clip_set
        from emotrain.synthetic.scene_plan import SceneSettings

        sizes = study.clips
        write_clip_set(
            study.out / "clips",
            train=sizes["train"],
            validation=sizes["validation"],
            test=sizes["test"],
            seed=sizes["seed"],
            workers=workers,
            scenes=SceneSettings(width=sizes["scenes"]) if "scenes" in sizes else None,
            **study.drawing,
        )
    done: set[tuple[str, ...]] = set()
    console = Console(stderr=True)
    for cell in every:
        recipe = cell.run.recipe
        words = summary_options(recipe.context) if is_written_by_recipe(recipe.context) else {}
        key = (recipe.data.data, recipe.context.summarizer, repr(sorted(words.items())), str(manifest_path(recipe)))
        if key not in done:
            done.add(key)
            console.print(Text(f"prepare {recipe.data.data} for {cell.arm.name}", style="dim"))
            prepare(recipe, workers=workers)
