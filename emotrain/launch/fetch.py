"""`emotrain fetch RECIPE`: all that a recipe reads from the Hub, into this machine's cache, while there is a Hub.

Compute nodes of most clusters have no internet, and a library that asks the Hub there waits for minutes before it looks
into its cache. So `emotrain launch` fetches on the login node into the cache of the jobs, and the jobs run with
HF_HUB_OFFLINE=1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emotrain.examples.summaries import is_written_by_recipe
from emotrain.faces.weights import WEIGHTS
from emotrain.modeling.loading import TINY
from emotrain.recipe.recipe import Recipe

FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
"""What transformers reads of a model: configurations, weights, tokenizers, chat templates; never a pickle."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model on the Hub, or with `face` one of faces/weights.py by its name there; `what` says what it is for."""

    what: str
    name: str
    revision: str = "main"
    face: bool = False


def wanted(recipe: Recipe, *, baselines: bool = True) -> list[Wanted]:
    """What a recipe reads from the Hub; empty for the shipped base and folders.

    `baselines` takes in the checkpoint of `emotrain baseline videomae`, which no job of a chain runs.
    """
    found = []
    name = recipe.model.model_name_or_path
    if name is not None and _on_hub(str(name)):
        found.append(Wanted("base model", str(name), recipe.model.model_revision))
    options = recipe.context.summarizer_options
    if is_written_by_recipe(recipe.context) and recipe.context.summarizer == "vlm" and _on_hub(str(options["model"])):
        found.append(Wanted("summariser", str(options["model"]), str(options.get("revision", "main"))))
    if baselines and "baseline_model" in recipe.values and _on_hub(recipe.evaluation.baseline_model):
        found.append(Wanted("baseline_model", recipe.evaluation.baseline_model))
    if recipe.data.crop == "face" and recipe.data.face_detector in WEIGHTS:
        found.append(Wanted("face detector", recipe.data.face_detector, face=True))
    if recipe.context.summarizer == "motion" and options.get("evidence", "flow") != "flow":
        found.append(Wanted("face landmarker", "landmarker", face=True))
    return found


def fetch(recipe: Recipe, *, baselines: bool = True) -> Iterator[str]:
    """Bring it all into the cache and yield a line for each; what is there is only checked.

    Raises HubError for what the Hub does not give, FileNotFoundError for a model that stays incomplete, WeightsMissing
    or DamagedWeights for those that look at faces.
    """
    for one in wanted(recipe, baselines=baselines):
        if one.face:
            from emotrain.faces.weights import fetch_weights

            yield f"{one.what}: {fetch_weights(one.name)}"
        else:
            yield f"{one.what}: {one.name}@{one.revision} in {_model(one)}"


def fetch_for_jobs(recipe_path: Path, overrides: Sequence[str], environment: Mapping[str, str]) -> None:
    """`emotrain fetch` in a process whose environment adds that of the jobs, so that it fills the cache they read.

    Raises ValueError, with what it said, when something could not be had.
    """
    given = {key: value for key, value in environment.items() if key != "HF_HUB_OFFLINE"}
    done = subprocess.run(
        [sys.executable, "-m", "emotrain.cli", "fetch", str(recipe_path), *overrides],
        env=os.environ | given,
        stdout=sys.stderr,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise ValueError(f"nothing was submitted: {said[-1].removeprefix('emotrain: ') if said else 'fetching failed'}")


def _model(one: Wanted) -> Path:
    from huggingface_hub import snapshot_download

    from emotrain.hub_errors import explained

    with explained(f"fetching the {one.what} {one.name}@{one.revision}"):
        folder = Path(snapshot_download(one.name, revision=one.revision, allow_patterns=list(FILES)))
    # Where the Hub is out of reach, the cache answers with whatever it has.
    lacking = [name for name in _needed(folder) if not (folder / name).is_file()]
    if lacking:
        raise FileNotFoundError(
            f"{one.what} {one.name}: the cache has {folder} without {', '.join(lacking[:3])}, and the Hub gave no "
            "more; run `emotrain fetch` where there is a network"
        )
    return folder


def _needed(folder: Path) -> list[str]:
    """Files without which a model cannot be loaded: its configuration and all of its weights."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        return ["config.json", *sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))]
    return ["config.json", "model.safetensors"]


def _on_hub(name: str) -> bool:
    return name != TINY and not name.startswith((".", "/", "~")) and not Path(name).is_dir()
