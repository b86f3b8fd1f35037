"""Loading a vision-language model and its processor: from the Hub, a folder, or the tiny base in this package."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from emotrain.base_files import check_base, read_as_base
from emotrain.load_result import check_processor, loaded_whole
from emotrain.modeling.families import family, family_of, language_model
from emotrain.modeling.frame_side import check_enlarged
from emotrain.modeling.frozen import frozen_parts, spare_backward
from emotrain.modeling.quantised import quantised
from emotrain.modeling.tiny_base_path import tiny_base_path
from emotrain.modeling.tower_first import ask_tower_first
from emotrain.modeling.windows import use_windows

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
    vision_attention: str | None = None,
    quantization: Mapping[str, Any] | None = None,
    device_map: Any = None,
    trust_remote_code: bool = False,
    train_vision: bool = False,
) -> Any:
    """A vision-language model in evaluation mode whose vision side is frozen unless `train_vision`.

    `dtype` "auto" keeps the checkpoint's own. `vision_attention` is that of the tower: "windows" (see windows.py; None
    is the same where the model runs on sdpa), "sdpa", "eager" or "flash_attention_2"; `quantization` is as in
    quantised.py. Only safetensors weights are read. Raises what transformers raises for a name it cannot find,
    ValueError for an unknown architecture and for a checkpoint whose weights are not exactly the model's.
    """
    from transformers import AutoModelForImageTextToText

    name = resolve_name(name_or_path)
    model = loaded_whole(
        AutoModelForImageTextToText,
        name,
        dtype=dtype,
        revision=revision,
        attn_implementation=attn_implementation,
        quantization_config=quantised(name, revision, quantization, dtype, trust=trust_remote_code),
        device_map=device_map,
        trust_remote_code=trust_remote_code,
        use_safetensors=True,
    )
    family_of(model)
    name_own_blocks(model)
    attend(model, vision_attention)
    ask_tower_first(model)
    if not train_vision:
        freeze_vision(model)
    return model.eval()


def attend(model: Any, vision_attention: str | None) -> None:
    """Choose the attention of the vision tower, and of all layers the back ends that plan nothing.

    Torch prefers cuDNN's attention on H100 and later, which makes a plan for every new pair of batch and length: half a
    second each, and prompts have many lengths. EMOTRAIN_CUDNN_ATTENTION=1 leaves the choice to torch.
    """
    torch.backends.cuda.enable_cudnn_sdp(os.environ.get("EMOTRAIN_CUDNN_ATTENTION") == "1")
    if vision_attention in ("sdpa", "eager", "flash_attention_2"):
        model.set_attn_implementation({"vision_config": vision_attention})
    elif not use_windows(model) and vision_attention == "windows" and family_of(model).positions == "axes":
        model.set_attn_implementation({"vision_config": "sdpa"})
        use_windows(model)


def name_own_blocks(model: Any) -> None:
    """Leave in `_no_split_modules`, by which FSDP wraps, the classes that the model really has.

    transformers lists what any model of the family's parts may hold; SigLIP's pooling head and text side are neither in
    Gemma 3 nor in LLaVA-OneVision, and accelerate refuses a class that it cannot find.
    """
    there = {type(module).__name__ for module in model.modules()}
    model._no_split_modules = sorted(set(model._no_split_modules or ()) & there)


def load_processor(
    name_or_path: str,
    *,
    revision: str = "main",
    image_size: int | None = None,
    trust_remote_code: bool = False,
) -> Any:
    """The processor of a model, padding on the left; with `image_size` every image is one square of that side.

    Qwen-VL models keep an image's shape and give it the area of that square. Raises ValueError for a side that the
    model cannot read (the message names one that it can), for an unknown architecture, and for a tokenizer or image
    token that is not the model's.
    """
    from transformers import AutoConfig, AutoProcessor

    given = {"revision": revision, "trust_remote_code": trust_remote_code}
    name = resolve_name(name_or_path)
    check_base(name, revision)
    with read_as_base(name):
        config = AutoConfig.from_pretrained(name, **given)
        kind = family(config.model_type)
        processor = AutoProcessor.from_pretrained(name, **given)
    check_processor(processor, config, name_or_path)
    processor.tokenizer.padding_side = "left"
    if kind.chat_template is not None:
        processor.chat_template = kind.chat_template
    if image_size is not None:
        kind.set_side(processor, config, image_size)
    check_enlarged(processor, name_or_path)
    return processor


def freeze_vision(model: Any) -> int:
    """Stop gradients to everything outside the language model and its head; returns the number of frozen parameters.

    What is frozen takes no part in the backward pass, with gradient checkpointing neither (see frozen.py).
    """
    kept = {id(p) for p in language_model(model).parameters()}
    kept |= {id(p) for p in model.get_output_embeddings().parameters()}
    frozen = 0
    for parameter in model.parameters():
        if id(parameter) not in kept:
            parameter.requires_grad_(False)
            frozen += parameter.numel()
    for part in frozen_parts(model, kept):
        spare_backward(part)
    return frozen
