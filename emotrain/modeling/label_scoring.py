"""Label scoring: the log-likelihood of every label of a set under a prompt, from one forward pass.

Training losses, the evaluation callback, the evaluator and post-hoc adjustment all call `label_logits`. There is no
decoding loop and no answer to parse: the model is asked how likely it is to say each label and then end its turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from emotrain.modeling.exact_head import exact_head
from emotrain.modeling.families import family_of
from emotrain.modeling.image_features import LEFT_PADDED, model_inputs
from emotrain.modeling.label_tokens import LabelTokens
from emotrain.modeling.label_tree import (
    LabelTree,
    branch_positions,
    modality_ids,
    plant,
    prompt_ends,
    prompt_positions,
    tree_mask,
)
from emotrain.modeling.wrapped_model import attention_implementation, has_sliding_layers, unwrapped

Attention = Literal["auto", "packed", "cached"]

_TAKES_4D_MASKS = ("sdpa", "eager")
_PER_TOKEN = ("mm_token_type_ids", "token_type_ids")


def label_logits(
    model: nn.Module, batch: Mapping[str, Any], labels: LabelTokens, attention: Attention = "auto"
) -> Tensor:
    """Log-likelihood of every label as the whole answer to every prompt: (B, C) float32, differentiable.

    Logits are float32 whatever the model computes in (exact_head.py).

    `batch` is what the processor returns for prompts that end with the generation prompt: `input_ids` and
    `attention_mask` (B, L), padded on either side, and the pixels or what the vision side made of them (see
    image_features.py). `model` may be wrapped (PEFT, DDP, FSDP): the call goes through its own forward, so gradient
    hooks run.

    `attention="packed"` reads all labels in the prompt's pass under a 4-D mask. `"cached"` reads the prompt once, then
    the labels on copies of its key-value cache; for back ends without 4-D masks (flash-attention) and for windowed
    layers of a family that takes one mask for all layers. `"auto"` picks. Both give the same numbers.

    Raises ValueError for a batch without `attention_mask`, for a prompt that is padding only, for an architecture that
    is not in `families.FAMILIES`, and for "cached" where the model gives no cache (gradient checkpointing turns it
    off) or where windowed layers meet padding on the right.
    """
    _check(batch)
    chosen = _choose(model) if attention == "auto" else attention
    tree = plant(labels, batch["input_ids"].device)
    with exact_head(model):
        scores = _packed(model, batch, tree) if chosen == "packed" else _cached(model, batch, labels, tree)
    owner = tree.owner.expand(scores.shape[0], -1)
    return scores.new_zeros(scores.shape[0], len(labels)).scatter_add(1, owner, scores)


def label_mass(logits: Tensor) -> Tensor:
    """Log of the total probability of the label set: logsumexp over the labels, (B,), at most 0."""
    return logits.logsumexp(-1)


def _check(batch: Mapping[str, Any]) -> None:
    for name in ("input_ids", "attention_mask"):
        if name not in batch:
            raise ValueError(
                f"label_logits: the batch has no {name!r}, only {sorted(batch)}; pass the processor's output"
            )
    # A Collator's batch was looked at before it went to the device, which is not asked here.
    if LEFT_PADDED not in batch and not bool(batch["attention_mask"].any(-1).all()):
        rows = (~batch["attention_mask"].any(-1)).nonzero().flatten().tolist()
        raise ValueError(f"label_logits: rows {rows} of the batch are padding only; expected a prompt in every row")


def _choose(model: nn.Module) -> Attention:
    windowed = has_sliding_layers(model) and family_of(model).masks == "one"
    return "packed" if attention_implementation(model) in _TAKES_4D_MASKS and not windowed else "cached"


def _packed(model: nn.Module, batch: Mapping[str, Any], tree: LabelTree) -> Tensor:
    """Log-probability of each of the S predictions, (B, S) float32, from one pass over prompt and tree."""
    mask = batch["attention_mask"]
    rows, length = mask.shape
    inputs = model_inputs(model, batch)
    inputs["input_ids"] = torch.cat([batch["input_ids"], tree.token.expand(rows, -1)], dim=1)
    for name in _PER_TOKEN:
        if name in batch:
            inputs[name] = torch.cat([batch[name], batch[name].new_zeros(rows, len(tree))], dim=1)
    positions = prompt_positions(model, batch)
    inputs["position_ids"] = torch.cat([positions, branch_positions(positions, mask, tree.depth)], dim=-1)
    inputs["attention_mask"] = _tree_masks(model, batch, tree)
    ends, which = prompt_ends(mask, LEFT_PADDED in batch)
    kept = torch.cat([ends, length + torch.arange(len(tree), device=mask.device)])
    logits = _one_end(model(**inputs, logits_to_keep=kept, use_cache=False).logits, which, len(ends))
    return _log_probability(logits, tree.source, tree.target)


def _cached(model: nn.Module, batch: Mapping[str, Any], labels: LabelTokens, tree: LabelTree) -> Tensor:
    """The same (B, S) values: one pass over the prompt, one over all labels as rows of their own."""
    mask = batch["attention_mask"]
    if has_sliding_layers(model) and LEFT_PADDED not in batch and not bool(mask[:, -1].all()):
        raise ValueError(
            "label_logits: attention='cached' with windowed layers counts the columns between tokens, and this batch "
            "is padded on the right; pad on the left"
        )
    rows, count = mask.shape[0], len(labels)
    positions = prompt_positions(model, batch)
    inputs = {**model_inputs(model, batch), "position_ids": positions}
    ends, which = prompt_ends(mask, LEFT_PADDED in batch)
    prompt = model(**inputs, logits_to_keep=ends, use_cache=True)
    cache = getattr(prompt, "past_key_values", None)
    if cache is None:
        raise ValueError(
            "label_logits: attention='cached' needs the key-value cache, and the model returned none; "
            "gradient checkpointing turns it off: train with attention='packed' on sdpa or eager attention"
        )
    cache.batch_repeat_interleave(count)
    width = int(tree.depth.max()) + 1
    tokens = tree.token.new_zeros(count, width)
    tokens[tree.branch, tree.depth] = tree.token
    real = mask.new_zeros(count, width)
    real[tree.branch, tree.depth] = 1
    after = branch_positions(positions, mask, torch.arange(width, device=mask.device))
    branches = model(
        input_ids=tokens.repeat(rows, 1),
        attention_mask=torch.cat([mask.repeat_interleave(count, 0), real.repeat(rows, 1)], dim=1),
        position_ids=after.repeat_interleave(count, -2),
        past_key_values=cache,
        use_cache=True,
    ).logits
    behind = branches.unflatten(0, (rows, count))[:, tree.branch, tree.depth]
    return _log_probability(
        torch.cat([_one_end(prompt.logits, which, len(ends)), behind], dim=1), tree.source, tree.target
    )


def _log_probability(logits: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """log p(target) at each source: (B, S) float32 from (B, 1 + P, V), normalised over the vocabulary in float32."""
    logits = logits.float()
    return logits[:, source, target] - logits.logsumexp(-1)[:, source]


def _one_end(logits: Tensor, which: Tensor, ends: int) -> Tensor:
    """(B, U + P, V) to (B, 1 + P, V): of the U columns in front, the one where the row's own prompt ends."""
    if ends == 1:
        return logits
    own = logits[torch.arange(len(which), device=which.device), which].unsqueeze(1)
    return torch.cat([own, logits[:, ends:]], dim=1)


def _tree_masks(model: nn.Module, batch: Mapping[str, Any], tree: LabelTree) -> Any:
    """The tree's mask as the model takes it: one for all layers, or a dict with one for each kind of layer."""
    kind = family_of(model)
    mask = batch["attention_mask"]
    image = modality_ids(model, batch["input_ids"]) == 1 if kind.image_tokens == "mutual" else None
    if kind.masks == "one":
        return _for_back_end(model, tree_mask(mask, tree, image=image))
    config = unwrapped(model).config.get_text_config()
    windows = {"full_attention": None, "sliding_attention": config.sliding_window}
    return {
        layers: _for_back_end(model, tree_mask(mask, tree, image=image, window=windows[layers]))
        for layers in set(config.layer_types)
    }


def _for_back_end(model: nn.Module, mask: Tensor) -> Any:
    # Eager attention adds its mask to the scores, so True/False would only shift them by one.
    if attention_implementation(model) != "eager":
        return mask
    dtype = next(model.parameters()).dtype
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(~mask, torch.finfo(dtype).min)
