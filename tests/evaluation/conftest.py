"""Rendered clips, prepared, with a recipe on them that needs no training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emotrain.preparation.prepare import prepare
from emotrain.recipe.recipe import Recipe, load_recipe
from emotrain.recipes_folder import shipped_recipe
from emotrain.synthetic.clip_set import write_clip_set

Rendered = Callable[..., Recipe]


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """Recipes on 88 training, 22 validation and 22 test clips of the tiny base; keys as keyword arguments."""
    folder = tmp_path_factory.mktemp("rendered")
    write_clip_set(folder / "clips", train=88, validation=22, test=22, seed=3, workers=1)

    def recipe(**keys: Any) -> Recipe:
        values = {"data": folder / "data", "root": folder / "clips", "resamples": 200, "prep_shards": 2, **keys}
        return load_recipe(
            shipped_recipe("tiny/base.yaml"),
            [word for key, value in values.items() for word in (f"--{key}", str(value))],
        )

    prepare(recipe(), workers=1)
    return recipe
