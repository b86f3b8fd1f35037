"""Vision-only baselines: trained on the manifest's draws by the shared trainer, able to learn, and able to go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from emotrain.atomic_files import write_table
from emotrain.balance.manifest import read_manifest
from emotrain.evaluation.baselines import vision
from emotrain.evaluation.baselines.frames import FrameClassifier, Padded, embed_frames
from emotrain.evaluation.baselines.run import run_baseline
from emotrain.evaluation.baselines.videomae import VideoInputs, load_video_classifier
from emotrain.examples.manifests import ensure_manifest, manifest_path, usable_clips
from emotrain.metrics.predictions import read_predictions
from emotrain.recipe.recipe import Recipe, load_recipe
from emotrain.recipes_folder import shipped_recipe
from emotrain.records import Clip, to_table
from emotrain.synthetic.h264 import write_mp4
from emotrain.video.extract import extract_frames

COLOURS = {
    "happiness": (240, 200, 20),
    "sadness": (20, 40, 220),
    "neutral": (128, 128, 128),
    "anger": (230, 20, 30),
    "surprise": (20, 220, 220),
    "disgust": (20, 160, 40),
    "fear": (160, 30, 200),
}
Coloured = Callable[..., Recipe]


@pytest.fixture(scope="module")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Coloured:
    """Recipes on 28 training, 7 validation, 14 test videos of 20 frames whose colour tells the label (1 of 7)."""
    folder = tmp_path_factory.mktemp("coloured")
    clips = []
    for split, count in (("train", 4), ("validation", 1), ("test", 2)):
        for label, colour in COLOURS.items():
            for i in range(count):
                random = np.random.default_rng([len(clips), 5])
                frames = np.clip(np.array(colour) + random.normal(0, 25, (20, 32, 32, 3)), 0, 255).astype(np.uint8)
                write_mp4(frames, folder / f"{split}-{label}-{i}.mp4", 32, 10)
                clips.append(Clip(f"{split}-{label}-{i}", f"{split}-{label}-{i}.mp4", label, split=split))  # type: ignore[arg-type]
    metadata = {"root": str(folder), "label_set": "dfew", "dataset": "csv"}
    write_table(to_table(clips, Clip, metadata), folder / "data" / "clips.parquet")
    extract_frames(folder / "data", keyframes=4, between=0, size=56, shards=1, workers=1)
    tiny_videomae(folder / "videomae")

    def recipe(**keys: Any) -> Recipe:
        values = {
            "data": folder / "data",
            "label_set": "dfew",
            "context": "none",
            "frame_size": 56,
            "image_size": 56,
            "resamples": 100,
            "sampling": "class_balanced",
            "epochs": 6,
            "per_device_train_batch_size": 8,
            "learning_rate": 3e-3,
            "warmup_steps": 2,
            "save_steps": 5,
            "baseline_model": folder / "videomae",
            **keys,
        }
        words = [word for key, value in values.items() for word in (f"--{key}", str(value))]
        return load_recipe(shipped_recipe("tiny/base.yaml"), words)

    return recipe


def tiny_videomae(folder: Path) -> None:
    """A random VideoMAE of the real architecture, 16 frames of 32 pixels."""
    from transformers import VideoMAEConfig, VideoMAEForVideoClassification, VideoMAEImageProcessor

    torch.manual_seed(0)
    config = VideoMAEConfig(
        image_size=32, patch_size=16, num_frames=16, tubelet_size=4, hidden_size=32, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=64, decoder_hidden_size=16, decoder_num_hidden_layers=1,
        decoder_num_attention_heads=2, decoder_intermediate_size=32,
    )  # fmt: skip
    VideoMAEForVideoClassification(config).save_pretrained(folder)
    VideoMAEImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)


@pytest.mark.parametrize("name", ["frames", "videomae"])
def test_a_vision_baseline_learns_and_writes_what_an_arm_writes(coloured: Coloured, tmp_path: Path, name: str) -> None:
    """Chance is 0.14; three standard deviations above it on 14 clips are 0.42."""
    metrics = run_baseline(name, coloured(arm=name, eval_strategy="steps", eval_steps=21), tmp_path)
    assert metrics["war"]["value"] > 0.7
    table = read_predictions(tmp_path / "predictions.parquet")
    assert len(table) == 14
    assert np.exp(table.logits).sum(1) == pytest.approx(1.0, abs=1e-5)
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["baseline"] == name
    log = json.loads((tmp_path / "training" / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    masses = [row["label_mass"] for row in log if "label_mass" in row]
    assert masses == pytest.approx([1.0] * len(masses), abs=1e-4)
    assert len(masses) > 3
    assert log[-1]["step"] == 6 * 28 // 8
    assert next(row["eval_war"] for row in log if "eval_war" in row) > 0.4


def test_the_draws_are_the_manifests_in_its_order(coloured: Coloured, tmp_path: Path) -> None:
    recipe = coloured(epochs=2, save_strategy="no")
    seen: list[str] = []
    model = vision.fit_classifier(recipe, lambda: FrameClassifier(4, 7), Recorded(seen), tmp_path / "run")
    draws = read_manifest(manifest_path(recipe)).draws
    assert seen == [draw.clip_id for draw in draws[: len(draws) // 8 * 8]]
    assert isinstance(model, FrameClassifier)


def test_a_run_that_was_cut_short_goes_on_to_the_same_weights(coloured: Coloured, tmp_path: Path) -> None:
    seen: list[str] = []
    whole = vision.fit_classifier(coloured(), lambda: FrameClassifier(4, 7), Recorded([]), tmp_path / "whole")
    folder = tmp_path / "cut"

    def stops(clip_ids: Sequence[str]) -> dict[str, Tensor]:
        if len(seen) >= 8 * 12:
            raise KeyboardInterrupt
        return Recorded(seen)(clip_ids)

    with pytest.raises(KeyboardInterrupt):
        vision.fit_classifier(coloured(), lambda: FrameClassifier(4, 7), stops, folder)
    assert (folder / "checkpoint-10").is_dir()
    again: list[str] = []
    gone_on = vision.fit_classifier(coloured(), lambda: FrameClassifier(4, 7), Recorded(again), folder)
    draws = read_manifest(manifest_path(coloured())).draws
    assert again == [draw.clip_id for draw in draws[80 : len(draws) // 8 * 8]]
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(gone_on.state_dict()[name], value, msg=name)
    with pytest.raises(ValueError, match="holds another run"):
        vision.fit_classifier(coloured(learning_rate=1e-4), lambda: FrameClassifier(4, 7), Recorded([]), folder)


def test_a_finished_baseline_is_read_and_not_trained_again(coloured: Coloured, tmp_path: Path) -> None:
    recipe = coloured(epochs=2, save_strategy="no")
    first = vision.fit_classifier(recipe, lambda: FrameClassifier(4, 7), Recorded([]), tmp_path)
    seen: list[str] = []
    second = vision.fit_classifier(recipe, lambda: FrameClassifier(4, 7), Recorded(seen), tmp_path)
    assert seen == []
    for name, value in first.state_dict().items():
        assert torch.equal(second.state_dict()[name], value), name
    provenance = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["world"] == {"processes": 1, "strategy": "single"}
    other = coloured(epochs=2, save_strategy="no", learning_rate=1e-4)
    with pytest.raises(ValueError, match=r"holds another run \(learning_rate"):
        vision.fit_classifier(other, lambda: FrameClassifier(4, 7), Recorded([]), tmp_path)


def test_the_loss_is_balanced_as_the_recipe_says(coloured: Coloured, tmp_path: Path) -> None:
    """An adjustment of the logits by the drawn prior changes what is learned from the same draws."""
    recipes = [coloured(sampling="natural", loss=loss, save_strategy="no") for loss in ("cross_entropy", "focal")]
    first, second = (
        vision.fit_classifier(recipe, lambda: FrameClassifier(4, 7), Recorded([]), tmp_path / str(i))
        for i, recipe in enumerate(recipes)
    )
    assert not torch.equal(first.state_dict()["leave.weight"], second.state_dict()["leave.weight"])


class Recorded:
    """Inputs that note what was asked for: embeddings that are a function of the clip's id."""

    def __init__(self, seen: list[str]) -> None:
        self.seen = seen

    def __call__(self, clip_ids: Sequence[str]) -> dict[str, Tensor]:
        self.seen.extend(clip_ids)
        made = {name: torch.full((2, 4), float(len(name))) + torch.arange(4) for name in clip_ids}
        return Padded(made)(clip_ids)


