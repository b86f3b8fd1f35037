"""`emotrain study STUDY`: draw or prepare what the arms need, run what is missing, gather what is there.

Locally one call does all three. On a cluster the steps run apart: `--prepare-only` once, then an array job of
`--shard i/n`, each task with the groups of arms that fall to it, then `--report-only`.
"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from emotrain.study.arms import run_arms
from emotrain.study.cells import Cell, cells, shard_of_groups
from emotrain.study.failures import ArmsFailed
from emotrain.study.results import write_results
from emotrain.study.settings import Study
from emotrain.training.manifests import manifest_path
from emotrain.training.preparation import prepare


def run_study(
    study: Study, *, workers: int, shard: tuple[int, int] = (0, 1), prepare_only: bool = False, report: bool = True
) -> Path:
    """Run a study, or one shard of its runs, and return the page of its results (or its folder for a shard).

    What is finished is kept. The results are written even when an arm failed, without that arm; then ArmsFailed is
    raised. Every fault of a recipe is found before the first arm runs.
    """
    every = cells(study)
    for cell in every:
        cell.recipe()
    if shard == (0, 1):
        prepare_study(study, every, workers)
    if prepare_only:
        return study.out
    failure: ArmsFailed | None = None
    try:
        run_arms([[cell.run for cell in group] for group in shard_of_groups(study, *shard)], parallel=workers)
    except ArmsFailed as error:
        failure = error
    page = write_results(study) if report and shard == (0, 1) else study.out
    if failure is not None:
        raise failure
    return page


def prepare_study(study: Study, every: list[Cell], workers: int) -> None:
    """Draw the synthetic clips that the study asks for, then run each preparation that some cell needs, once."""
    if study.clips is not None:
        from emotrain.synthetic.clip_set import write_clip_set

        sizes = study.clips
        write_clip_set(
            study.out / "clips",
            train=sizes["train"],
            validation=sizes["validation"],
            test=sizes["test"],
            seed=sizes["seed"],
            workers=workers,
        )
    done: set[tuple[str, ...]] = set()
    console = Console(stderr=True)
    for cell in every:
        recipe = cell.recipe()
        key = (recipe.data.data, recipe.context.context, recipe.context.summarizer, str(manifest_path(recipe)))
        if key not in done:
            done.add(key)
            console.print(f"[dim]prepare {recipe.data.data} for {cell.arm.name}[/dim]")
            prepare(recipe, workers=workers)
