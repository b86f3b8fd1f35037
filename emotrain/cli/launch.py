"""`emotrain fetch` and `emotrain launch`: what a recipe needs from the Hub, and its chain of jobs on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emotrain.cli.options import RecipeFile


def fetch(context: typer.Context, recipe: RecipeFile) -> None:
    """Bring what a recipe reads from the Hub into the cache here: base model, summariser, face detector."""
    from emotrain.launch.fetch import fetch as run
    from emotrain.recipe.recipe import load_recipe

    lines = list(run(load_recipe(recipe, context.args)))
    typer.echo("\n".join(lines) if lines else "the recipe reads nothing from the Hub")


def launch(
    context: typer.Context,
    recipe: RecipeFile,
    profile: Annotated[Path, typer.Option(help="Cluster profile YAML (docs/clusters.md).")],
    nodes: Annotated[int | None, typer.Option(help="Nodes to train on; default the profile's.", min=1)] = None,
    stages: Annotated[str, typer.Option(help="Some of prep,train,evaluate,publish.")] = "prep,train,evaluate",
    repo_id: Annotated[str | None, typer.Option(help="ORGANISATION/NAME on the Hub, for the stage publish.")] = None,
    max_bad_share: Annotated[float | None, typer.Option(help="Largest share of unusable clips.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write the job scripts, submit nothing.")] = False,
) -> None:
    """Prepare, train, evaluate and publish on a SLURM cluster, each job after the one before."""
    from emotrain.launch.jobs import parse_chain
    from emotrain.launch.submit import describe, submit, write_scripts

    chain = parse_chain(recipe, profile, context.args, stages, nodes, repo_id, max_bad_share)
    if dry_run:
        for name, script in write_scripts(chain).items():
            typer.echo(f"# {name}: {script}\n{script.read_text(encoding='utf-8')}")
        return
    typer.echo(describe(chain, submit(chain)))
