"""What the vision side makes of images: computed apart from the language model, kept, and given to it later.

A frozen vision side says the same of a prompt's images in every epoch. transformers' models take its output in place of
pixels (`mm_encoder_outputs`); here that output is one plain tensor a prompt, so that it can be stored and batched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from emotrain.modeling.families import family_of
from emotrain.modeling.wrapped_model import unwrapped

FEATURES = "image_features"
"""Name under which a batch carries the features of all its images, (F, T, D), in place of the pixels."""


TOLD = "image_"
"""How the names of what a vision side is told beside its pixels begin; transformers strips it and hands them on."""

LEFT_PADDED = "left_padded"
"""Set in batches that are known to be padded on the left; no tensor, and not for the model."""


@torch.no_grad()
def image_features(model: nn.Module, batch: Mapping[str, Any]) -> Tensor:
    """Features (F, T, D) of the images of a batch, in the order of their placeholders.

    T visual tokens of width D, as the language model reads them; F is 1, and more where later layers are given features
    of their own (Qwen3-VL). A vision side may treat a lone image and several of one prompt differently
    (LLaVA-OneVision), so features belong to a prompt and not to an image.
    """
    inner = unwrapped(model).model
    device = next(inner.parameters()).device
    wanted = signature(inner.get_image_features).parameters
    given = {
        name: value.to(device) if isinstance(value, Tensor) else value
        for name, value in batch.items()
        if name in wanted or name.startswith(TOLD)
    }
    found = inner.get_image_features(**given, return_dict=True)
    levels = [found.pooler_output, *(getattr(found, "deepstack_features", None) or ())]
    return torch.stack([torch.cat([part.flatten(0, -2) for part in level]) for level in levels])


def with_features(batch: Mapping[str, Any], features: Sequence[Tensor]) -> dict[str, Tensor]:
    """The batch with features, (F, T_i, D) of each prompt in order, in place of its pixels."""
    kept = {name: tensor for name, tensor in batch.items() if not name.startswith("pixel_")}
    return kept | {FEATURES: torch.cat(list(features), dim=1)}


def model_inputs(model: nn.Module, batch: Mapping[str, Any]) -> dict[str, Any]:
    """The batch as the model's forward takes it: features, where it has them, as the output of a vision side."""
    inputs: dict[str, Any] = {name: value for name, value in batch.items() if name != LEFT_PADDED}
    if FEATURES not in inputs:
        return inputs
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    first, *later = inputs.pop(FEATURES)
    listed = family_of(model).image_features == "listed"
    # Models that expect one tensor for all images count its leading axes; those that list them join the list.
    told: Any = BaseModelOutputWithPooling(pooler_output=(first,) if listed else first.unsqueeze(0))
    if later:
        told.deepstack_features = [(level,) for level in later]
    return inputs | {"mm_encoder_outputs": {"image": told}}
