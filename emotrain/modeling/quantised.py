"""A base in four or eight bits (QLoRA): the language model's layers alone, and the same wherever the adapter goes.

The frozen vision side is small beside the language model and every answer rests on it, so it keeps its type. An adapter
learns around the rounding of its base, so its input contract says how that was quantised.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from torch import nn

from emotrain.modeling.families import family, language_model

PACKAGE = "bitsandbytes"
REMEDY = "pip install 'emotrain[quantised]'"


def quantisation(model_keys: Any) -> dict[str, Any] | None:
    """What a recipe's `load_in_4bit`, `load_in_8bit` and `bnb_*` say, as a contract holds it; None without them."""
    if not model_keys.load_in_4bit and not model_keys.load_in_8bit:
        return None
    if model_keys.load_in_8bit:
        return {"bits": 8}
    found = {"bits": 4, "type": model_keys.bnb_4bit_quant_type, "nested": bool(model_keys.use_bnb_nested_quant)}
    storage = model_keys.bnb_4bit_quant_storage
    return found if storage is None else found | {"storage": str(storage).removeprefix("torch.")}


def quantised(name: str, revision: str, found: Mapping[str, Any] | None, dtype: Any, *, trust: bool = False) -> Any:
    """transformers' configuration for a base that is quantised so, its vision side left out; None for None.

    Raises ValueError where bitsandbytes is not installed.
    """
    if found is None:
        return None
    if find_spec(PACKAGE) is None:
        raise ValueError(f"the base is to be loaded in {found['bits']} bits and {PACKAGE} is not installed; {REMEDY}")
    import torch
    from transformers import AutoConfig, BitsAndBytesConfig

    config = AutoConfig.from_pretrained(name, revision=revision, trust_remote_code=trust)
    skipped = kept_whole(config)
    if found["bits"] == 8:
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=skipped)
    computes = dtype if isinstance(dtype, torch.dtype) else getattr(torch, str(dtype), torch.bfloat16)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_compute_dtype=computes,
        bnb_4bit_quant_type=found["type"],
        bnb_4bit_use_double_quant=found["nested"],
        bnb_4bit_quant_storage=found.get("storage"),
        llm_int8_skip_modules=skipped,
    )


def kept_whole(config: Any) -> list[str]:
    """Names of the linear layers that are not the language model's: those of the vision side, and the head."""
    import torch
    from transformers import AutoModelForImageTextToText

    family(config.model_type)
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    inside = {id(module) for module in language_model(model).modules()}
    return [
        name for name, module in model.named_modules() if isinstance(module, nn.Linear) and id(module) not in inside
    ]
