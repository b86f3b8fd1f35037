"""The shapes of a vision-language model: how many weights every token, every patch and every adapter meets.

They are read off the real architecture, built without memory on torch's meta device from a config: the checkpoint's own
(a folder, the tiny base, the Hub cache), or one of `published_shapes.json`. Nothing is downloaded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emotrain.base_files import check_base
from emotrain.modeling.families import language_model
from emotrain.modeling.lora import language_model_linears
from emotrain.planning.local_files import local_folder
from emotrain.planning.published import published

_AFTER_MERGING = ("merger", "projector", "connector")


@dataclass(frozen=True, slots=True)
class Language:
    """The language model. Weights are multiply-adds a token, `adapted*` sums over the linear layers with an adapter.

    `weights` are those of all linear layers, `entry_weights` those of the first block's query, key and value; `adapted`
    sums in + out, `adapted_in` in, `entry_in` in over the first block's query, key and value. `normed` is the sum of
    the widths that are normalised in a block, `attention` and `key_value` are heads times head width.
    """

    layers: int
    hidden: int
    heads: int
    attention: int
    key_value: int
    intermediate: int
    vocabulary: int
    weights: int
    entry_weights: int
    adapted: int
    adapted_in: int
    entry_in: int
    normed: int
    parameters: int

    def adapter_parameters(self, rank: int) -> int:
        """Trainable weights of LoRA: A (r, in) and B (out, r) for every adapted linear layer."""
        return rank * self.adapted


@dataclass(frozen=True, slots=True)
class Vision:
    """The vision tower and what joins it to the language model.

    `embedding_weights` and `block_weights` are multiply-adds a patch, in the patch embedding and in all blocks;
    `merged_weights` are those a visual token (merger, projector, connector). `pixels` are the numbers in a patch.
    `window` is the side of an attention window in patches, None where all layers attend to the whole image.
    """

    layers: int
    full_layers: int
    window: int | None
    width: int
    intermediate: int
    pixels: int
    embedding_weights: int
    block_weights: int
    merged_weights: int
    parameters: int


@dataclass(frozen=True, slots=True)
class Shapes:
    """A model's shapes; `source` says where they come from and `config` is the transformers config itself."""

    name: str
    family: str
    source: str
    language: Language
    vision: Vision
    parameters: int
    config: Any

    @property
    def parameters_elsewhere(self) -> int:
        """Parameters outside the blocks of tower and language model: embeddings, head, norms."""
        return self.parameters - self.language.parameters - self.vision.parameters


def read_shapes(
    name: str,
    *,
    revision: str = "main",
    trust_remote_code: bool = False,
    target_modules: str | Sequence[str] | None = None,
) -> Shapes:
    """The shapes of a recipe's `model_name_or_path`, offline.

    Raises ValueError for a Hub id that is neither in the local cache nor in the table.
    """
    config, source = _config(name, revision, trust_remote_code)
    return shapes_of(name, config, source, target_modules)


def shapes_of(name: str, config: Any, source: str, target_modules: str | Sequence[str] | None = None) -> Shapes:
    """The shapes of the model that a transformers config describes."""
    import torch
    from torch import nn
    from transformers import AutoModelForImageTextToText

    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    model.tie_weights()
    decoder, head = language_model(model), model.get_output_embeddings()
    inside = {id(module) for module in decoder.modules()} | {id(head)}
    adapted = _adapted(model, target_modules)
    text = config.get_text_config()
    linears = {
        key: module for key, module in model.named_modules() if isinstance(module, nn.Linear) and id(module) in inside
    }
    blocks = {key: module for key, module in linears.items() if module is not head}
    entry = {key: module for key, module in blocks.items() if re.search(r"\.0\.self_attn\.[qkv]_proj$", key)}
    language = Language(
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        heads=text.num_attention_heads,
        attention=text.num_attention_heads * _head_dim(text),
        key_value=_key_value_heads(text) * _head_dim(text),
        intermediate=text.intermediate_size,
        vocabulary=text.vocab_size,
        weights=sum(module.weight.numel() for module in blocks.values()),
        entry_weights=sum(module.weight.numel() for module in entry.values()),
        adapted=sum(m.in_features + m.out_features for key, m in blocks.items() if key in adapted),
        adapted_in=sum(m.in_features for key, m in blocks.items() if key in adapted),
        entry_in=sum(m.in_features for key, m in entry.items() if key in adapted),
        normed=_normed(decoder, text),
        parameters=sum(p.numel() for p in decoder.parameters()),
    )
    return Shapes(
        name=name,
        family=config.model_type,
        source=source,
        language=language,
        vision=_vision(model, config, inside),
        parameters=sum(p.numel() for p in model.parameters()),
        config=config,
    )


