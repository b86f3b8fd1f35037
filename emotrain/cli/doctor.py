"""`emotrain doctor`: what a bug report needs, and what is wrong with this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    work: Annotated[Path, typer.Option(help="Folder that runs are written to.")] = Path("runs"),
    skip: Annotated[
        list[str] | None,
        typer.Option(help="Part to leave out: packages, accelerators, video, machine, hub or cluster; repeatable."),
    ] = None,
) -> None:
    """Print what of this machine matters, with remedies; status 1 with a fault. Put the page into a bug report."""
    from emotrain.doctor.page import examine, page

    parts = examine(work, skip or ())
    typer.echo(page(parts))
    if any(one.state == "fault" for found in parts.values() for one in found):
        raise typer.Exit(1)
