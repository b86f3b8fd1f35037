"""`emotrain context`, `score`: what summaries are like, and what predictions are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emotrain.cli.options import RecipeFile


def context(
    invocation: typer.Context,
    action: Annotated[str, typer.Argument(help="report", metavar="report")],
    recipe: RecipeFile,
    out: Annotated[Path, typer.Option(help="Folder for context.md, context.json and examples.png.")],
) -> None:
    """Tokens, change, leaks and agreement of the summaries in a recipe's data folder, with examples."""
    from emotrain.evaluation.context_report import report_context
    from emotrain.training.recipe import load_recipe

    if action != "report":
        raise typer.BadParameter(f"{action!r}; the one thing to do with context is `emotrain context report RECIPE`")
    page = report_context(load_recipe(recipe, invocation.args), out)
    typer.echo(page.read_text(encoding="utf-8"))


def score(
    file: Annotated[Path, typer.Argument(help="Parquet, csv or jsonl with label scores or free-text replies.")],
    out: Annotated[Path, typer.Option(help="Folder for metrics.json and report.html.")],
    label_set: Annotated[str | None, typer.Option(help="mafw, dfew, ..., or names with commas.")] = None,
    clips: Annotated[Path | None, typer.Option(help="Data folder with clips.parquet, to check coverage.")] = None,
    groups_from: Annotated[
        str | None, typer.Option(help="Training clips a class: JSON, CSV (label,count), or mafw, dfew, ...")
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="subject: resample subjects, not clips; needs --clips.")] = None,
    arm: Annotated[str | None, typer.Option(help="The arm to score, when the file has several.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed to score, when the file has several.")] = None,
) -> None:
    """Score anyone's predictions."""
    from emotrain.evaluation.headline import print_table
    from emotrain.evaluation.class_counts import read_counts
    from emotrain.evaluation.score import score_file

    arms = score_file(
        file,
        out=out,
        label_set=label_set,
        clips=clips,
        groups_from=None if groups_from is None else read_counts(groups_from),
        cluster=cluster,
        arm=arm,
        seed=seed,
    )
    print_table(arms)
    typer.echo(f"report {out / 'report.html'}")
