"""A frozen vision side takes no part in the backward pass, and nothing else changes by that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from family_checkpoints import MADE
from peft import LoraConfig, get_peft_model
from PIL import Image
from torch import nn
from transformers.utils import ModelOutput

from emotrain.modeling.chats import encode_chats
from emotrain.modeling.frozen import spare_backward
from emotrain.modeling.label_scoring import label_logits
from emotrain.modeling.label_tokens import processor_labels
from emotrain.modeling.loading import load_model, load_processor
from emotrain.modeling.lora import lora_config


def step(model: Any, processor: Any, side: int) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of one step as TRL sets it up: LoRA, gradient checkpointing, inputs that require gradients."""
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8))
    content = [{"type": "image"}, {"type": "text", "text": "Which emotion does the person show?"}]
    torch.manual_seed(0)
    adapted = get_peft_model(model, lora_config(model, r=2)).train()
    adapted.enable_input_require_grads()
    adapted.activation_checkpointing_enable()
    batch = encode_chats(processor, [[{"role": "user", "content": content}]], [[picture]])
    loss = -label_logits(adapted, batch, processor_labels(processor, ("anger", "fear")))[:, 0].sum()
    loss.backward()
    return loss.item(), {key: p.grad for key, p in adapted.named_parameters() if p.grad is not None}


def watched(model: nn.Module, prefixes: tuple[str, ...]) -> list[bool]:
    """Filled by the next call: whether each tensor that a module of the vision side gives carries a graph."""
    seen: list[bool] = []

    def look(module: nn.Module, args: Any, output: Any) -> None:
        given = output.to_tuple() if isinstance(output, ModelOutput) else output
        for tensor in given if isinstance(given, (tuple, list)) else [given]:
            if isinstance(tensor, torch.Tensor):
                seen.append(tensor.grad_fn is not None)

    for key, module in model.named_modules():
        if key.startswith(prefixes):
            module.register_forward_hook(look)
    return seen


@pytest.mark.parametrize("kind", MADE)
def test_checkpointing_runs_the_frozen_tower_forward_only_and_changes_no_gradient(kind: str, checkpoints: Path) -> None:
    made, folder = MADE[kind], str(checkpoints / kind)
    processor = load_processor(folder, image_size=made.side)
    spared, plain = load_model(folder, "float32"), load_model(folder, "float32", train_vision=True)
    trained = {key for key, p in spared.named_parameters() if p.requires_grad}
    for key, parameter in plain.named_parameters():
        parameter.requires_grad_(key in trained)
    of_spared, of_plain = watched(spared, made.vision), watched(plain, made.vision)
    loss, gradients = step(spared, processor, made.side)
    expected_loss, expected = step(plain, processor, made.side)
    if kind == "qwen2_5_vl":
        assert any(of_plain), "the library spares the tower by itself now: frozen.py can go"
    assert of_spared
    assert not any(of_spared)
    assert loss == expected_loss
    assert gradients.keys() == expected.keys()
    assert any(bool(g.abs().max() > 0) for g in gradients.values())
    for key, gradient in gradients.items():
        assert torch.equal(gradient, expected[key]), key


def test_an_adapter_in_the_tower_learns_as_usual(checkpoints: Path) -> None:
    kind = "qwen2_5_vl"
    processor = load_processor(str(checkpoints / kind), image_size=MADE[kind].side)
    model = load_model(str(checkpoints / kind), "float32")
    adapted = get_peft_model(model, LoraConfig(r=2, target_modules=r".*visual\.blocks\.\d+\.attn\.proj"))
    content = [{"type": "image"}, {"type": "text", "text": "?"}]
    batch = encode_chats(processor, [[{"role": "user", "content": content}]], [[Image.new("RGB", (56, 56), "red")]])
    label_logits(adapted, batch, processor_labels(processor, ("anger", "fear")))[:, 0].sum().backward()
    gradients = [p.grad for key, p in adapted.named_parameters() if "lora_B" in key]
    assert gradients
    assert all(g is not None and bool(g.abs().max() > 0) for g in gradients)


def test_an_input_that_asks_for_a_gradient_gets_one_and_the_mode_comes_back_after_an_error() -> None:
    module = nn.Sequential(nn.Linear(3, 2)).requires_grad_(False)
    spare_backward(module)
    asking = torch.ones(1, 3, requires_grad=True)
    module(asking).sum().backward()
    assert asking.grad is not None
    assert not module(torch.ones(1, 3)).requires_grad
    with pytest.raises(RuntimeError):
        module(torch.ones(1, 7))
    assert torch.is_grad_enabled()
    with torch.no_grad():
        assert not module(asking).requires_grad
        assert not torch.is_grad_enabled()
