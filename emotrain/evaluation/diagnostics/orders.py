"""Whether the answer hangs on the order in which the question names its options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from emotrain.context.option_order import option_orders
from emotrain.context.views import View
from emotrain.evaluation.scorer import Scorer
from emotrain.examples.examples import Collator, Examples
from emotrain.examples.scoring import score_clips
from emotrain.metrics.intervals import proportion
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip

ORDERS = 5


class OneOrder(Collator):
    """A collator that asks each clip in the `number`-th of its orders; 0 is the label set's own."""

    def __init__(self, examples: Examples, processor: Any, number: int, orders: int) -> None:
        super().__init__(examples, processor)
        self.number = number
        self.count = orders

    def inputs(
        self,
        clip_ids: Sequence[str],
        orders: Sequence[Sequence[int] | None] | None = None,
        epochs: Sequence[int | None] | None = None,
        draws: Sequence[int | None] | None = None,
        view: View | None = None,
    ) -> dict[str, torch.Tensor]:
        """The model's inputs; the order that the caller names is replaced."""
        options = len(self.examples.labels)
        asked = [option_orders(options, self.count, clip_id)[self.number] for clip_id in clip_ids]
        return super().inputs(clip_ids, asked, epochs, draws, view)


def by_option_order(recipe: Recipe, scorer: Scorer, clips: Sequence[Clip], orders: int = ORDERS) -> dict[str, Any]:
    """How answers change over `orders` orders of the options (the label set's own, then each clip's permutations).

    `changed` is the share of clips with more than one answer (Wilson interval), `accuracy` that of each order,
    `by_place` the share of answers that stood at each place of the list in the permuted orders (C,), 1 / C each for a
    model that does not care.
    """
    labels = scorer.labels.labels
    ids = [clip.clip_id for clip in clips]
    answers = np.stack(
        [
            score_clips(
                scorer.model,
                ids,
                OneOrder(Examples(recipe.data, recipe.context, labels), scorer.processor, number, orders),
                scorer.labels,
                batch_size=recipe.sft.per_device_eval_batch_size,
            ).argmax(1)
            for number in range(orders)
        ]
    )
    gold = np.array([labels.index(clip.label) for clip in clips])
    places = np.zeros(len(labels))
    for column, clip_id in enumerate(ids):
        for number, order in enumerate(option_orders(len(labels), orders, clip_id)):
            if number > 0:
                places[order.index(int(answers[number, column]))] += 1
    changed = (answers != answers[0]).any(0)
    return {
        "orders": orders,
        "changed": proportion(int(changed.sum()), len(ids)),
        "accuracy": (answers == gold).mean(1).tolist(),
        "by_place": (places / places.sum()).tolist(),
    }
