"""A prepared data folder of two dozen tiny clips, a random tiny base on disk, and a recipe on both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml

from emotrain.atomic_files import write_json, write_table
from emotrain.modeling.tiny import random_tiny
from emotrain.records import CLIPS, FRAMES, Clip, Frame, to_table
from emotrain.stages.parts import part_path, shard_of

torch.set_num_threads(1)
LABELS = ("happiness", "sadness", "neutral", "anger")
SHARDS = 2


@dataclass(frozen=True)
class Bench:
    """Where a test trains: `data` is prepared, `base` a checkpoint folder."""

    data: Path
    base: Path

    def recipe(self, folder: Path, **values: Any) -> Path:
        """Write a recipe for this bench; `values` override the defaults below."""
        defaults = {
            "model_name_or_path": str(self.base),
            "dtype": "float32",
            "data": str(self.data),
            "label_set": "dfew",
            "context": "none",
            "keyframes": 2,
            "image_size": 56,
            "sampling": "natural",
            "epochs": 2,
            "epoch_size": 16,
            "lora_r": 4,
            "lora_dropout": 0.0,
            "learning_rate": 1e-2,
            "per_device_train_batch_size": 4,
            "logging_steps": 1,
            "disable_tqdm": True,
            "save_strategy": "steps",
            "save_steps": 2,
            "use_cpu": True,
            "output_dir": str(folder / "run"),
        }
        path = folder / "recipe.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({**defaults, **values}), encoding="utf-8")
        return path


def _jpeg(label: str, seed: int) -> bytes:
    """A patch whose colour tells the label, with noise: something a few steps can learn."""
    random = np.random.default_rng(seed)
    colour = np.array([(240, 200, 20), (20, 40, 220), (128, 128, 128), (230, 20, 30)][LABELS.index(label)])
    pixels = np.clip(colour + random.normal(0, 12, (56, 56, 3)), 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", pixels)[1])


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("bench")
    clips = [
        Clip(f"clip{i:02d}", f"{i}.mp4", LABELS[i % 4 if i < 16 else 2], split=split, duration_s=1.0)
        for i in range(24)
        for split in (["train", "validation", "test"][0 if i % 6 < 4 else i % 6 - 3],)
    ]
    metadata = {"root": str(folder), "label_set": "dfew", "dataset": "csv"}
    write_table(to_table(clips, Clip, metadata).cast(CLIPS.with_metadata(metadata)), folder / "data" / "clips.parquet")
    _write_frames(clips, folder / "data" / "frames")
    settings = {"policy": "segment_centres", "keyframes": 2, "size": 224, "decoder": "auto"}
    write_json({"settings": settings}, folder / "data" / "frames" / "frames.json")
    tiny = random_tiny(seed=1, texts=("Which emotion does the person show?", *LABELS))
    # A frozen head of the usual initial size cannot be sure of anything, whatever a LoRA learns below it.
    with torch.no_grad():
        tiny.model.get_input_embeddings().weight.mul_(4)
    tiny.model.save_pretrained(folder / "base")
    tiny.processor.save_pretrained(folder / "base")
    return Bench(folder / "data", folder / "base")


def _write_frames(clips: list[Clip], out: Path) -> None:
    import pyarrow.parquet as pq

    out.mkdir(parents=True)
    for shard in range(SHARDS):
        with pq.ParquetWriter(part_path(out, shard, SHARDS), FRAMES) as writer:
            for number, clip in enumerate(clips):
                if shard_of(clip.clip_id, SHARDS) == shard:
                    frames = [
                        Frame(clip.clip_id, k, 0.25 + k / 2, "keyframe", None, _jpeg(clip.label, 10 * number + k))
                        for k in range(2)
                    ]
                    writer.write_table(to_table(frames, Frame).cast(FRAMES))


@pytest.fixture
def trained(bench: Bench, tmp_path: Path) -> Callable[..., tuple[Path, list[dict[str, Any]]]]:
    """Trains a recipe in this process and returns the output folder and the log history."""

    def run(name: str = "one", **values: Any) -> tuple[Path, list[dict[str, Any]]]:
        import json

        from emotrain.examples.manifests import ensure_manifest
        from emotrain.recipe.recipe import load_recipe
        from emotrain.training.train import train

        recipe = load_recipe(bench.recipe(tmp_path / name, **values))
        ensure_manifest(recipe)
        output = train(recipe)
        return output, json.loads((output / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]

    return run