def _config(name: str, revision: str, trust_remote_code: bool) -> tuple[Any, str]:
    from transformers import AutoConfig

    folder = local_folder(name, revision)
    if folder is not None and (folder / "config.json").is_file():
        check_base(str(folder))
        return AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code), "its own config.json"
    known = published()
    if name not in known:
        raise ValueError(
            f"model_name_or_path {name!r}: its config is not in the Hub cache, and the table of published shapes has "
            f"only {', '.join(known)}; `hf download {name} config.json` fetches it, or give a local folder"
        )
    values = dict(known[name]["config"])
    return AutoConfig.for_model(values.pop("model_type"), **values), "table of published shapes"


def _adapted(model: Any, target_modules: str | Sequence[str] | None) -> frozenset[str]:
    """Names of the modules that get an adapter, by PEFT's own rule: a full match, or the end of the name."""
    pattern = language_model_linears(model) if target_modules is None else target_modules
    if isinstance(pattern, str) and pattern != "all-linear":
        return frozenset(key for key, _ in model.named_modules() if re.fullmatch(pattern, key))
    if pattern == "all-linear":
        from torch import nn

        head = model.get_output_embeddings()
        return frozenset(k for k, m in model.named_modules() if isinstance(m, nn.Linear) and m is not head)
    ends = tuple(pattern)
    return frozenset(
        key for key, _ in model.named_modules() if any(key == end or key.endswith(f".{end}") for end in ends)
    )


def _vision(model: Any, config: Any, language: set[int]) -> Vision:
    from torch import nn

    tower = config.vision_config
    weights = {"embedding": 0, "block": 0, "merged": 0}
    parameters = pixels = 0
    for key, module in model.named_modules():
        if id(module) in language:
            continue
        own = dict(module.named_parameters(recurse=False))
        parameters += sum(p.numel() for p in own.values())
        joins = any(part in key for part in _AFTER_MERGING)
        size = sum(p.numel() for name, p in own.items() if p.dim() > 1 and name.endswith("weight"))
        if isinstance(module, (nn.Conv2d, nn.Conv3d)):
            pixels = module.weight[0].numel()
            weights["embedding"] += size
        elif joins:
            weights["merged"] += size
        elif isinstance(module, nn.Linear):
            weights["block"] += size
    layers = _first(tower, "depth", "num_hidden_layers")
    full = len(tower.fullatt_block_indexes) if hasattr(tower, "fullatt_block_indexes") else layers
    width = _first(tower, "embed_dim", "hidden_size")
    return Vision(
        layers=layers,
        full_layers=full,
        window=tower.window_size // tower.patch_size if full < layers else None,
        width=width,
        intermediate=getattr(tower, "intermediate_size", None) or round(width * getattr(tower, "mlp_ratio", 4)),
        pixels=pixels,
        embedding_weights=weights["embedding"],
        block_weights=weights["block"],
        merged_weights=weights["merged"],
        parameters=parameters,
    )


def _normed(decoder: Any, text: Any) -> int:
    """Sum of the widths that the norms of one block work on; a norm of a head's width works on all heads."""
    widths = 0
    for key, module in decoder.named_modules():
        if re.search(r"(^|\.)0\.", key) and "Norm" in type(module).__name__:
            own = module.weight.numel()
            heads = text.num_attention_heads if "q_norm" in key else _key_value_heads(text) if "k_norm" in key else 1
            widths += own * heads
    return widths


def _first(config: Any, *names: str) -> int:
    for name in names:
        if getattr(config, name, None) is not None:
            return int(getattr(config, name))
    raise ValueError(f"{type(config).__name__} has none of {', '.join(names)}; this architecture is not known to plan")


def _head_dim(text: Any) -> int:
    given = getattr(text, "head_dim", None)
    return text.hidden_size // text.num_attention_heads if given is None else int(given)


def _key_value_heads(text: Any) -> int:
    given = getattr(text, "num_key_value_heads", None)
    return text.num_attention_heads if given is None else int(given)
