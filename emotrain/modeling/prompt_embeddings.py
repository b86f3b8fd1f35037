"""What the language model has made of a prompt where its answer begins: the features of a classifier on top of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from emotrain.modeling.image_features import LEFT_PADDED, model_inputs
from emotrain.modeling.label_tree import prompt_ends, prompt_positions
from emotrain.modeling.wrapped_model import unwrapped


@torch.inference_mode()
def prompt_embeddings(model: nn.Module, batch: Mapping[str, Any]) -> Tensor:
    """What the LM head is given at the last token of each prompt: (B, D) float32.

    `batch` is that of `label_logits`. The adapter's layers take part; the head does not, so nothing is of the size of
    the vocabulary but one row a prompt.
    """
    seen: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        seen.append(inputs[0])

    ends, which = prompt_ends(batch["attention_mask"], LEFT_PADDED in batch)
    inputs = {**model_inputs(model, batch), "position_ids": prompt_positions(model, batch)}
    hook = unwrapped(model).get_output_embeddings().register_forward_pre_hook(keep)
    try:
        model(**inputs, logits_to_keep=ends, use_cache=False)
    finally:
        hook.remove()
    (hidden,) = seen
    return hidden[torch.arange(len(which), device=which.device), which].float()
