"""Keeping a frozen vision side out of the backward pass, whatever makes its inside require gradients.

A module without trainable weights, fed with inputs that need no gradient, cannot pass any on, and autograd would leave
it alone. Gradient checkpointing of transformers 5 and PEFT breaks that: `enable_input_require_grads` makes the output
of every input embedding require a gradient, the patch embedding of the vision tower among them. All blocks of the
tower are then kept, run forward a second time and backwards, for gradients that nobody reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn


def frozen_parts(model: nn.Module, kept: set[int]) -> Iterator[nn.Module]:
    """The largest modules that have parameters, none of them in `kept` (by `id`)."""
    for child in model.children():
        own = {id(parameter) for parameter in child.parameters()}
        if own and own.isdisjoint(kept):
            yield child
        else:
            yield from frozen_parts(child, kept)


def spare_backward(module: nn.Module) -> None:
    """Run the module without recording gradients as long as none of its weights and none of its inputs needs one.

    Decided anew in each call, so an adapter put into it later learns as usual. These are forward hooks of the module
    itself: values do not change, and neither checkpointing, sharding nor the order of hooks inside it matters.
    """
    guard = _Guard()
    module.register_forward_pre_hook(guard.enter, with_kwargs=True)
    module.register_forward_hook(guard.leave, always_call=True)


class _Guard:
    """The grad mode to go back to, for every call that is under way."""

    def __init__(self) -> None:
        self.before: list[bool] = []

    def enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.before.append(torch.is_grad_enabled())
        given = (value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor))
        needed = any(t.requires_grad for t in given) or any(p.requires_grad for p in module.parameters())
        torch.set_grad_enabled(self.before[-1] and needed)

    def leave(self, *unused: Any) -> None:
        if self.before:  # empty when another hook raised before this one's turn
            torch.set_grad_enabled(self.before.pop())
