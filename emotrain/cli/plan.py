"""`emotrain plan`: what a run will cost and what it can see, before any GPU hour."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emotrain.cli.options import RecipeFile


def plan(
    context: typer.Context,
    recipe: RecipeFile,
    json: Annotated[Path | None, typer.Option(help="File to write the plan to as JSON, too.")] = None,
    gpus: Annotated[int, typer.Option(help="GPUs of the run.")] = 1,
    gpu_memory: Annotated[float, typer.Option(help="GiB of one GPU.")] = 80.0,
    peak_tflops: Annotated[
        float, typer.Option(help="Peak TFLOP/s of one GPU; the default is an H100 in bf16.")
    ] = 989.0,
    mfu: Annotated[float, typer.Option(help="Share of the peak that training reaches: an assumption.")] = 0.25,
    fit: Annotated[
        bool, typer.Option("--fit", help="Print the batch split and checkpointing that use the GPU best, and no more.")
    ] = False,
    head: Annotated[bool, typer.Option("--head", help="Print only the comment that heads a shipped recipe.")] = False,
) -> None:
    """Tokens, memory, time, worst batch, class histogram and P(miss) of a recipe."""
    from emotrain.atomic_files import write_json
    from emotrain.planning import page
    from emotrain.planning.machine import Machine
    from emotrain.planning.plan import make_plan
    from emotrain.recipe.recipe import load_recipe

    loaded, machine = load_recipe(recipe, context.args), Machine(gpus, gpu_memory, peak_tflops, mfu)
    made = make_plan(loaded, machine)
    if json is not None:
        write_json(made.as_json(), json)
    if fit:
        from emotrain.planning.fit import fit as best
        from emotrain.planning.fit import in_words

        print(in_words(best(loaded, made, machine), machine))
    elif head:
        print(page.head(made))
    else:
        page.print_plan(made)
