"""A quantised base keeps its vision side whole, and whoever loads the adapter is told how it was quantised."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from family_checkpoints import MADE
from transformers import AutoConfig

from emotrain.examples.contract_schema import contract_faults
from emotrain.modeling.families import FAMILIES
from emotrain.modeling.loading import load_model
from emotrain.modeling.quantised import kept_whole, quantisation

NF4 = {"bits": 4, "type": "nf4", "nested": True}


@pytest.mark.parametrize("name", list(FAMILIES))
def test_everything_outside_the_language_model_is_left_out(checkpoints: Path, name: str) -> None:
    kept = kept_whole(AutoConfig.from_pretrained(checkpoints / name))
    assert "lm_head" in kept
    others = [module for module in kept if module != "lm_head"]
    assert others
    assert all(module.startswith(MADE[name].vision) for module in others)


def test_a_recipe_says_what_a_contract_holds() -> None:
    keys: dict[str, Any] = {"load_in_4bit": False, "load_in_8bit": False, "bnb_4bit_quant_type": "nf4"}
    keys |= {"use_bnb_nested_quant": True, "bnb_4bit_quant_storage": None}
    assert quantisation(SimpleNamespace(**keys)) is None
    assert quantisation(SimpleNamespace(**keys | {"load_in_8bit": True})) == {"bits": 8}
    assert quantisation(SimpleNamespace(**keys | {"load_in_4bit": True})) == NF4


@pytest.mark.parametrize(
    ("value", "sound"),
    [
        (None, True),
        ({"bits": 8}, True),
        (NF4, True),
        (NF4 | {"storage": "bfloat16"}, True),
        ({"bits": 4}, False),
        ({"bits": 2}, False),
        (NF4 | {"device_map": "auto"}, False),
        (NF4 | {"type": "/etc/passwd"}, False),
        ("nf4", False),
    ],
)
def test_a_contract_says_how_the_base_was_quantised_and_nothing_else(value: Any, sound: bool) -> None:
    from emotrain.context.prompt import PromptSettings
    from emotrain.examples.input_contract import InputContract
    from emotrain.recipe.arguments import ContextArguments
    from emotrain.video.frame_settings import FrameSettings

    context = {k: v for k, v in asdict(ContextArguments()).items() if k not in ("summarizer_options", "cues")}
    made = InputContract(("anger", "fear"), asdict(FrameSettings()), context, asdict(PromptSettings()))
    found = contract_faults(asdict(replace(made, quantisation=value)))
    assert (found == []) == sound, found


def test_without_the_package_the_extra_is_named(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emotrain.modeling.quantised.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"in 4 bits and bitsandbytes is not installed; pip install 'emotrain\[quant"):
        load_model(str(checkpoints / "qwen2_5_vl"), "bfloat16", quantization=NF4)


def test_with_the_package_only_the_blocks_of_the_language_model_are_quantised(checkpoints: Path) -> None:
    pytest.importorskip("bitsandbytes")
    model = load_model(str(checkpoints / "qwen2_5_vl"), "bfloat16", quantization=NF4)
    found = {name for name, module in model.named_modules() if type(module).__name__ == "Linear4bit"}
    assert len(found) == 2 * 7
    assert all(name.startswith("model.language_model.layers.") for name in found)