def test_embeddings_are_those_of_the_frozen_tower_once_a_frame(coloured: Coloured) -> None:
    recipe = coloured()
    ids = [clip.clip_id for clip in usable_clips(recipe, "test")[0]][:3]
    first, second = embed_frames(recipe, ids), embed_frames(recipe, ids)
    for clip_id in ids:
        assert first[clip_id].shape[0] == 4
        assert torch.equal(first[clip_id], second[clip_id])
        assert not first[clip_id].requires_grad
    # Two clips of one batch have the embeddings that they have alone, whatever their numbers of frames.
    inputs = Padded({"a": torch.randn(2, 6), "b": torch.randn(5, 6)})
    model = FrameClassifier(6, 7).eval()
    both, alone = model(**inputs(["a", "b"])), model(**inputs(["a"]))
    torch.testing.assert_close(both[:1], alone)


def test_head_only_leaves_the_network_as_it_was(coloured: Coloured, tmp_path: Path) -> None:
    recipe = coloured(baseline_trains="head", epochs=2, save_strategy="no")
    run_baseline("videomae", recipe, tmp_path)
    from safetensors.torch import load_file

    trained = load_file(tmp_path / "training" / "model.safetensors")
    before = load_video_classifier(recipe.evaluation.baseline_model, tuple(COLOURS), head_only=True).state_dict()
    moved = {name for name, value in trained.items() if not torch.equal(value, before[name])}
    assert moved
    assert not any(name.startswith("network.videomae.") for name in moved)


