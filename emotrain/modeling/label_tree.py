"""The label tree: C label sequences packed behind one prompt, so that one forward pass reads them all.

Every label is a branch. A branch token sees the prompt without its padding, and the earlier tokens of its own branch;
its position goes on from the end of the prompt, as if the other branches were not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from emotrain.modeling.families import family_of
from emotrain.modeling.label_tokens import LabelTokens
from emotrain.modeling.wrapped_model import unwrapped


@dataclass(frozen=True, slots=True)
class LabelTree:
    """P branch tokens and S predictions, as index tensors of type int64.

    Branch tokens: `token (P,)` ids, `branch (P,)` label index, `depth (P,)` place within the branch from 0.
    Predictions: `source (S,)` where the prediction is made (0 = last prompt token, p + 1 = branch token p), `target
    (S,)` the id predicted there, `owner (S,)` the label it belongs to. Last tokens are predicted but never read.
    """

    token: Tensor
    branch: Tensor
    depth: Tensor
    source: Tensor
    target: Tensor
    owner: Tensor

    def __len__(self) -> int:
        return self.token.numel()


@lru_cache(maxsize=64)
def plant(labels: LabelTokens, device: torch.device | str = "cpu") -> LabelTree:
    """Lay the label sequences out as a tree; the same one for the same labels and device, so change nothing in it."""
    reads: list[tuple[int, int, int]] = []
    predictions: list[tuple[int, int, int]] = []
    for index, tokens in enumerate(labels.tokens):
        first = len(reads)
        predictions += [(0 if j == 0 else first + j, token, index) for j, token in enumerate(tokens)]
        reads += [(token, index, j) for j, token in enumerate(tokens[:-1])]
    with torch.inference_mode(False):  # what scores first must not plant what training cannot use
        token, branch, depth = torch.tensor(reads, device=device).unbind(1)
        source, target, owner = torch.tensor(predictions, device=device).unbind(1)
    return LabelTree(token, branch, depth, source, target, owner)


def tree_mask(
    attention_mask: Tensor, tree: LabelTree, *, image: Tensor | None = None, window: int | None = None
) -> Tensor:
    """Who sees whom: (B, 1, L + P, L + P) bool for prompts with `attention_mask (B, L)`.

    `image (B, L)` is True where a token of an image stands: within one image, tokens see each other in both directions.
    With `window` (tokens) a key that lies as far back or farther is out of sight. Padding sees itself alone: a row
    without any key has no softmax, and its NaN would spread through the values.
    """
    real = attention_mask.bool()
    batch, length = real.shape
    causal = torch.ones(length, length, dtype=torch.bool, device=real.device).tril()
    seen = causal if image is None else causal | _same_image(image)
    own = (tree.branch[:, None] == tree.branch[None, :]) & (tree.depth[None, :] <= tree.depth[:, None])
    top = torch.cat([seen & real[:, None, :] & real[:, :, None], real.new_zeros(batch, length, len(tree))], dim=2)
    bottom = torch.cat([real[:, None, :].expand(-1, len(tree), -1), own.expand(batch, -1, -1)], dim=2)
    mask = torch.cat([top, bottom], dim=1)
    if window is not None:
        place = _places(real, tree)
        mask = mask & (place[:, None, :] > place[:, :, None] - window)
    return (mask | torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device))[:, None]


def _same_image(image: Tensor) -> Tensor:
    """(B, L, L): whether two tokens belong to one run of image tokens."""
    before = torch.nn.functional.pad(image, (1, 0))[:, :-1]
    number = torch.where(image, (image & ~before).cumsum(-1), 0)
    return (number[:, :, None] == number[:, None, :]) & image[:, :, None]


def _places(real: Tensor, tree: LabelTree) -> Tensor:
    """Columns by which a window counts, (B, L + P): each branch goes on where its prompt ends."""
    columns = torch.arange(real.shape[1], device=real.device).expand(real.shape)
    end = torch.where(real, columns, -1).amax(-1, keepdim=True)
    return torch.cat([columns, end + 1 + tree.depth], dim=1)


def prompt_ends(mask: Tensor, left: bool = False) -> tuple[Tensor, Tensor]:
    """The columns where prompts end (U,), one when padded on the left, and which of them each row's is, (B,).

    With `left` the padding is known to be on the left, and the device need not be asked.
    """
    length = mask.shape[1]
    if left:
        return torch.arange(length - 1, length, device=mask.device), mask.new_zeros(len(mask), dtype=torch.long)
    places = torch.arange(length, device=mask.device)
    return torch.where(mask.bool(), places, -1).amax(1).unique(return_inverse=True)


def prompt_positions(model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
    """Position ids of the prompts: (3, B, L) for models with multi-axis rotary positions (Qwen-VL), else (B, L).

    A batch that already has `position_ids` keeps them: a data loader computes them ahead of time (prompt_layout.py).
    """
    if "position_ids" in batch:
        return batch["position_ids"]
    inner = unwrapped(model)
    return positions_of(inner.model if family_of(model).positions == "axes" else None, inner.config, batch)


def positions_of(counting: Any, config: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Position ids of a batch; `counting` has the `get_rope_index` of a model that counts axes apart, else None."""
    if counting is None:
        return (batch["attention_mask"].long().cumsum(-1) - 1).clamp(min=0)
    given = {name: batch[name] for name in signature(counting.get_rope_index).parameters if name in batch}
    given.setdefault("mm_token_type_ids", kinds_of(config, batch["input_ids"]))
    found: Tensor = counting.get_rope_index(**given)[0]
    return found


def modality_ids(model: nn.Module, input_ids: Tensor) -> Tensor:
    """The kind of every token, as transformers numbers them: 0 text, 1 image, 2 video; (B, L) int64."""
    return kinds_of(unwrapped(model).config, input_ids)


def kinds_of(config: Any, input_ids: Tensor) -> Tensor:
    """`modality_ids` by a model's config alone."""
    kinds = torch.zeros_like(input_ids)
    for kind, name in ((1, "image_token_id"), (2, "video_token_id")):
        token = getattr(config, name, None)
        if token is not None:
            kinds = kinds.masked_fill(input_ids == token, kind)
    return kinds


def branch_positions(prompt: Tensor, attention_mask: Tensor, depth: Tensor) -> Tensor:
    """Position ids of branch tokens: the largest position of the row's prompt, plus one, plus the depth.

    `prompt` is (3, B, L) or (B, L), `depth (P,)`; the result has the same leading shape and P at the end. All axes of a
    multi-axis position go on from the same value, as the text after an image does.
    """
    last = prompt.masked_fill(~attention_mask.bool(), -1).amax(-1, keepdim=True)
    if last.dim() == 3:
        last = last.amax(0, keepdim=True).expand(prompt.shape[0], -1, -1)
    return last + 1 + depth
