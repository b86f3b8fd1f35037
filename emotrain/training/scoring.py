"""Clips in, label scores out: the loop that the evaluator and the validation callback share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from emotrain.modeling.label_scoring import label_logits
from emotrain.modeling.label_tokens import LabelTokens
from emotrain.training.examples import Collator


def score_clips(
    model: nn.Module,
    clip_ids: Sequence[str],
    collator: Collator,
    labels: LabelTokens,
    *,
    batch_size: int,
    advance: Callable[[int], None] = lambda n: None,
) -> npt.NDArray[np.float64]:
    """Label log-likelihoods (N, C) of the clips, in their order; the model's mode is put back afterwards."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    rows = []
    try:
        for start in range(0, len(clip_ids), batch_size):
            part = clip_ids[start : start + batch_size]
            batch = {name: tensor.to(device) for name, tensor in collator.inputs(part).items()}
            with torch.inference_mode():
                rows.append(label_logits(model, batch, labels).double().cpu().numpy())
            advance(len(part))
    finally:
        model.train(was_training)
    return np.concatenate(rows) if rows else np.zeros((0, len(labels)))
