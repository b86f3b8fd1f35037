"""Clips in, label scores out: the loop that the evaluator and the validation callback share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from emotrain.context.option_order import option_orders as option_orders_of
from emotrain.examples.examples import Collator
from emotrain.modeling.in_batches import in_batches, on_device
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

    def rows(part: Sequence[str]) -> Tensor:
        every = [option_orders_of(len(labels), option_orders, clip_id) for clip_id in part]
        told = [
            label_logits(model, on_device(model, collator.inputs(part, orders)), labels).double()
            for orders in zip(*every)
        ]
        return torch.stack(told).logsumexp(0) - math.log(len(told))

    return in_batches(model, clip_ids, rows, len(labels), batch_size=batch_size, advance=advance)
