"""Attention of a Qwen vision tower over equal windows as one batch, in place of one call a window.

transformers calls its attention once for every window of every image in every layer where it has no variable-length
kernel: 3,712 calls for four clips of eight keyframes in Qwen2.5-VL. Frames are squares of one size here, so windows are
equal, and they are the rows of one call. It is registered by transformers' own interface; that its name holds "flash"
makes the tower hand over all windows at once, with their bounds.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from emotrain.modeling.families import family_of
from emotrain.modeling.wrapped_model import unwrapped

WINDOWS = "emotrain_flash_windows"


def windowed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float,
    cu_seq_lens_q: Tensor,
    max_length_q: int,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention (1, N, heads, width) of the windows that `cu_seq_lens_q` bounds in `query (1, heads, N, width)`.

    Equal windows are known by their number and the largest of them, without asking the device; others are attended to
    one by one, as transformers does.
    """
    parts = cu_seq_lens_q.numel() - 1
    total = query.shape[2]
    if parts * max_length_q == total:
        q, k, v = (_rows(tensor, parts) for tensor in (query, key, value))
        seen = scaled_dot_product_attention(q, k, v, dropout_p=dropout, scale=scaling)
        return seen.transpose(1, 2).reshape(1, total, *seen.shape[1::2]), None
    lengths = (cu_seq_lens_q[1:] - cu_seq_lens_q[:-1]).tolist()
    split = zip(*(tensor.split(lengths, dim=2) for tensor in (query, key, value)), strict=True)
    every = [scaled_dot_product_attention(q, k, v, dropout_p=dropout, scale=scaling) for q, k, v in split]
    return torch.cat(every, dim=2).transpose(1, 2), None


def use_windows(model: nn.Module) -> bool:
    """Let a model's tower attend so, where it is one that loops over windows on sdpa; whether it now does."""
    from transformers import AttentionInterface

    inner = unwrapped(model)
    config = inner.config.vision_config
    if family_of(model).positions != "axes" or config._attn_implementation != "sdpa":
        return False
    AttentionInterface.register(WINDOWS, windowed_attention)
    config._attn_implementation = WINDOWS
    return True


def _rows(tensor: Tensor, parts: int) -> Tensor:
    """(1, heads, parts x n, width) as (parts, heads, n, width)."""
    return tensor[0].transpose(0, 1).unflatten(0, (parts, -1)).transpose(1, 2)
