"""A whole small project in one folder: videos, faces, frames, words, embeddings, a run with checkpoints, scores.

Each stage runs in the process that calls it. Where the face detector's weights are not here, the clips are drawn faces
without a scene, and the stage of faces is left out.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

SHARDS = 3
WEIGHTS = Path(__file__).parents[3] / "shared" / "models"


@dataclass(frozen=True)
class House:
    """`folder` has all that the stages write; `made` (the videos) is made once and only read."""

    folder: Path
    made: Path
    faces: bool

    @property
    def clips(self) -> Path:
        return self.made / ("scenes" if self.faces else "clips")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def scores(self) -> Path:
        return self.folder / "scores"

    def recipe(self) -> Any:
        """The recipe: motion summaries, the tiny base, four steps and a checkpoint every other one.

        A step has four clips, on however many processes.
        """
        from emotrain.recipe.recipe import parse_recipe

        each = 4 // int(os.environ.get("WORLD_SIZE", "1"))
        values = yaml.safe_load(RECIPE.format(clips=self.clips, folder=self.folder, each=each, shards=SHARDS))
        return parse_recipe(values | ({"media": "scenes", "crop": "face"} if self.faces else {}))

    def prep(self) -> None:
        """All stages before the training; in this process alone, so that a kill ends all of it."""
        from emotrain.context.summarize import summarize_clips
        from emotrain.datasets.index import index_clips
        from emotrain.examples.manifests import ensure_manifest
        from emotrain.faces.framing import framing_of
        from emotrain.faces.stage import find_faces_stage
        from emotrain.preparation.embed import embed_keyframes
        from emotrain.video.extract import extract_frames

        recipe, here = self.recipe(), {"shards": SHARDS, "workers": 1, "limit_s": None}
        crop = "face" if self.faces else "none"
        if not (self.data / "clips.parquet").exists():
            index_clips("synthetic", self.clips, self.data, **({"media": "scenes"} if self.faces else {}))
        if self.faces:
            find_faces_stage(self.data, **here)
        framing = framing_of(self.data, crop, "face")
        extract_frames(
            self.data, keyframes=2, between=0, size=64, crop=crop, framing=framing, max_bad_share=0.0, **here
        )
        summarize_clips(self.data, "motion", **here)
        embed_keyframes(recipe)
        ensure_manifest(recipe)

    def train(self) -> None:
        """The run; one that is there is gone on with or left alone."""
        from emotrain.training.train import train

        train(self.recipe())

    def evaluate(self) -> None:
        """Scores of the validation clips."""
        from emotrain.evaluation.evaluate import evaluate

        evaluate(self.recipe(), self.scores, str(self.run))

    def publish(self) -> None:
        """The folder that would be uploaded, with the figures."""
        from emotrain.hub.publish import Publication, write_publication

        write_publication(Publication(self.run, "org/name", scores=self.scores, data=self.data), self.folder / "out")

    def results(self) -> dict[str, Any]:
        """What must be equal whatever happened on the way: tables, losses, weights, scores; None for what is not there.

        Seconds are left out.
        """
        found: dict[str, Any] = {}
        for path in [*sorted(self.data.rglob("*.parquet")), self.scores / "predictions.parquet"]:
            found[str(path.relative_to(self.folder))] = pq.read_table(path) if path.is_file() else None
        for path in sorted(self.data.rglob("*.json*")):
            if not path.name.endswith("digests.json"):
                found[str(path.relative_to(self.folder))] = _without_seconds(path.read_text())
        weights, state = self.run / "adapter_model.safetensors", self.run / "trainer_state.json"
        for path in (weights, self.run / "adapter_config.json", self.run / "emotrain.json"):
            found[f"run/{path.name}"] = path.read_bytes() if path.is_file() else None
        history = json.loads(state.read_text())["log_history"] if state.is_file() else []
        found["losses"] = [entry["loss"] for entry in history if "loss" in entry]
        return found


def make_house(folder: Path, made: Path) -> House:
    """The project with nothing prepared yet; videos are rendered where they are not there."""
    import torch

    from emotrain.faces.weights import FOLDER, WeightsMissing, weights_file
    from emotrain.synthetic.clip_set import write_clip_set
    from emotrain.synthetic.scene_plan import SceneSettings

    torch.set_num_threads(1)
    if WEIGHTS.is_dir():
        os.environ.setdefault(FOLDER, str(WEIGHTS))
    try:
        faces = weights_file("yunet").is_file()
    except WeightsMissing:
        faces = False
    clips = made / ("scenes" if faces else "clips")
    if not clips.is_dir():
        scenes = SceneSettings(width=320) if faces else None
        write_clip_set(clips, label_set="dfew", train=14, validation=14, test=14, seed=3, workers=1, scenes=scenes)
        _keep_few(clips / "annotations.parquet")
    folder.mkdir(parents=True, exist_ok=True)
    return House(folder, made, faces)


def _keep_few(annotations: Path, each: int = 2) -> None:
    """Half a dozen of the clips: the least that a set can be rendered with takes too long to prepare over and over."""
    table = pq.read_table(annotations)
    splits = table["split"].to_pylist()
    rows = [row for row, split in enumerate(splits) if splits[:row].count(split) < each]
    pq.write_table(table.take(rows), annotations)


def restore(house: House, whole: Path) -> None:
    """Put the project back to what `whole` is a copy of."""
    shutil.rmtree(house.folder, ignore_errors=True)
    shutil.copytree(whole, house.folder, symlinks=True)


def _without_seconds(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line and '"seconds"' not in line)


RECIPE = """
model_name_or_path: tiny
dtype: float32
data: {folder}/data
root: {clips}
dataset: synthetic
label_set: dfew
context: summaries
summarizer: motion
keyframes: 2
between: 0
frame_size: 64
image_size: 56
prep_shards: {shards}
vision_embeddings: stored
sampling: natural
epochs: 1
epoch_size: 16
lora_r: 2
lora_dropout: 0.0
learning_rate: 0.01
adam_epsilon: 1.0e-3
per_device_train_batch_size: {each}
logging_steps: 1
disable_tqdm: true
save_strategy: steps
save_steps: 2
use_cpu: true
split: validation
resamples: 20
output_dir: {folder}/run
"""
