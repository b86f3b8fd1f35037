"""The memory estimate bounds what a real step keeps, and a batch that is said to fit does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from emotrain.balance.manifest import read_manifest
from emotrain.examples.manifests import ensure_manifest
from emotrain.planning.flops import ClipTokens
from emotrain.planning.memory import GIB, STRATEGIES, MemorySettings, block_bytes, largest_batch, step_memory
from emotrain.planning.shapes import read_shapes
from emotrain.recipe.recipe import load_recipe
from emotrain.training.train import build_trainer

TOKENS = ClipTokens(300, 512, 22, 23, ((16, 16),) * 8)


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_the_activations_that_a_real_step_saves_stay_below_the_estimate(
    prepared: Any, tmp_path: Path, dropout: float
) -> None:
    recipe = load_recipe(
        prepared.recipe(tmp_path, context="none", epochs=1, epoch_size=4, lora_dropout=dropout, save_strategy="no")
    )
    trainer = build_trainer(recipe, read_manifest(ensure_manifest(recipe)))
    batch = next(iter(trainer.get_train_dataloader()))
    parameters = {p.untyped_storage().data_ptr() for p in trainer.model.parameters()}
    saved: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    trainer.model.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = trainer.compute_loss(trainer.model, dict(batch))
    loss.backward()

    shapes = read_shapes("tiny")
    tree = sum(len(tokens) - 1 for tokens in trainer.labels.tokens)
    rows, length = batch["input_ids"].shape
    settings = MemorySettings(dtype="float32", bf16=False, dropout=dropout > 0, checkpointing=False)
    layers = shapes.language.layers * block_bytes(shapes, settings, rows, length + tree)
    logits = 20.0 * rows * (tree + 1) * shapes.language.vocabulary
    assert sum(saved.values()) <= layers + logits
    assert sum(saved.values()) >= 0.5 * (layers + logits), "an estimate of twice the truth would buy twice the GPUs"


def test_weights_and_adapters_are_the_bytes_of_the_real_model() -> None:
    from peft import get_peft_model

    from emotrain.modeling.loading import load_model
    from emotrain.modeling.lora import lora_config

    model = load_model("tiny", torch.float32)
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    adapted = get_peft_model(model, lora_config(model, r=4))
    trained = sum(p.numel() * p.element_size() for p in adapted.parameters() if p.requires_grad)
    memory = step_memory(read_shapes("tiny"), TOKENS, MemorySettings(dtype="float32", rank=4), batch=1)
    assert memory.weights == weights
    assert memory.training == 4 * trained, "weights, gradients and two moments of AdamW"


def test_the_largest_batch_fits_and_one_more_does_not() -> None:
    shapes, settings = read_shapes("Qwen/Qwen2.5-VL-3B-Instruct"), MemorySettings()
    for room in (24.0, 80.0):
        batch = largest_batch(shapes, TOKENS, settings, room)
        assert step_memory(shapes, TOKENS, settings, batch=batch).total <= room * GIB
        assert step_memory(shapes, TOKENS, settings, batch=batch + 1).total > room * GIB
    assert largest_batch(shapes, TOKENS, settings, 6.0) == 0, "the weights alone need more"


def test_strategies_shard_what_they_say() -> None:
    shapes, settings = read_shapes("Qwen/Qwen2.5-VL-7B-Instruct"), MemorySettings()
    by = {s: step_memory(shapes, TOKENS, settings, batch=1, strategy=s, gpus=8) for s in STRATEGIES}
    alone = step_memory(shapes, TOKENS, settings, batch=1)
    assert by["ddp"] == alone
    assert (by["zero2"].weights, by["zero2"].training < alone.training) == (alone.weights, True)
    assert by["zero3"].weights < alone.weights / 4
    assert by["fsdp2"] == by["zero3"]


@pytest.mark.parametrize(
    ("changed", "part"),
    [({"checkpointing": False}, "activations"), ({"eager": True}, "activations"), ({"rank": 64}, "training")],
)
def test_settings_that_cost_memory_cost_it_where_they_act(changed: dict[str, Any], part: str) -> None:
    shapes = read_shapes("Qwen/Qwen2.5-VL-3B-Instruct")
    base = step_memory(shapes, TOKENS, MemorySettings(), batch=2)
    more = step_memory(shapes, TOKENS, MemorySettings(**changed), batch=2)
    assert getattr(more, part) > getattr(base, part)


def test_a_quantised_base_is_smaller() -> None:
    shapes = read_shapes("Qwen/Qwen2.5-VL-7B-Instruct")
    sizes = [step_memory(shapes, TOKENS, MemorySettings(bits=bits), batch=1).weights for bits in (4, 8, None)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.5 * sizes[2]