def test_videos_are_read_at_segment_centres_and_short_ones_repeat_frames(coloured: Coloured) -> None:
    from transformers import AutoImageProcessor

    recipe = coloured()
    clips = usable_clips(recipe, "test")[0]
    inputs = VideoInputs(recipe, clips, AutoImageProcessor.from_pretrained(recipe.evaluation.baseline_model), 16)
    assert inputs([clips[0].clip_id, clips[1].clip_id])["pixel_values"].shape == (2, 16, 3, 32, 32)
    rows = inputs.decode(clips[0])
    assert isinstance(rows, list)
    # 20 frames at 10 a second: the centres of 16 segments of 2 s.
    assert [row["index"] for row in rows] == [int((k + 0.5) * 20 / 16) for k in range(16)]
    longer = VideoInputs(recipe, clips, inputs.processor, 32)
    assert len(longer.pictures(clips[0].clip_id)) == 32


def test_what_is_no_videomae_is_refused(coloured: Coloured, tmp_path: Path) -> None:
    from emotrain.modeling.loading import resolve_name

    with pytest.raises(ValueError, match="is a qwen2_5_vl, not a VideoMAE"):
        run_baseline("videomae", coloured(baseline_model=resolve_name("tiny")), tmp_path)
    with pytest.raises(ValueError, match="baseline_trains: 'body' is not one of all, head"):
        coloured(baseline_trains="body")


def test_the_manifest_is_drawn_when_it_is_missing(coloured: Coloured) -> None:
    assert ensure_manifest(coloured(epochs=1)).exists()
