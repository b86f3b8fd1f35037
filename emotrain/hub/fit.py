"""Whether plain PEFT can put an adapter on its base, and what the adapter then touches.

The base is built without weights (on torch's meta device) from its configuration, so a base of any size costs seconds
and one small download.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emotrain.base_files import check_base, read_as_base
from emotrain.hub.base import Base
from emotrain.modeling.adapter_config import read_config
from emotrain.modeling.adapters import WEIGHTS
from emotrain.modeling.module_patterns import module_pattern

LORA = re.compile(
    r"base_model\.model\.(?P<module>.+)\.lora_(?:A|B|embedding_A|embedding_B|magnitude_vector)(?:\.weight)?"
)
SHOWN = 3


def bad_numbers(folder: Path) -> list[str]:
    """Tensors that hold NaN or infinity, or the reason why the file cannot be read."""
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            names = list(file.keys())
            bad = [name for name in names if not torch.isfinite(file.get_tensor(name)).all()]
    except SafetensorError as error:
        return [f"{WEIGHTS}: not a whole safetensors file ({error}); save the adapter again"]
    if not names:
        return [f"{WEIGHTS}: no tensor in it"]
    return (
        [f"{WEIGHTS}: NaN or infinity in {_some(bad)}; this run diverged, publish an earlier checkpoint"] if bad else []
    )


def misfits(folder: Path, base: Base, values: Mapping[str, Any]) -> list[str]:
    """Why plain PEFT does not load the adapter on its base as it should, and what it touches without leave.

    Leave is: linear layers of the language model, or the `lora_target_modules` of the recipe `values`.
    """
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import safe_open

    try:
        config = read_config(folder)
    except ValueError:
        return []  # `lint` says why; PEFT does not get to see it
    if config.get("modules_to_save"):
        return [f"adapter_config.json: modules_to_save {config['modules_to_save']} replaces whole modules of the base"]
    with safe_open(folder / WEIGHTS, framework="pt") as file:
        held = set(file.keys())
    try:
        model = _without_weights(base)
    except (OSError, ValueError) as error:
        return [f"base model {base.name}: its configuration cannot be loaded ({_line(error)})"]
    allowed = _allowed(model, values)
    odd = sorted(name for name in held if (match := LORA.fullmatch(name)) is None or not allowed(match["module"]))
    faults = [f"{WEIGHTS}: {_some(odd)}: outside what the recipe lets an adapter touch"] if odd else []
    try:
        loaded = PeftModel.from_pretrained(model, str(folder), low_cpu_mem_usage=True)
    except (RuntimeError, ValueError, TypeError, KeyError) as error:
        return [*faults, f"PeftModel.from_pretrained fails on {base.name}: {_line(error)}"]
    wanted = set(get_peft_model_state_dict(loaded, save_embedding_layers=False))
    for names, what in ((wanted - held, "missing from the file"), (held - wanted, "not in the base")):
        if names:
            faults.append(f"{WEIGHTS}: {_some(sorted(names))}: {what}; is {base.name} the base it was trained on?")
    return faults


def _without_weights(base: Base) -> Any:
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    check_base(base.source, base.revision or "main")
    with read_as_base(base.source), torch.device("meta"):
        config = AutoConfig.from_pretrained(base.source, revision=base.revision or "main", trust_remote_code=False)
        return AutoModelForImageTextToText.from_config(config)


def _allowed(model: Any, values: Mapping[str, Any]) -> Any:
    from emotrain.modeling.lora import language_model_linears

    named = values.get("lora_target_modules")
    if named is None or named == "all-linear":
        pattern = re.compile(language_model_linears(model) if named is None else r".+")
        return lambda module: pattern.fullmatch(module) is not None
    if isinstance(named, str):
        if (expected := module_pattern(named)) is not None:
            raise ValueError(f"lora_target_modules: {named!r:.80}: expected {expected}")
        return lambda module: re.fullmatch(named, module) is not None
    return lambda module: any(module == name or module.endswith(f".{name}") for name in named)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
