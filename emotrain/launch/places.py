"""Where the job scripts and launch configurations lie: in a checkout, or inside an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def home() -> Path:
    """The folder that holds slurm/ and accelerate_configs/; raises FileNotFoundError that says where it looked."""
    for place in (_PACKAGE.parent, _PACKAGE):
        if (place / "slurm" / "train.slurm").is_file() and (place / "accelerate_configs").is_dir():
            return place
    raise FileNotFoundError(f"slurm/train.slurm: neither in {_PACKAGE.parent} nor in {_PACKAGE}; install emotrain anew")


def accelerate_configs() -> list[str]:
    """Names of the shipped launch configurations."""
    return sorted(path.stem for path in (home() / "accelerate_configs").glob("*.yaml"))
