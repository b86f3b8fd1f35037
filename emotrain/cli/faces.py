"""`emotrain faces`: the detector's weights, a page that shows which faces were found, and one clip a person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

faces = typer.Typer(no_args_is_help=True, help="Fetch the face detector's weights; look at the faces that were found.")


@faces.command()
def fetch() -> None:
    """Fetch the weights that look at faces (4 MB), so that machines without a network can, too."""
    from emotrain.faces.weights import WEIGHTS, fetch_weights

    for name, weights in WEIGHTS.items():
        typer.echo(f"{name}: {fetch_weights(name)} ({weights.licence}, sha256 {weights.sha256[:16]}...)")


@faces.command()
def report(
    data: Annotated[Path, typer.Argument(help="Folder with clips.parquet and faces/.", metavar="DATA")],
    out: Annotated[Path | None, typer.Option(help="The page; default DATA/faces/report.html.")] = None,
    clips: Annotated[int, typer.Option(help="Clips to show of each kind: worst, random, without a face.", min=1)] = 12,
    seed: Annotated[int, typer.Option(help="For the random ones.")] = 0,
) -> None:
    """Write a page with contact sheets: boxes, eyes, the chosen face, and when it was seen."""
    from emotrain.faces.report import write_report

    typer.echo(write_report(data, out, clips=clips, seed=seed))


@faces.command()
def people(
    data: Annotated[Path, typer.Argument(help="Folder with clips.parquet and faces/.", metavar="DATA")],
    out: Annotated[Path, typer.Argument(help="Folder for the new clips.parquet.", metavar="OUT")],
) -> None:
    """Write an index in which each person of a clip is a clip of its own, with the label of the clip."""
    from emotrain.faces.people import write_people

    typer.echo(write_people(data, out))
