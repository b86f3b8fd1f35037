"""A real adapter, trained for a few steps of the shipped recipe on rendered clips, and the folders it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from emotrain.recipe.recipe import Recipe

torch.set_num_threads(1)
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Trained:
    """`adapter` is a run's folder, `videos` rendered clips, `recipe` what it was trained by."""

    adapter: Path
    videos: Path
    recipe: Recipe

    def clip(self, number: int) -> Path:
        return sorted(self.videos.iterdir())[number]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, face_weights: Path) -> Trained:
    from emotrain.preparation.prepare import prepare
    from emotrain.recipe.recipe import load_recipe
    from emotrain.synthetic.clip_set import write_clip_set
    from emotrain.training.train import train

    home = tmp_path_factory.mktemp("adapter")
    write_clip_set(home / "clips", train=22, validation=0, test=22, seed=3, workers=1)
    values = {"data": home / "data", "root": home / "clips", "output_dir": home / "run", "epochs": 4, "save_steps": 2}
    values |= {"per_device_train_batch_size": 8, "logging_steps": 1, "warmup_steps": 1, "learning_rate": 3e-3}
    recipe = load_recipe(
        ROOT / "recipes/tiny/enriched_balanced.yaml", [w for k, v in values.items() for w in (f"--{k}", str(v))]
    )
    prepare(recipe, workers=1)
    return Trained(train(recipe), home / "clips" / "videos", recipe)
