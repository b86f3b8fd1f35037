"""The stock model inside whatever wraps it: LoRA adapters, data-parallel wrappers, a compiled module."""

from __future__ import annotations

from typing import Any

from torch import nn


def unwrapped(model: nn.Module) -> Any:
    """The transformers model below PEFT, DistributedDataParallel and torch.compile wrappers."""
    inner: Any = model
    while True:
        if hasattr(inner, "_orig_mod"):
            inner = inner._orig_mod
        elif hasattr(inner, "get_base_model"):
            inner = inner.get_base_model()
        elif isinstance(getattr(inner, "module", None), nn.Module) and not hasattr(inner, "config"):
            inner = inner.module
        else:
            return inner


def attention_implementation(model: nn.Module) -> str:
    """The attention back end that the language model runs on: "sdpa", "eager", "flash_attention_2", ..."""
    return str(unwrapped(model).config.get_text_config()._attn_implementation)


def has_sliding_layers(model: nn.Module) -> bool:
    """Whether some layer of the language model attends to a sliding window only (Gemma 3)."""
    return "sliding_attention" in (getattr(unwrapped(model).config.get_text_config(), "layer_types", None) or ())
