"""Logits of the few scored places in float32, whatever type the model runs in.

A head in bfloat16 rounds a logit of 18 to the next multiple of 1/8: the log-probability of a token is off by .03 on
average, and a label's is a sum of several. The places that a label tree scores are few, so the head is computed again
for them, from the same bfloat16 weights, whose products are exact in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from emotrain.modeling.wrapped_model import unwrapped

ROWS = 1 << 15
"""Rows of the vocabulary that are float32 at a time: a whole head of a 7B model would take 2.2 GB."""


@contextmanager
def exact_head(model: nn.Module) -> Iterator[None]:
    """Within it the head's output is float32. Heads that are no plain linear layer stay as they are.

    The hook runs inside the head's own call, where sharded weights are whole.
    """
    head = unwrapped(model).get_output_embeddings()
    if type(head) is not nn.Linear:
        yield
        return
    hook = head.register_forward_hook(_again, prepend=True)  # before ZeRO-3 lets go of the weights
    try:
        yield
    finally:
        hook.remove()


def _again(head: nn.Linear, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    if output.dtype == torch.float32:
        return output
    exact: Tensor = _Product.apply(inputs[0], head.weight)
    return exact if head.bias is None else exact + head.bias.float()


class _Product(torch.autograd.Function):
    """x W^T in float32 by parts of the vocabulary, so that no float32 copy of all weights is made or kept."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        with torch.autocast(x.device.type, enabled=False):
            return torch.cat([x.float() @ part.float().T for part in weight.split(ROWS)], dim=-1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None]:
        (gradient,) = gradients
        x, weight = ctx.saved_tensors
        with torch.autocast(x.device.type, enabled=False):
            total = torch.zeros(x.shape, dtype=torch.float32, device=x.device)
            for part, over in zip(weight.split(ROWS), gradient.split(ROWS, dim=-1), strict=True):
                total += over @ part.float()
            learned = None
            if ctx.needs_input_grad[1]:
                rows = x.float().flatten(0, -2)
                learned = (gradient.flatten(0, -2).T @ rows).to(weight.dtype)
        return total.to(x.dtype), learned
