"""Models and processors load from a folder offline; adapters touch the language model alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from emotrain.emotions import LABEL_SETS
from emotrain.modeling.label_scoring import label_logits
from emotrain.modeling.label_tokens import processor_labels
from emotrain.modeling.loading import load_model, load_processor, resolve_name
from emotrain.modeling.lora import language_model_linears, lora_config
from emotrain.modeling.tiny import VisionLanguageModel, random_tiny


@pytest.fixture(scope="module")
def folder(tiny: VisionLanguageModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint")
    tiny.model.save_pretrained(path)
    tiny.processor.save_pretrained(path)
    return path


def test_a_saved_checkpoint_scores_the_same(
    folder: Path, tiny: VisionLanguageModel, prompts: Callable[..., dict[str, torch.Tensor]]
) -> None:
    model, processor = load_model(str(folder), "float32"), load_processor(str(folder))
    labels = processor_labels(processor, LABEL_SETS["mafw"].labels)
    with torch.no_grad():
        expected = label_logits(tiny.model, prompts(), labels)
        torch.testing.assert_close(label_logits(model, prompts(processor=processor), labels), expected)


def test_vision_is_frozen_unless_asked(folder: Path) -> None:
    model = load_model(str(folder), torch.bfloat16)
    trainable = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert trainable
    assert all("language_model" in name for name in trainable)
    assert not any(p.requires_grad for p in model.model.visual.parameters())
    assert model.dtype == torch.bfloat16
    assert all(p.requires_grad for p in load_model(str(folder), "float32", train_vision=True).parameters())


def test_image_size_fixes_the_number_of_visual_tokens(
    folder: Path, prompts: Callable[..., dict[str, torch.Tensor]]
) -> None:
    processor = load_processor(str(folder), image_size=112)
    assert prompts((1,), processor)["image_grid_thw"].tolist() == [[1, 8, 8]]
    with pytest.raises(ValueError, match="smaller than one visual token of this model, 28 pixels"):
        load_processor(str(folder), image_size=20)


def test_a_missing_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no config\.json"):
        resolve_name(str(tmp_path))
    assert resolve_name("Qwen/Qwen2.5-VL-3B-Instruct") == "Qwen/Qwen2.5-VL-3B-Instruct"


def test_lora_pattern_matches_exactly_the_language_models_linears(tiny: VisionLanguageModel) -> None:
    pattern = re.compile(language_model_linears(tiny.model))
    linears = {name for name, module in tiny.model.named_modules() if isinstance(module, nn.Linear)}
    wanted = {name for name in linears if ".language_model." in name}
    assert len(wanted) == 2 * 7
    assert any(".visual." in name for name in linears)
    assert {name for name, _ in tiny.model.named_modules() if pattern.fullmatch(name)} == wanted


def test_adapters_sit_on_the_language_model_only() -> None:
    from peft import get_peft_model

    model = get_peft_model(random_tiny(seed=3).model, lora_config(random_tiny(seed=3).model, r=2, rslora=True))
    trainable = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert len(trainable) == 2 * 7 * 2
    assert all(".language_model.layers." in name and "lora_" in name for name in trainable)
    # The pattern is computed through wrappers too, for a second adapter.
    assert language_model_linears(random_tiny(seed=3).model) == lora_config(random_tiny(seed=3).model).target_modules
