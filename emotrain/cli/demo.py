"""`emotrain demo`: the whole way with nothing to bring."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emotrain.cli.options import Workers


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
