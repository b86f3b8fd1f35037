"""A micro-batch asks the device for nothing that the host has to wait for; counted where tensors are asked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode

from emotrain.balance.manifest import read_manifest
from emotrain.examples.manifests import ensure_manifest
from emotrain.recipe.recipe import load_recipe
from emotrain.training.train import build_trainer

WAITS = ("item", "tolist", "numpy", "cpu", "nonzero", "unique", "masked_select", "repeat_interleave", "equal")
WAITS += ("__bool__", "__int__", "__float__", "__index__", "__contains__")


class Asked(TorchFunctionMode):
    """Counts what a GPU would make the host wait for, by name and the line that asks."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        by_mask = name in ("__getitem__", "__setitem__", "index_put_") and _has_mask(args[1:])
        if name in WAITS or by_mask:
            self.found[name] += 1
        return func(*args, **(kwargs or {}))


def _has_mask(places: Any) -> bool:
    flat = places if isinstance(places, (tuple, list)) else (places,)
    return any(
        _has_mask(place) if isinstance(place, (tuple, list)) else getattr(place, "dtype", None) == torch.bool
        for place in flat
    )


@pytest.mark.parametrize("stored", [False, True], ids=["pixels", "stored features"])
def test_a_micro_batch_lets_the_host_run_ahead(bench: Any, tmp_path: Path, stored: bool) -> None:
    from emotrain.preparation.embed import embed_keyframes

    keys: dict[str, Any] = {"gradient_checkpointing": True, "gradient_accumulation_steps": 2, "lora_dropout": 0.05}
    keys |= {"class_weights": "inverse_frequency", "vision_embeddings": "stored"} if stored else {}
    recipe = load_recipe(bench.recipe(tmp_path, per_device_train_batch_size=2, **keys))
    if stored:
        embed_keyframes(recipe)
    trainer = build_trainer(recipe, read_manifest(ensure_manifest(recipe)))
    batches = iter(trainer.get_train_dataloader())
    trainer.model.train()
    trainer.training_step(trainer.model, next(batches), num_items_in_batch=torch.tensor(4.0))
    batch = next(batches)
    with Asked() as asked:
        trainer.training_step(trainer.model, batch, num_items_in_batch=torch.tensor(4.0))
    assert dict(asked.found) == {}
