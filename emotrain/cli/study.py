"""`emotrain study`: a grid of arms, folds and seeds from one file."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from emotrain.cli.options import Workers


def study(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Study YAML; --key value goes to all its recipes.", metavar="STUDY")],
    out: Annotated[Path | None, typer.Option(help="Folder of the study instead of its own `out`.")] = None,
    shard: Annotated[
        str, typer.Option(help="Part of an array job: 3/64 runs every 64th group of arms from 3.")
    ] = "0/1",
    prepare_only: Annotated[bool, typer.Option("--prepare-only", help="Clips, frames, summaries, manifests.")] = False,
    report_only: Annotated[bool, typer.Option("--report-only", help="Gather what the arms have written.")] = False,
    count: Annotated[bool, typer.Option("--count", help="Print how many groups of arms there are, and stop.")] = False,
    workers: Workers = None,
) -> None:
    """Run the arms of a study that are missing; one table with paired differences, and figures.

    Exit status 75: stopped by a signal, run it again.
    """
    from emotrain.recipe.recipe import parse_overrides
    from emotrain.stages.parts import parse_shard
    from emotrain.study.cells import cells, group_count
    from emotrain.study.failures import ArmsStopped
    from emotrain.study.results import write_results
    from emotrain.study.run import run_study
    from emotrain.study.settings import read_study
    from emotrain.training.preemption import STATUS

    settings = read_study(file, parse_overrides(context.args))
    if out is not None:
        settings = replace(settings, out=out)
    if count:
        typer.echo(group_count(settings))
        return
    if report_only:
        typer.echo(f"results {write_results(settings, cells(settings))}")
        return
    cores = workers if workers is not None else len(os.sched_getaffinity(0))
    try:
        found = run_study(settings, workers=cores, shard=parse_shard(shard), prepare_only=prepare_only)
    except ArmsStopped as stop:
        typer.echo(f"emotrain: {stop}", err=True)
        raise typer.Exit(STATUS) from None
    typer.echo(f"results {found}")
