"""LoRA on the language model alone: which modules get an adapter, and the PEFT configuration that says so."""

from __future__ import annotations

import re
from typing import Any

from torch import nn

from emotrain.modeling.families import family_of, language_model
from emotrain.modeling.wrapped_model import unwrapped


def language_model_linears(model: nn.Module) -> str:
    """A regular expression that matches, in full, the names of the language model's linear layers and no others.

    The vision tower, the merger and the LM head stay outside. PEFT takes it as `target_modules`. Raises ValueError
    when the language model has no linear layer inside a numbered block.
    """
    prefix = family_of(model).language_model
    kinds, containers = set(), set()
    for name, module in language_model(model).named_modules():
        block = re.match(r"(.*?)\.\d+\.(.+)$", name)
        if block is not None and isinstance(module, nn.Linear):
            containers.add(block[1])
            kinds.add(block[2])
    if not kinds:
        raise ValueError(
            f"{type(unwrapped(model)).__name__}: no linear layer in the blocks of {prefix!r}; name lora_target_modules"
        )
    escaped = (re.escape(f"{prefix}.{container}") for container in sorted(containers))
    return rf"(?:{'|'.join(escaped)})\.\d+\.(?:{'|'.join(re.escape(kind) for kind in sorted(kinds))})"


def lora_config(
    model: nn.Module,
    r: int = 16,
    alpha: int = 32,
    dropout: float = 0.0,
    *,
    rslora: bool = False,
    dora: bool = False,
    target_modules: str | list[str] | None = None,
) -> Any:
    """A PEFT `LoraConfig` for the language model's linear layers, or for `target_modules` when they are given.

    The update is (alpha / r) B A (Hu et al. 2022), or (alpha / sqrt r) B A with `rslora` (Kalajdzievski 2023); `dora`
    learns magnitude and direction apart (Liu et al. 2024).
    """
    from peft import LoraConfig

    from emotrain.modeling.lora_layer import fuse

    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=r,
        lora_alpha=alpha,
        lora_dropout=dropout,
        use_rslora=rslora,
        use_dora=dora,
        bias="none",
        target_modules=language_model_linears(model) if target_modules is None else target_modules,
    )
    return fuse(config, unwrapped(model))
