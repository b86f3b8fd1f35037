"""Clips in, label scores out: the loop that the evaluator and the validation callback share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from emotrain.context.option_order import option_orders as option_orders_of
from emotrain.examples.examples import Collator
from emotrain.modeling.label_scoring import label_logits
from emotrain.modeling.label_tokens import LabelTokens


def score_clips(
    model: nn.Module,
    clip_ids: Sequence[str],
    collator: Collator,
    labels: LabelTokens,
    *,
    batch_size: int,
    option_orders: int = 1,
    advance: Callable[[int], None] = lambda n: None,
) -> npt.NDArray[np.float64]:
    """Label log-likelihoods (N, C) of the clips, in their order; the model's mode is put back afterwards.

    With several `option_orders` the likelihood of a label is its mean over as many orders of the options in the
    question: what the model would say if it did not know how it would be asked.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    rows = []
    try:
        for start in range(0, len(clip_ids), batch_size):
            part = clip_ids[start : start + batch_size]
            every = [option_orders_of(len(labels), option_orders, clip_id) for clip_id in part]
            told = []
            for orders in zip(*every):
                batch = {name: tensor.to(device) for name, tensor in collator.inputs(part, orders).items()}
                with torch.inference_mode():
                    told.append(label_logits(model, batch, labels).double())
            rows.append((torch.stack(told).logsumexp(0) - math.log(len(told))).cpu().numpy())
            advance(len(part))
    finally:
        model.train(was_training)
    return np.concatenate(rows) if rows else np.zeros((0, len(labels)))
