"""Where the model looks when it is about to answer: the attention of the last prompt token, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emotrain.evaluation.scorer import Scorer
from emotrain.examples.examples import Collator, Examples
from emotrain.modeling.families import language_model
from emotrain.modeling.wrapped_model import attention_implementation, unwrapped
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip

CLIPS = 8
ATTENTION = "self_attn"
"""What transformers calls the attention of a decoder layer; it returns (output, weights) when it runs eagerly."""


def attention_share(recipe: Recipe, scorer: Scorer, clips: Sequence[Clip]) -> dict[str, Any] | None:
    """Share of the last prompt token's attention that goes to frames, mean over heads and clips, for each layer.

    `frames` and `first` (the first token of the prompt, where heads without anything to look at rest) are (layers,),
    the rest is text; `frame_tokens` is the share of frames among the tokens, what even attention would give. None when
    the model gives no attentions or the recipe shows no frames. Attention runs eagerly meanwhile, one layer's weights
    in memory at a time.
    """
    collator = Collator(Examples(recipe.data, recipe.context, scorer.labels.labels), scorer.processor)
    if not collator.examples.prompt.images:
        return None
    token = getattr(unwrapped(scorer.model).config, "image_token_id", None)
    device = next(scorer.model.parameters()).device
    found: list[tuple[Tensor, Tensor, float]] = []
    with eager_attention(scorer.model), reading(scorer.model) as rows:
        for clip in clips[:CLIPS]:
            rows.clear()
            batch = {name: tensor.to(device) for name, tensor in collator.inputs([clip.clip_id]).items()}
            with torch.inference_mode():
                scorer.model(**batch, use_cache=False)
            if token is None or not rows:
                return None
            image = (batch["input_ids"][0] == token).cpu()
            weights = torch.stack(rows)  # (layers, L)
            found.append((weights[:, image].sum(1), weights[:, 0], float(image.float().mean())))
    return {
        "clips": len(found),
        "frames": torch.stack([frames for frames, _, _ in found]).mean(0).tolist(),
        "first": torch.stack([first for _, first, _ in found]).mean(0).tolist(),
        "frame_tokens": float(np.mean([share for _, _, share in found])),
    }


@contextmanager
def eager_attention(model: nn.Module) -> Iterator[None]:
    """The language model computes its attention weights instead of only using them."""
    inner = unwrapped(model)
    before = attention_implementation(model)
    inner.set_attn_implementation({"text_config": "eager"})
    try:
        yield
    finally:
        inner.set_attn_implementation({"text_config": before})


@contextmanager
def reading(model: nn.Module) -> Iterator[list[Tensor]]:
    """A list that gets, layer by layer, the last token's attention (L,), mean over heads, of a batch of one."""
    rows: list[Tensor] = []

    def note(module: nn.Module, given: Any, output: Any) -> None:
        weights = output[1] if isinstance(output, tuple) and len(output) > 1 else None
        if isinstance(weights, Tensor):
            rows.append(weights[0, :, -1].float().mean(0).cpu())

    hooks = [
        module.register_forward_hook(note)
        for name, module in language_model(model).named_modules()
        if name.rpartition(".")[2] == ATTENTION
    ]
    try:
        yield rows
    finally:
        for hook in hooks:
            hook.remove()
