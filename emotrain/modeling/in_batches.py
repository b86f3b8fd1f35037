"""Many clips through one model, a batch at a time: the loop that scoring, embedding and classifying share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


def in_batches(
    model: nn.Module,
    clip_ids: Sequence[str],
    rows: Callable[[Sequence[str]], Tensor],
    width: int,
    *,
    batch_size: int,
    advance: Callable[[int], None] = lambda n: None,
) -> npt.NDArray[Any]:
    """What `rows` makes of the clips, (N, `width`) in their order; `rows` takes ids of a batch and gives (B, `width`).

    The model is put into evaluation mode and back; nothing is recorded for gradients.
    """
    was_training = model.training
    model.eval()
    found = []
    try:
        for start in range(0, len(clip_ids), batch_size):
            part = clip_ids[start : start + batch_size]
            # Not inference_mode: FSDP2 keeps the buffers of its first forward, and training could not write to them.
            with torch.no_grad():
                found.append(rows(part).cpu().numpy())
            advance(len(part))
    finally:
        model.train(was_training)
    return np.concatenate(found) if found else np.zeros((0, width))


def on_device(model: nn.Module, batch: Mapping[str, Any]) -> dict[str, Any]:
    """The batch where the model's parameters lie."""
    device = next(model.parameters()).device
    return {name: value.to(device) if isinstance(value, Tensor) else value for name, value in batch.items()}
