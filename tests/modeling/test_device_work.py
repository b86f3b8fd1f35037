"""What is done before or beside the device changes no score of any family, in bfloat16 neither."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import torch
from family_chats import LABELS, chats, encoded
from family_checkpoints import MADE
from torch import Tensor

from emotrain.modeling.families import FAMILIES
from emotrain.modeling.image_features import image_features
from emotrain.modeling.label_scoring import label_logits
from emotrain.modeling.label_tokens import LabelTokens, processor_labels
from emotrain.modeling.label_tree import plant
from emotrain.modeling.loading import load_model, load_processor
from emotrain.modeling.lora import lora_config
from emotrain.modeling.prompt_layout import layout_of
from emotrain.modeling.windows import WINDOWS, use_windows

torch.set_num_threads(1)
families = pytest.mark.parametrize("name", list(FAMILIES))
TOWERS = tuple(name for name, kind in FAMILIES.items() if kind.positions == "axes")


@functools.lru_cache(maxsize=2)
def ready(folder: Path, dtype: str = "bfloat16") -> tuple[Any, dict[str, Tensor], LabelTokens]:
    """A model, three chats of two, one and three keyframes, and labels."""
    processor = load_processor(str(folder), image_size=MADE[folder.name].side)
    return load_model(str(folder), dtype), encoded(processor, chats()), processor_labels(processor, LABELS)


def adapted(folder: Path, dtype: str, fused: bool) -> Any:
    """A model with the same LoRA, whose B is not nought, in training mode; PEFT's own layers unless `fused`."""
    from peft import get_peft_model

    model = load_model(str(folder), dtype)
    config = lora_config(model, 4, 6)
    config._custom_modules = config._custom_modules if fused else None
    torch.manual_seed(0)
    model = get_peft_model(model, config)
    for key, parameter in model.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(parameter, std=0.05)
    model.enable_input_require_grads()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model.train()


@families
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_batch_laid_out_by_the_loader_scores_bit_for_bit_the_same(checkpoints: Path, name: str, dtype: str) -> None:
    model, batch, labels = ready(checkpoints / name, dtype)
    laid = layout_of(model)(batch)
    assert laid["pixel_values"].dtype == getattr(torch, dtype), "half as many bytes travel"
    with torch.no_grad():
        expected = label_logits(model, batch, labels)
        assert torch.equal(label_logits(model, laid, labels), expected)
        behind = sum(len(tokens) - 1 for tokens in labels.tokens)
        padded = layout_of(model, multiple=32, behind=behind)(batch)
        assert (padded["input_ids"].shape[1] + behind) % 32 == 0
        # Sums of another length are taken in another order.
        rounding = 1e-4 if dtype == "float32" else 0.05
        assert (label_logits(model, padded, labels) - expected).abs().max() < rounding


