"""Loading a vision-language model and its processor: from the Hub, a folder, or the tiny base in this package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from emotrain.modeling.tiny_base_path import tiny_base_path

TINY = "tiny"
"""Model name that stands for the base shipped with the package."""


def resolve_name(name_or_path: str) -> str:
    """What transformers should load for a recipe's model name: the shipped base for "tiny", else the name itself.

    Raises FileNotFoundError for a path (it starts with "." or "/") that is no folder with a config.json.
    """
    if name_or_path == TINY:
        return str(tiny_base_path())
    if name_or_path.startswith((".", "/", "~")):
        folder = Path(name_or_path).expanduser()
        if not (folder / "config.json").is_file():
            raise FileNotFoundError(
                f"model_name_or_path {name_or_path!r}: no config.json in {folder.resolve()}; "
                "give a folder written by save_pretrained, a Hub id such as Qwen/Qwen2.5-VL-3B-Instruct, or 'tiny'"
            )
        return str(folder)
    return name_or_path


def load_model(
    name_or_path: str,
    dtype: str | torch.dtype = "auto",
    *,
    revision: str = "main",
    attn_implementation: str | None = None,
    quantization_config: Any = None,
    device_map: Any = None,
    trust_remote_code: bool = False,
    train_vision: bool = False,
) -> Any:
    """A vision-language model in evaluation mode whose vision side is frozen unless `train_vision`.

    The arguments are those of TRL's ModelConfig (`dtype` "auto" keeps the checkpoint's own). Only safetensors weights
    are read. Raises what transformers raises for a name it cannot find.
    """
    from transformers import AutoModelForImageTextToText

    model = AutoModelForImageTextToText.from_pretrained(
        resolve_name(name_or_path),
        dtype=dtype,
        revision=revision,
        attn_implementation=attn_implementation,
        quantization_config=quantization_config,
        device_map=device_map,
        trust_remote_code=trust_remote_code,
        use_safetensors=True,
    )
    if not train_vision:
        freeze_vision(model)
    return model.eval()


def load_processor(
    name_or_path: str,
    *,
    revision: str = "main",
    min_pixels: int | None = None,
    max_pixels: int | None = None,
    trust_remote_code: bool = False,
) -> Any:
    """The processor of a model, padding on the left, with the area of an image pinned when asked.

    `min_pixels` and `max_pixels` bound height x width after resizing: equal bounds give every frame the same number of
    visual tokens. Raises ValueError when the model's image processor has no such bounds, or when they are crossed.
    """
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(
        resolve_name(name_or_path), revision=revision, trust_remote_code=trust_remote_code
    )
    processor.tokenizer.padding_side = "left"
    if min_pixels is not None or max_pixels is not None:
        _pin_pixels(processor.image_processor, min_pixels, max_pixels)
    return processor


def freeze_vision(model: Any) -> int:
    """Stop gradients to everything outside the language model and its head; returns the number of frozen parameters."""
    kept = {id(p) for p in model.get_decoder().parameters()}
    kept |= {id(p) for p in model.get_output_embeddings().parameters()}
    frozen = 0
    for parameter in model.parameters():
        if id(parameter) not in kept:
            parameter.requires_grad_(False)
            frozen += parameter.numel()
    return frozen


def _pin_pixels(image_processor: Any, min_pixels: int | None, max_pixels: int | None) -> None:
    size = image_processor.size
    if "shortest_edge" not in size or "longest_edge" not in size or not hasattr(image_processor, "merge_size"):
        raise ValueError(
            f"{type(image_processor).__name__} has a size of {dict(size)} and no bounds on the area of an image; "
            "remove min_pixels and max_pixels from the recipe for this model"
        )
    low = size["shortest_edge"] if min_pixels is None else min_pixels
    high = size["longest_edge"] if max_pixels is None else max_pixels
    if low > high:
        raise ValueError(f"min_pixels {low} exceeds max_pixels {high}; an image's area is between the two")
    image_processor.size = {"shortest_edge": low, "longest_edge": high}
