"""`emotrain prep`, `train`, `evaluate`: a recipe's way from clips to predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emotrain.cli.options import RecipeFile, Workers
from emotrain.job_notes import doing


def prep(
    context: typer.Context,
    recipe: RecipeFile,
    workers: Workers = None,
    max_bad_share: Annotated[float, typer.Option(help="Largest share of unusable clips.")] = 0.01,
    stage: Annotated[str | None, typer.Option(help="Only index, frames, summaries, embeddings or manifest.")] = None,
    shard: Annotated[str | None, typer.Option(help="Only the I-th of the stage's N shards, as I/N from 0/N.")] = None,
    engine: Annotated[str, typer.Option(help="Frames and motion summaries: local, or ray for a cluster.")] = "local",
    ray_address: Annotated[str | None, typer.Option(help="auto, local or HOST:PORT; default RAY_ADDRESS.")] = None,
) -> None:
    """Index, frames, summaries, embeddings, manifest: whatever of a recipe's preparation is missing."""
    from emotrain.preparation.prepare import prepare
    from emotrain.recipe.recipe import load_recipe
    from emotrain.stages.parts import parse_shard

    data = prepare(
        load_recipe(recipe, context.args),
        workers=workers,
        max_bad_share=max_bad_share,
        stage=stage,
        shard=None if shard is None else parse_shard(shard),
        engine=engine,
        ray_address=ray_address,
    )
    typer.echo(f"prepared {data}")


def train(context: typer.Context, recipe: RecipeFile) -> None:
    """Train the recipe's adapter; goes on from the last checkpoint. Status 75: stopped by a signal, run it again."""
    from emotrain.recipe.recipe import load_recipe
    from emotrain.training.threads import one_thread_on_cpu

    loaded = load_recipe(recipe, context.args)
    one_thread_on_cpu(loaded)
    doing("before its first step")
    from emotrain.hub.checkpoints import checkpoint_publisher
    from emotrain.training.preemption import STATUS, TrainingStopped
    from emotrain.training.train import train as run

    publisher = checkpoint_publisher(loaded)
    try:
        adapter = run(loaded, [] if publisher is None else [publisher])
    except TrainingStopped as stop:
        typer.echo(f"emotrain: {stop}", err=True)
        raise SystemExit(STATUS) from stop
    typer.echo(f"adapter {adapter}")
    if publisher is not None:
        publisher.publish_final(adapter)


def baseline(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="frames, videomae, tfidf, oracle_text or prior_corrected.")],
    recipe: RecipeFile,
    out: Annotated[Path, typer.Option(help="Folder for predictions and metrics.")],
) -> None:
    """Score a recipe's split with something simpler than its adapter."""
    from emotrain.recipe.recipe import load_recipe
    from emotrain.training.threads import one_thread_on_cpu

    loaded = load_recipe(recipe, context.args)
    one_thread_on_cpu(loaded)
    from emotrain.evaluation.baselines.run import run_baseline

    run_baseline(name, loaded, out)
    typer.echo(f"predictions {out}")


def evaluate(
    context: typer.Context,
    recipe: RecipeFile,
    out: Annotated[Path, typer.Option(help="Folder for predictions, metrics and report.")],
    adapter: Annotated[str | None, typer.Option(help="Folder or Hub id[@revision]; none is zero-shot.")] = None,
    report: Annotated[bool, typer.Option(help="Also write report.html.")] = True,
    server: Annotated[str | None, typer.Option(help="http(s)://HOST/v1: ask the model there instead.")] = None,
    model: Annotated[str | None, typer.Option(help="What the server calls its model.")] = None,
    server_options: Annotated[
        str, typer.Option(help="'{kind: vllm, answers: choice, shots: 1}' and more (docs/contestants.md).")
    ] = "{}",
) -> None:
    """Score every label of every clip of the recipe's split."""
    from emotrain.recipe.recipe import load_recipe
    from emotrain.training.threads import one_thread_on_cpu

    loaded = load_recipe(recipe, context.args)
    one_thread_on_cpu(loaded)
    doing("evaluating")
    if server is not None:
        from emotrain.evaluation.served.run import evaluate_served
        from emotrain.evaluation.served.settings import told_settings

        evaluate_served(loaded, out, told_settings(server, model, server_options, adapter))
    else:
        if model is not None or server_options != "{}":
            raise typer.BadParameter("--model and --server-options are of a model behind --server URL")
        from emotrain.evaluation.evaluate import evaluate as run

        run(loaded, out, adapter)
    if report:
        from emotrain.evaluation.run_report import report_runs

        report_runs(loaded, {loaded.evaluation.arm: out}, out)
    typer.echo(f"predictions {out}")
