"""Whether the data folder holds what the recipe says: training must not read four keyframes where eight are named."""

from __future__ import annotations

import json
from pathlib import Path

from emotrain.training.recipe import Recipe

FRAMES = Path("frames") / "frames.json"


def check_prepared(recipe: Recipe) -> None:
    """Raise ValueError when the frames on disk were extracted with other settings than the recipe's."""
    data = Path(recipe.data.data)
    header = data / FRAMES
    if not header.is_file():
        raise FileNotFoundError(f"{header}: no frames here; run `emotrain prep` with this recipe first")
    found = json.loads(header.read_text(encoding="utf-8"))["settings"]
    wanted = {
        "policy": recipe.data.keyframe_policy,
        "keyframes": recipe.data.keyframes,
        "size": recipe.data.frame_size,
        "decoder": recipe.data.decoder,
        "crop": recipe.data.crop,
        "seed": recipe.data.frame_seed,
    }
    if recipe.data.redraw_keyframes:
        wanted["between"] = None  # only a store of all frames has others to choose
    odd = [
        f"{key} {found[key]!r} on disk, {value!r} in the recipe"
        for key, value in wanted.items()
        if found.get(key, value) != value
    ]
    if odd:
        raise ValueError(
            f"{header}: {'; '.join(odd)}; prepare another data folder, or name what is there in the recipe"
        )
