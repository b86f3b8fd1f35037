"""Where the tiny base checkpoint lies that ships with the package."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).parent / "tiny_base"


def tiny_base_path() -> Path:
    """Folder of the shipped base; raises FileNotFoundError that names the command which builds it."""
    if not (SHIPPED / "model.safetensors").is_file():
        raise FileNotFoundError(f"{SHIPPED}: no tiny base here; build it with `python -m emotrain.modeling.tiny`")
    return SHIPPED
