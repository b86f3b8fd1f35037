"""`emotrain context`, `diagnose`, `score`: what summaries are like, what answers hang on, what they are worth."""

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
    from emotrain.recipe.recipe import load_recipe

    if action != "report":
        raise typer.BadParameter(f"{action!r}; the one thing to do with context is `emotrain context report RECIPE`")
    page = report_context(load_recipe(recipe, invocation.args), out)
    typer.echo(page.read_text(encoding="utf-8"))


def diagnose(
    context: typer.Context,
    recipe: RecipeFile,
    out: Annotated[Path, typer.Option(help="Folder for diagnose.png, .svg, .md and .json.")],
    adapter: Annotated[str | None, typer.Option(help="Folder or Hub id[@revision]; none is zero-shot.")] = None,
    clips: Annotated[int, typer.Option(help="Clips to look at, as many of each label.")] = 200,
    words: Annotated[Path | None, typer.Option(help="CSV word,frequency instead of the shipped English one.")] = None,
) -> None:
    """A model's label prior, what its keyframes miss, its trust in the order of options, where it looks."""
    from emotrain.recipe.recipe import load_recipe
    from emotrain.training.threads import one_thread_on_cpu

    loaded = load_recipe(recipe, context.args)
    one_thread_on_cpu(loaded)
    from emotrain.evaluation.diagnostics.run import diagnose as run

    typer.echo(f"diagnosis {run(loaded, out, adapter, clips=clips, words=words)}")


def score(
    file: Annotated[Path, typer.Argument(help="Parquet, csv, json(l) or xlsx: scores, labels or replies.")],
    out: Annotated[Path, typer.Option(help="Folder for metrics.json and report.html.")],
    label_set: Annotated[str | None, typer.Option(help="mafw, dfew, ..., or names with commas.")] = None,
    clips: Annotated[Path | None, typer.Option(help="Data folder with clips.parquet, to check coverage.")] = None,
    groups_from: Annotated[
        str | None, typer.Option(help="Training clips a class: JSON, CSV (label,count), or mafw, dfew, ...")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="subject, source or none: resampled as wholes; else what --clips knows.")
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option(help="How often each label occurs elsewhere: JSON, CSV (label,count), or mafw, dfew, ..."),
    ] = None,
    traits: Annotated[
        Path | None, typer.Option(help="CSV of clip_id (or subject) and age, sex, ...: the worst group of each.")
    ] = None,
    arm: Annotated[str | None, typer.Option(help="The arm to score, when the file has several.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed to score, when the file has several.")] = None,
    sets: Annotated[bool, typer.Option(help="Answers are sets of words: columns clip_id, gold, predicted.")] = False,
    synonyms: Annotated[
        Path | None, typer.Option(help="With --sets: a table `word,group` of words that mean the same.")
    ] = None,
) -> None:
    """Score anyone's predictions."""
    if sets or synonyms is not None:
        _score_sets(file, out, synonyms, sets)
        return
    from emotrain.evaluation.class_counts import read_counts
    from emotrain.evaluation.headline import print_table
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
        prior=None if prior is None else read_counts(prior),
        traits=traits,
    )
    print_table(arms)
    typer.echo(f"report {out / 'report.html'}")


def _score_sets(file: Path, out: Path, synonyms: Path | None, sets: bool) -> None:
    if not sets:
        raise typer.BadParameter("--synonyms brings words of sets together; say --sets too")
    from emotrain.atomic_files import write_json
    from emotrain.metrics.answer_sets import score_answer_sets

    found = score_answer_sets(file, synonyms)
    write_json(found, out / "metrics.json")
    for name in ("precision", "recall", "f1"):
        cell = {key: 100 * value for key, value in found[name].items()}
        typer.echo(f"{name:9} {cell['value']:5.1f} ({cell['low']:.1f}-{cell['high']:.1f})")
    if found["unknown"]:
        typer.echo(f"{len(found['unknown'])} answered words are in no group: {', '.join(found['unknown'][:8])}")


def export(
    invocation: typer.Context,
    harness: Annotated[str, typer.Argument(help="lmms-eval or vlmevalkit.")],
    recipe: RecipeFile,
    out: Annotated[Path, typer.Option(help="Folder for the task: questions and labels, no pictures.")],
) -> None:
    """A recipe's questions as a task of another evaluation harness; prints the command that asks them."""
    from emotrain.evaluation.harnesses.export import export as run
    from emotrain.recipe.recipe import load_recipe

    typer.echo(run(harness, load_recipe(recipe, invocation.args), out))
