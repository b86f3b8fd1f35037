"""Stored vision embeddings: the same training as with pixels, without looking, never with features of other frames."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from emotrain.examples.examples import Collator, Examples
from emotrain.examples.vision_embeddings import SCHEMA, VisionEmbeddings, embeddings_folder, row_of, stored_embeddings
from emotrain.modeling.image_features import FEATURES
from emotrain.preparation.embed import embed_keyframes
from emotrain.recipe.recipe import RecipeError, load_recipe
from emotrain.stages.parts import finished_parts
from emotrain.stages.report import TooManyBadClips
from emotrain.video.frame_store import FrameStore

Trained = Callable[..., tuple[Path, list[dict[str, Any]]]]


@pytest.fixture
def own(bench: Any, tmp_path: Path) -> Any:
    """The bench with a data folder and a base that a test may change."""
    shutil.copytree(bench.data, tmp_path / "data", ignore=shutil.ignore_patterns("embeddings"))
    shutil.copytree(bench.base, tmp_path / "base")
    return replace(bench, data=tmp_path / "data", base=tmp_path / "base")


def load(bench: Any, folder: Path, **values: Any) -> Any:
    return load_recipe(bench.recipe(folder, vision_embeddings="stored", **values))


def losses(history: list[dict[str, Any]]) -> list[float]:
    return [entry["loss"] for entry in history if "loss" in entry]


@pytest.mark.parametrize("checkpointing", [False, True])
def test_training_on_stored_features_never_looks_and_learns_the_same(
    trained: Trained, bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpointing: bool
) -> None:
    from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VisionTransformerPretrainedModel as Tower

    keys = {"epochs": 2, "eval_strategy": "steps", "eval_steps": 4, "gradient_checkpointing": checkpointing}
    _, computed = trained("computed", **keys)
    embed_keyframes(load(bench, tmp_path / "stored", **keys))

    def look(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the vision tower was asked")

    monkeypatch.setattr(Tower, "forward", look)
    _, stored = trained("stored", vision_embeddings="stored", **keys)
    assert len(losses(stored)) == 8
    assert losses(stored) == pytest.approx(losses(computed), rel=1e-5)
    assert [entry["eval_uar"] for entry in stored if "eval_uar" in entry] == [
        entry["eval_uar"] for entry in computed if "eval_uar" in entry
    ]


def test_a_batch_carries_features_and_no_pixels(own: Any, tmp_path: Path) -> None:
    recipe = load(own, tmp_path)
    embed_keyframes(recipe)
    from emotrain.examples.base_model import load_own_processor

    examples = Examples(recipe.data, recipe.context, ("anger", "neutral"))
    batch = Collator(examples, load_own_processor(recipe), stored_embeddings(recipe)).inputs(["clip00", "clip01"])
    assert not any(name.startswith("pixel") for name in batch)
    placeholders = (batch["mm_token_type_ids"] == 1).sum()
    assert batch[FEATURES].shape[:2] == (1, placeholders)
    assert batch[FEATURES].dtype == torch.float32


def test_the_stage_is_resumed_and_loads_no_model_for_what_is_done(
    own: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = load(own, tmp_path, prep_shards=3)
    assert embed_keyframes(recipe, only=(1, 3)).done.total() < 24
    assert embed_keyframes(recipe).done.total() == 24
    folder = embeddings_folder(recipe)
    assert len(finished_parts(folder)) == 3
    assert json.loads((folder / "embeddings.json").read_text(encoding="utf-8"))["image_size"] == 56

    def load_base(recipe: Any) -> Any:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr("emotrain.preparation.embed.load_base", load_base)
    assert embed_keyframes(recipe).done.total() == 24
    finished_parts(folder)[0].unlink()
    with pytest.raises(AssertionError, match="was loaded"):
        embed_keyframes(recipe)


def test_features_of_other_weights_or_another_size_lie_elsewhere(own: Any, tmp_path: Path) -> None:
    recipe = load(own, tmp_path)
    first = embeddings_folder(recipe)
    assert embeddings_folder(load(own, tmp_path, learning_rate=1e-3)) == first, "what training does is no matter"
    assert embeddings_folder(load(own, tmp_path, image_size=84)) != first
    assert embeddings_folder(load(own, tmp_path, dtype="bfloat16")) != first
    weights = own.base / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(bytes(changed))
    assert embeddings_folder(recipe) != first


def test_features_of_other_pictures_are_refused(own: Any, tmp_path: Path) -> None:
    recipe = load(own, tmp_path)
    embed_keyframes(recipe)
    store, frames = VisionEmbeddings(embeddings_folder(recipe)), FrameStore(own.data / "frames")
    shown = frames.keyframes("clip00")
    assert store.of("clip00", shown).shape[0] == 1
    for other in (frames.keyframes("clip01"), shown[:1], shown[::-1]):
        with pytest.raises(ValueError, match=r"'clip00' are of other keyframes .* delete this folder"):
            store.of("clip00", other)
    with pytest.raises(KeyError, match="'clip99' is not in"):
        store.of("clip99", shown)
    rows = pa.Table.from_pylist([row_of("clip00", shown, torch.zeros(1, 4, 8)) | {"shape": [1, 4, 9]}], schema=SCHEMA)
    pq.write_table(rows, tmp_path / "part-00000-of-00001.parquet")
    with pytest.raises(ValueError, match=r"'clip00' are 128 bytes of float32 \[1, 4, 9\], which do not fit"):
        VisionEmbeddings(tmp_path).of("clip00", shown)


def test_a_clip_without_frames_is_quarantined(own: Any, tmp_path: Path) -> None:
    part = finished_parts(own.data / "frames")[0]
    table = pq.read_table(part)
    lost = table["clip_id"][0].as_py()
    with pq.ParquetWriter(part, table.schema) as writer:
        for clip_id in sorted(set(table["clip_id"].to_pylist()) - {lost}):
            writer.write_table(table.filter([name == clip_id for name in table["clip_id"].to_pylist()]))
    recipe = load(own, tmp_path)
    with pytest.raises(TooManyBadClips, match="1 of 24 clips"):
        embed_keyframes(recipe)
    with pytest.raises(KeyError, match="no keyframes to embed"):
        VisionEmbeddings(embeddings_folder(recipe)).of(lost, [])


def test_training_without_the_stage_says_what_to_run(trained: Trained) -> None:
    with pytest.raises(FileNotFoundError, match=r"embeddings/\w+: no part-\*\.parquet; run `emotrain prep`"):
        trained(vision_embeddings="stored", image_size=84)


def test_what_would_make_stored_features_wrong_is_refused(trained: Trained, bench: Any, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="redraw_keyframes shows others at every epoch"):
        load(bench, tmp_path, redraw_keyframes=True, keyframe_policy="stratified", between=-1)
    with pytest.raises(RecipeError, match="'keep' is not one of computed, stored"):
        load_recipe(bench.recipe(tmp_path, vision_embeddings="keep"))
    embed_keyframes(load(bench, tmp_path))
    with pytest.raises(ValueError, match=r"weights of the vision side are trained .*visual"):
        trained(vision_embeddings="stored", lora_target_modules=["q_proj", "attn.proj"])
