"""Whether the data folder holds what the recipe says: training must not read four keyframes where eight are named."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from emotrain.recipe.recipe import Recipe
from emotrain.video.frame_settings import FRAMES, read_frames_header


def check_prepared(recipe: Recipe) -> None:
    """Raise ValueError when the frames on disk were extracted with other settings than the recipe's.

    Only `between` may differ, and only upwards: what the recipe reads lies there, whatever lies beside it (None on disk
    are all frames). A recipe that draws keyframes anew needs all of them.
    """
    data = Path(recipe.data.data)
    header = data / FRAMES
    found = frames_settings(data)
    wanted = asdict(recipe.data.frame_settings())
    if wanted["between"] is not None:
        stored = found.get("between", wanted["between"])
        if stored is None or stored >= wanted["between"]:
            del wanted["between"]
    odd = [
        f"{key} {found[key]!r} on disk, {value!r} in the recipe"
        for key, value in wanted.items()
        if found.get(key, value) != value
    ]
    if odd:
        raise ValueError(
            f"{header}: {'; '.join(odd)}; prepare another data folder, or name what is there in the recipe"
        )


def frames_settings(data: Path) -> dict[str, Any]:
    """The settings of the frames in a prepared data folder; raises FileNotFoundError before the frames stage."""
    stated = read_frames_header(data)
    if stated is None:
        raise FileNotFoundError(f"{data / FRAMES}: no frames here; run `emotrain prep` with this recipe first")
    return dict(stated["settings"])
