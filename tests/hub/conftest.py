"""A Hub on the loopback interface and one whole run against it: train, evaluate, publish, read back."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from training_bench import bench

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _module(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


__all__ = ["bench"]  # a fixture: prepared clips and a tiny base on disk

StandIn = _module("hub_stand_in", HERE / "stand_in.py").StandIn

WRITE_TOKEN = "hf_" + "kQ7pZx2Lm9Rt4Vb6" * 2
REPOSITORY = "org/emotion-adapter"


@dataclass
class Desk:
    """Where somebody works: a folder, a Hub, a token; runs commands there and keeps what they print."""

    folder: Path
    hub: Any
    token: str
    printed: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key != "HF_HUB_OFFLINE"}
        return kept | {
            "HF_ENDPOINT": self.hub.url,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HOME": str(self.folder / "home"),
            "HF_TOKEN": self.token,
            "OMP_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "PYTHONPATH": str(ROOT),
        }

    def run(self, *words: str | Path, status: int = 0) -> str:
        """Run Python with these arguments in the folder; returns all that was printed."""
        done = subprocess.run(
            [sys.executable, *map(str, words)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=1200,
        )
        self.printed.append(done.stdout + done.stderr)
        assert done.returncode == status, f"{words}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def emotrain(self, *words: str | Path, status: int = 0) -> str:
        return self.run("-m", "emotrain.cli", *words, status=status)


@pytest.fixture(scope="session")
def desk(bench: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An adapter trained with `push_to_hub`, scored, published with its scores as revision v1, on a base on the Hub."""
    folder = tmp_path_factory.mktemp("desk")
    with StandIn({WRITE_TOKEN: "write"}, part=200_000) as hub:
        hub.add_folder("org/tiny-base", bench.base)
        desk = Desk(folder, hub, WRITE_TOKEN)
        recipe = bench.recipe(
            folder,
            model_name_or_path="org/tiny-base",
            data=str(bench.data),
            push_to_hub=True,
            hub_model_id="org/while-training",
            hub_strategy="all_checkpoints",
            save_steps=4,
            resamples=200,
        )
        _draw_manifest(recipe)
        desk.emotrain("train", recipe)
        desk.emotrain("evaluate", recipe, "--adapter", folder / "run", "--out", folder / "scores", "--no-report")
        _score_zero_shot(bench, folder / "zero")
        words = ["publish", "--adapter", folder / "run", "--repo-id", REPOSITORY, "--scores", folder / "scores"]
        desk.emotrain(*words, "--baseline", f"zero-shot={folder / 'zero'}", "--revision", "v1")
        yield desk


def _draw_manifest(recipe: Path) -> None:
    from emotrain.examples.manifests import ensure_manifest
    from emotrain.recipe.recipe import load_recipe

    ensure_manifest(load_recipe(recipe))


def _score_zero_shot(bench: Any, out: Path) -> None:
    """The baseline of the card, in this process: its base comes from the folder that the stand-in serves."""
    from emotrain.evaluation.evaluate import evaluate
    from emotrain.recipe.recipe import load_recipe

    evaluate(load_recipe(bench.recipe(out / "recipe", resamples=200)), out)
