"""`emotrain new FOLDER`: a project of one's own outside the clone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def new(
    folder: Annotated[Path, typer.Argument(help="Folder to write; not there yet, or empty.", metavar="FOLDER")],
) -> None:
    """Write a project folder for your own clips: recipes, study, cluster profile, sample clips. Asks nothing."""
    from emotrain.project.new import new_project

    for file in new_project(folder):
        typer.echo(file)
    typer.echo(f"see {folder / 'README.md'}; first: cd {folder} && emotrain prep on_cpu.yaml")
