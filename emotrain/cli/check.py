"""`emotrain check FOLDER`: whether what lies below a folder is still what was written there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emotrain.file_errors import visible


def check(
    folder: Annotated[Path, typer.Argument(help="A data folder, a run, an adapter, scores; or what holds them.")],
    renew: Annotated[
        bool, typer.Option("--renew", help="Accept files that were changed on purpose: write their lists anew.")
    ] = False,
    duplicates: Annotated[
        bool, typer.Option("--duplicates", help="Also name clips, people and films that two folds share.")
    ] = False,
) -> None:
    """Compare files with the digests that were written with them; status 1 names each that is not whole."""
    from emotrain.training.check import check_folder

    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; give one that emotrain wrote")
    checked = check_folder(folder, renew=renew)
    for line in checked.lines():
        typer.echo(visible(line))
    if duplicates:
        from emotrain.video.near_duplicates import across_parts

        indices = sorted(folder.rglob("clips.parquet"))
        if not indices:
            raise FileNotFoundError(f"{folder}: --duplicates looks at a data folder, and no clips.parquet is below")
        for index in indices:
            for line in across_parts(index.parent).lines():
                typer.echo(visible(line))
    if checked.faults:
        raise SystemExit(1)
