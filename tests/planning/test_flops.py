"""The operations written out are those that torch counts in a real training step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from family_checkpoints import MADE, save
from peft import get_peft_model
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from emotrain.balance.manifest import read_manifest
from emotrain.examples.manifests import ensure_manifest
from emotrain.modeling.chats import encode_chats
from emotrain.modeling.label_scoring import label_logits
from emotrain.modeling.label_tokens import processor_labels
from emotrain.modeling.loading import load_model, load_processor
from emotrain.modeling.lora import lora_config
from emotrain.modeling.tiny_architecture import tiny_config
from emotrain.modeling.tiny_tokenizer import train_tokenizer
from emotrain.planning.flops import ClipTokens, step_flops, vision_flops
from emotrain.planning.prompts import make_counter
from emotrain.planning.shapes import read_shapes, shapes_of
from emotrain.recipe.recipe import load_recipe
from emotrain.training.train import build_trainer


def counting() -> FlopCounterMode:
    """torch's counter, told about the fused attention of the CPU and sums in place, which it does not know."""
    aten = torch.ops.aten

    def forward(query: Any, key: Any, value: Any, *rest: Any, out_shape: Any = None, **more: Any) -> int:
        return sdpa_flop_count(query, key, value)

    def backward(
        gradient: Any, query: Any, key: Any, value: Any, *rest: Any, out_shape: Any = None, **more: Any
    ) -> int:
        return sdpa_backward_flop_count(gradient, query, key, value)

    def added(into: Any, left: Any, right: Any, *rest: Any, out_shape: Any = None, **more: Any) -> int:
        return int(2 * left[0] * left[1] * right[1])

    known = {
        aten.addmm_: added,
        aten._scaled_dot_product_flash_attention_for_cpu: forward,
        aten._scaled_dot_product_flash_attention_for_cpu_backward: backward,
    }
    return FlopCounterMode(display=False, custom_mapping=known)


@pytest.mark.parametrize(("checkpointing", "tolerance"), [(False, 1e-6), (True, 0.04)])
def test_one_real_training_step_costs_what_is_written_out(
    prepared: Any, tmp_path: Path, checkpointing: bool, tolerance: float
) -> None:
    """With checkpointing the last layers of a block are not run again, which the formula does not know."""
    recipe = load_recipe(
        prepared.recipe(
            tmp_path, context="none", epochs=1, epoch_size=4, gradient_checkpointing=checkpointing, save_strategy="no"
        )
    )
    trainer = build_trainer(recipe, read_manifest(ensure_manifest(recipe)))
    batch = next(iter(trainer.get_train_dataloader()))
    image = trainer.model.config.image_token_id
    rows, length = batch["input_ids"].shape
    visual = int((batch["input_ids"] == image).sum()) // rows
    grids = tuple((h, w) for _, h, w in batch["image_grid_thw"][: len(batch["image_grid_thw"]) // rows].tolist())
    tree = sum(len(tokens) - 1 for tokens in trainer.labels.tokens)
    tokens = ClipTokens(length - visual, visual, tree, tree + 1, grids)
    expected = step_flops(read_shapes("tiny"), tokens, recipe.model.lora_r, checkpointing=checkpointing)
    with counting() as counter:
        trainer.train()
    assert rows * expected.total == pytest.approx(counter.get_total_flops(), rel=tolerance)


@pytest.mark.parametrize("kind", MADE)
def test_a_step_of_every_family_costs_what_is_written_out(kind: str, tmp_path: Path) -> None:
    """A tiny checkpoint of each real architecture; a class token or a pooling here and there is not counted."""
    made = MADE[kind]
    save(made, tmp_path)
    model, processor = load_model(str(tmp_path), "float32"), load_processor(str(tmp_path), image_size=made.side)
    labels = processor_labels(processor, ("anger", "fear"))
    frame = Image.new("RGB", (made.side, made.side))
    content = [{"type": "text", "text": "brows lower"}, {"type": "image"}] * 2 + [{"type": "text", "text": "?"}]
    chat = [{"role": "user", "content": content}]
    batch = encode_chats(processor, [chat], [[frame] * 2])
    adapted = get_peft_model(model, lora_config(model, r=4)).train()
    with counting() as counter:
        label_logits(adapted, batch, labels).sum().backward()
    shapes = read_shapes(str(tmp_path))
    size = {"height": made.side, "width": made.side, "image_size": made.side}
    tokens = make_counter(shapes, processor, keyframes=2, labels=labels.labels, names=labels.labels, **size).count(chat)
    assert step_flops(shapes, tokens, 4).total == pytest.approx(counter.get_total_flops(), rel=0.03)


def test_attention_windows_of_odd_grids_are_counted_as_the_tower_cuts_them() -> None:
    from transformers import Qwen2_5_VLForConditionalGeneration

    config = tiny_config(train_tokenizer(()), width=48, text_layers=1, vision_depth=3)
    config.vision_config.window_size, config.vision_config.fullatt_block_indexes = 56, [1]
    tower = Qwen2_5_VLForConditionalGeneration(config).model.visual.eval()
    grids = ((6, 10), (4, 14))
    pixels = torch.randn(sum(h * w for h, w in grids), 3 * 2 * 14 * 14)
    with counting() as counter, torch.no_grad():
        tower(pixels, grid_thw=torch.tensor([(1, h, w) for h, w in grids]))
    vision = shapes_of("odd", config, "test").vision
    assert vision.window == 4
    visual = sum(h * w for h, w in grids) // 4
    assert vision_flops(vision, grids, visual) == counter.get_total_flops()


def test_padding_and_rank_cost_what_they_add() -> None:
    shapes = read_shapes("tiny")
    tokens = ClipTokens(100, 36, 11, 12, ((6, 6),) * 4)
    longer = ClipTokens(150, 36, 11, 12, ((6, 6),) * 4)
    assert step_flops(shapes, tokens, 8, padded_to=186).total == step_flops(shapes, longer, 8).total
    extra = step_flops(shapes, tokens, 16).total - step_flops(shapes, tokens, 8).total
    own = 6.0 * 8 * shapes.language.adapted * (136 + 11)
    assert extra == pytest.approx(own - 2.0 * 8 * shapes.language.entry_in * (136 + 11))