@pytest.mark.parametrize("name", TOWERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("grid", [(8, 8), (10, 6)], ids=["equal windows", "windows cut off at the edge"])
def test_windows_in_one_call_see_bit_for_bit_what_they_see_one_by_one(
    name: str, dtype: torch.dtype, grid: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model, _ = MADE[name].build()
    model = model.to(dtype).eval()
    vision = model.config.vision_config
    pixels = torch.randn(3 * grid[0] * grid[1], 6 * vision.patch_size**2)
    batch = {"pixel_values": pixels, "image_grid_thw": torch.tensor([[1, *grid]] * 3)}
    calls: list[int] = []
    plain = torch.nn.functional.scaled_dot_product_attention

    def counted(*args: Any, **kwargs: Any) -> Tensor:
        calls.append(len(args[0]))
        return plain(*args, **kwargs)

    monkeypatch.setattr("emotrain.modeling.windows.scaled_dot_product_attention", counted)
    expected = image_features(model, batch)
    assert calls == []
    assert use_windows(model)
    assert torch.equal(image_features(model, batch), expected)
    if grid == (8, 8):
        assert len(calls) == len(model.model.visual.blocks), "one call a layer"


def test_the_tower_attends_as_the_recipe_says(checkpoints: Path) -> None:
    folder = str(checkpoints / "qwen2_5_vl")
    chosen = {None: WINDOWS, "windows": WINDOWS, "sdpa": "sdpa", "eager": "eager"}
    for word, expected in chosen.items():
        model = load_model(folder, vision_attention=word)
        assert model.config.vision_config._attn_implementation == expected
        assert model.config.get_text_config()._attn_implementation == "sdpa"
    assert load_model(folder, attn_implementation="eager").config.vision_config._attn_implementation == "eager"
    assert not torch.backends.cuda.cudnn_sdp_enabled(), "it makes a plan for every length"


@families
def test_the_fused_adapter_is_pefts_own_and_no_farther_from_the_truth_in_bfloat16(checkpoints: Path, name: str) -> None:
    folder = checkpoints / name
    _, batch, labels = ready(folder)

    def trained(dtype: str, fused: bool) -> tuple[Tensor, dict[str, Tensor]]:
        model = adapted(folder, dtype, fused)
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
            logits = label_logits(model, batch, labels)
        (-logits[:, 0].mean()).backward()
        return logits.detach(), {key: p.grad for key, p in model.named_parameters() if p.grad is not None}

    (ours, our_gradients), (theirs, their_gradients) = trained("float32", True), trained("float32", False)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    assert our_gradients.keys() == their_gradients.keys(), "the names of the file format"
    for key, gradient in their_gradients.items():
        torch.testing.assert_close(our_gradients[key], gradient, atol=1e-5, rtol=1e-4)
    off = {fused: trained("bfloat16", fused)[1] for fused in (True, False)}
    errors = {
        fused: float(sum((value.float() - their_gradients[key]).square().sum() for key, value in found.items()))
        for fused, found in off.items()
    }
    assert errors[True] < 1.5 * errors[False]


def test_an_adapter_switched_off_merged_or_of_another_kind_goes_pefts_own_way(checkpoints: Path) -> None:
    from peft import get_peft_model

    _, batch, labels = ready(checkpoints / "qwen2_vl", "float32")
    model = adapted(checkpoints / "qwen2_vl", "float32", True).eval()
    with torch.no_grad():
        expected = label_logits(model, batch, labels)
        with model.disable_adapter():
            plain = label_logits(model, batch, labels)
        model.merge_adapter()
        merged = label_logits(model, batch, labels)
    assert (plain - expected).abs().max() > 1e-3
    torch.testing.assert_close(merged, expected, atol=1e-4, rtol=0)
    base = load_model(str(checkpoints / "qwen2_vl"), "float32")
    dora = get_peft_model(base, lora_config(base, 4, 6, dora=True))
    with torch.no_grad():
        torch.testing.assert_close(label_logits(dora, batch, labels), plain, atol=1e-4, rtol=0)


@families
def test_a_bfloat16_model_scores_the_labels_with_a_float32_head(checkpoints: Path, name: str) -> None:
    model, batch, labels = ready(checkpoints / name)
    head, seen = model.get_output_embeddings(), []
    hook = head.register_forward_hook(lambda module, given, output: seen.append(given[0]))
    with torch.no_grad():
        exact = label_logits(model, batch, labels)
        hook.remove()
        truth = tree_scores(seen[0].double() @ head.weight.double().T, labels)
        rounded = tree_scores(torch.nn.functional.linear(seen[0], head.weight).float(), labels)
    assert exact.dtype == torch.float32
    assert (exact - truth).abs().max() < 1e-4
    assert (rounded - truth).abs().max() > 1e-3, "what a head in bfloat16 would be off by"


def tree_scores(logits: Tensor, labels: LabelTokens) -> Tensor:
    """Label scores (B, C) from the logits of the end of the prompt and of the tree's tokens."""
    tree = plant(labels)
    each = logits.log_softmax(-1)[:, tree.source, tree.target]
    return each.new_zeros(len(each), len(labels)).scatter_add(1, tree.owner.expand(len(each), -1), each)


@families
def test_fsdp_finds_every_class_of_blocks_that_a_model_names(checkpoints: Path, name: str) -> None:
    from accelerate import FullyShardedDataParallelPlugin
    from peft import get_peft_model

    model = load_model(str(checkpoints / name), "float32")
    model = get_peft_model(model, lora_config(model, 2, 4))
    plugin = FullyShardedDataParallelPlugin(fsdp_version=2, auto_wrap_policy="transformer_based_wrap")
    plugin.set_auto_wrap_policy(model)
    wrapped = plugin.auto_wrap_policy.keywords["transformer_layer_cls"]
    blocks = [module for module in model.modules() if type(module) in wrapped]
    assert len(blocks) >= 2 * 2, "the blocks of the language model and of the tower"
