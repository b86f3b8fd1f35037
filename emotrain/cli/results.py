"""`emotrain score`: anyone's predictions in, metrics and report out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


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
