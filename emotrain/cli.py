"""The `emotrain` command. Every verb imports what it needs when it runs, so `--help` answers at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from emotrain.processes import end_with_starter

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Teach vision-language models to recognise human emotion in video.",
)

RecipeFile = Annotated[Path, typer.Argument(help="Recipe YAML; any key can follow as --key value.", metavar="RECIPE")]
Workers = Annotated[int | None, typer.Option(help="Worker processes; default one a core.")]
OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command(context_settings=OVERRIDES)
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


@app.command(context_settings=OVERRIDES)
def train(context: typer.Context, recipe: RecipeFile) -> None:
    """Train the recipe's adapter; goes on from the last checkpoint."""
    from emotrain.training.recipe import load_recipe
    from emotrain.training.threads import one_thread_on_cpu

    loaded = load_recipe(recipe, context.args)
    one_thread_on_cpu(loaded)
    from emotrain.training.train import train as run

    typer.echo(f"adapter {run(loaded)}")


@app.command(context_settings=OVERRIDES)
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


@app.command()
def score(
    file: Annotated[Path, typer.Argument(help="Parquet, csv or jsonl with label scores or free-text replies.")],
    out: Annotated[Path, typer.Option(help="Folder for metrics.json and report.html.")],
    label_set: Annotated[str | None, typer.Option(help="mafw, dfew, ..., or names with commas.")] = None,
    clips: Annotated[Path | None, typer.Option(help="Data folder with clips.parquet, to check coverage.")] = None,
    arm: Annotated[str | None, typer.Option(help="The arm to score, when the file has several.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed to score, when the file has several.")] = None,
) -> None:
    """Score anyone's predictions."""
    from emotrain.evaluation.headline import print_table
    from emotrain.evaluation.score import score_file

    print_table(score_file(file, out=out, label_set=label_set, clips=clips, arm=arm, seed=seed))
    typer.echo(f"report {out / 'report.html'}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder of the run; an interrupted demo goes on from it.")] = Path(
        "runs/demo"
    ),
    workers: Workers = None,
    scale: Annotated[float, typer.Option(help="Share of the clips and of the training; 1 is the real thing.")] = 1.0,
) -> None:
    """The whole way on synthetic clips, on a CPU: render, prepare, train four arms, report."""
    from emotrain.study.demo import run_demo

    run_demo(out, workers=workers, scale=scale)


def main() -> None:
    """Entry point. A fault of the input ends with its message and status 2, any other with a traceback.

    EMOTRAIN_TRACEBACK=1 shows the traceback of the former too.
    """
    end_with_starter()
    try:
        app(standalone_mode=False)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except TyperException as error:
        print(f"emotrain: {error} (see emotrain --help)", file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        if _is_users(error) and not os.environ.get("EMOTRAIN_TRACEBACK"):
            print(f"emotrain: {error}", file=sys.stderr)
            sys.exit(2)
        raise


def _is_users(error: Exception) -> bool:
    """Faults of the input, whose message says everything, as against faults of the program."""
    from emotrain.shards import ClipError, TooManyBadClips
    from emotrain.study.failures import ArmsFailed

    return isinstance(error, (ValueError, FileNotFoundError, ClipError, TooManyBadClips, ArmsFailed))


if __name__ == "__main__":
    main()
