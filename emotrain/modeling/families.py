"""The model families: all that label scoring, LoRA and a recipe's `image_size` have to know about an architecture.

One entry of `FAMILIES` each, keyed by the `model_type` of the checkpoint's config.json. An architecture that is not
here is refused, for a wrong guess (positions that count padding, image tokens that look one way only) changes scores
without a word. docs/adding-a-model.md says how to add one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from emotrain.emotions import nearest
from emotrain.modeling.frame_side import fixed_side, interpolated_side, smolvlm_side, square_area
from emotrain.modeling.wrapped_model import unwrapped

GUIDE = "docs/adding-a-model.md"

INTERLEAVED_LLAVA = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}
{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] -%}
{{- '<image>\\n' if part['type'] == 'image' else '<video>\\n' if part['type'] == 'video' else part['text'] -}}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{{- '<|im_start|>assistant\\n' if add_generation_prompt else '' -}}
"""
"""LLaVA-OneVision's conversation with every part where it stands. The template of its checkpoints puts all images first
and all text behind them, so a summary would no longer stand between the keyframes that it lies between."""


@dataclass(frozen=True, slots=True)
class Family:
    """What is peculiar to one architecture.

    `language_model`: path of the language model inside the transformers model; its linear layers get the LoRA.
    `set_side(processor, config, side)`: makes every image a square of `side` pixels and one tile, or raises ValueError.
    `positions`: "axes" when the model counts time, height and width apart (multi-axis rotary positions), else "row".
    `masks`: "one" 4-D mask for all layers, or one "by_layer_type", where windowed layers have a mask of their own; the
    label tree is read on a key-value cache where a model has windowed layers and takes one mask only.
    `image_tokens`: "causal", or "mutual" when the tokens of an image see each other in both directions.
    `image_features`: visual tokens computed before are "listed" image by image, or "joined" in one tensor.
    `chat_template`: replaces the checkpoint's own where that tears keyframes and summaries apart.
    """

    language_model: str
    set_side: Callable[[Any, Any, int], None]
    positions: Literal["axes", "row"] = "row"
    masks: Literal["one", "by_layer_type"] = "one"
    image_tokens: Literal["causal", "mutual"] = "causal"
    image_features: Literal["listed", "joined"] = "listed"
    chat_template: str | None = None


FAMILIES: dict[str, Family] = {
    "qwen2_vl": Family("model.language_model", square_area, positions="axes"),
    "qwen2_5_vl": Family("model.language_model", square_area, positions="axes"),
    "qwen3_vl": Family("model.language_model", square_area, positions="axes"),
    "internvl": Family("model.language_model", interpolated_side, image_features="joined"),
    "smolvlm": Family("model.text_model", smolvlm_side),
    "llava_onevision": Family("model.language_model", fixed_side, chat_template=INTERLEAVED_LLAVA),
    "gemma3": Family(
        "model.language_model", fixed_side, masks="by_layer_type", image_tokens="mutual", image_features="joined"
    ),
}


def family(model_type: str) -> Family:
    """The entry of a `model_type`; raises ValueError that names the known ones and the page on adding one."""
    if model_type not in FAMILIES:
        raise ValueError(
            f"model_type {model_type!r} is not among the families that label scoring was tested on "
            f"({', '.join(FAMILIES)}); {nearest(model_type, FAMILIES)} {GUIDE} says how to add one"
        )
    return FAMILIES[model_type]


def family_of(model: nn.Module) -> Family:
    """The entry of a loaded model, wrapped or not."""
    return family(unwrapped(model).config.model_type)


def language_model(model: nn.Module) -> nn.Module:
    """The language model inside a loaded model: blocks and norms, without the vision side and the head."""
    return unwrapped(model).get_submodule(family_of(model).language_model)
