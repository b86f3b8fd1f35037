"""`emotrain prep`, `train`, `evaluate`: a recipe's way from clips to predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emotrain.cli.options import RecipeFile, Workers


def prep(
    context: typer.Context,
    recipe: RecipeFile,
    workers: Workers = None,
    max_bad_share: Annotated[float, typer.Option(help="Largest share of unusable clips.")] = 0.01,
) -> None:
    """Index, frames, summaries, manifest: whatever of a recipe's preparation is missing."""
    from emotrain.training.preparation import prepare
    from emotrain.training.recipe import load_recipe

    data = prepare(load_recipe(recipe, context.args), workers=workers, max_bad_share=max_bad_share)
    typer.echo(f"prepared {data}")


def train(context: typer.Context, recipe: RecipeFile) -> None:
    """Train the recipe's adapter; goes on from the last checkpoint."""
    from emotrain.training.recipe import load_recipe
    from emotrain.training.threads import one_thread_on_cpu

    loaded = load_recipe(recipe, context.args)
    one_thread_on_cpu(loaded)
    from emotrain.training.train import train as run

    typer.echo(f"adapter {run(loaded)}")


def evaluate(
    context: typer.Context,
    recipe: RecipeFile,
    out: Annotated[Path, typer.Option(help="Folder for predictions, metrics and report.")],
    adapter: Annotated[str | None, typer.Option(help="Folder or Hub id[@revision]; none is zero-shot.")] = None,
    report: Annotated[bool, typer.Option(help="Also write report.html.")] = True,
) -> None:
    """Score every label of every clip of the recipe's split."""
    from emotrain.training.recipe import load_recipe
    from emotrain.training.threads import one_thread_on_cpu

    loaded = load_recipe(recipe, context.args)
    one_thread_on_cpu(loaded)
    from emotrain.evaluation.evaluate import evaluate as run

    run(loaded, out, adapter)
    if report:
        from emotrain.evaluation.run_report import report_runs

        report_runs(loaded, {loaded.evaluation.arm: out}, out)
    typer.echo(f"predictions {out}")
