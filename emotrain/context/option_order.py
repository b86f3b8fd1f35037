"""The order in which a question names its options: shuffled in training, averaged over in evaluation on request."""

from __future__ import annotations

from random import Random

from emotrain.stable_hash import stable_hash

MOST_ORDERS = 64
"""Orders that scores are averaged over; each is a pass of its own over every clip."""


def option_order(options: int, key: str) -> list[int]:
    """A permutation of `options` positions that hangs on `key` alone."""
    order = list(range(options))
    Random(stable_hash(key)).shuffle(order)
    return order


def option_orders(options: int, orders: int, clip_id: str) -> list[list[int]]:
    """The label set's own order, then `orders - 1` permutations of the clip's own."""
    own = [option_order(options, f"{clip_id}/{k}") for k in range(1, orders)]
    return [list(range(options)), *own]
