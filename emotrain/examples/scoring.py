"""Clips in, label scores out: the loop that the evaluator and the validation callback share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from emotrain.context.option_order import option_orders as option_orders_of
from emotrain.context.views import STORED, View
from emotrain.examples.examples import Collator
from emotrain.modeling.in_batches import in_batches, on_device
from emotrain.modeling.label_scoring import label_logits
from emotrain.modeling.label_tokens import LabelTokens
from emotrain.modeling.prompt_layout import layout_of


def score_clips(
    model: nn.Module,
    clip_ids: Sequence[str],
    collator: Collator,
    labels: LabelTokens,
    *,
    batch_size: int,
    option_orders: int = 1,
    views: Sequence[View] = (STORED,),
    workers: int = 0,
    advance: Callable[[int], None] = lambda n: None,
) -> npt.NDArray[np.float64]:
    """Label log-likelihoods (N, C) of the clips, in their order; the model's mode is put back afterwards.

    `workers` processes put batches together ahead of the model; with 0 that is done between its passes. With several
    `option_orders` the likelihood of a label is its mean over as many orders of the options in the question: what the
    model would say if it did not know how it would be asked. Several `views` of the clips are averaged over alike.
    """

    laid = collator if collator.layout is not None else collator.with_layout(layout_of(model))
    asked = []
    for start in range(0, len(clip_ids), batch_size):
        part = clip_ids[start : start + batch_size]
        every = [option_orders_of(len(labels), option_orders, clip_id) for clip_id in part]
        asked += [(part, orders, view) for view in views for orders in zip(*every)]
    ahead = iter(_loader(laid, asked, workers))

    def rows(part: Sequence[str]) -> Tensor:
        times = option_orders * len(views)
        told = [label_logits(model, on_device(model, next(ahead)), labels).double() for _ in range(times)]
        return torch.stack(told).logsumexp(0) - math.log(len(told))

    return in_batches(model, clip_ids, rows, len(labels), batch_size=batch_size, advance=advance)


def _loader(collator: Collator, asked: list[Any], workers: int) -> Any:
    """Yields the batch of each pair of clip ids and orders of options."""
    from torch.utils.data import DataLoader

    some = min(workers, len(asked))
    return DataLoader(asked, batch_size=None, collate_fn=partial(_inputs, collator), num_workers=some)  # type: ignore[arg-type]


def _inputs(collator: Collator, asked: tuple[Sequence[str], Sequence[Any], View]) -> dict[str, Any]:
    clip_ids, orders, view = asked
    return collator.inputs(clip_ids, orders, view=view) if view != STORED else collator.inputs(clip_ids, orders)
