"""`objective: reward`: the label distribution as a policy, and its expected reward climbed exactly.

The answer is one of C labels and their probabilities p are all known, so the expectation of the reward over answers,
J = sum_c p_c R(y, c), needs no sample: its gradient is the policy gradient (Williams 1992) without variance. R says
what an answer c is worth where y is true, pi being the class shares of the draws:

    accuracy  R = [c = y]                            J is the expected accuracy
    uar       R = [c = y] / (C pi_y)                 J is the expected mean of recalls
    tail_f1   as uar, but for a tail class c         ([c = y] - F/2) / (C pi_c)

The last is macro F1 made linear where a class has F1 = F and as many answers as clips: dF1_c is then proportional to
dTP - F/2 dN_c, N_c the answers c (the threshold F/2 of Lipton et al. 2014). Naming a rare class wrongly costs there.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Reward = Literal["accuracy", "uar", "tail_f1"]

TAIL = 0.5
"""A class with less than this part of an even share is of the tail (see `emotions.frequency_groups`)."""

ASSUMED_F1 = 0.5


def rewards(name: Reward, prior: Tensor) -> Tensor:
    """(C, C): row y, column c: what the answer c is worth where y is true; `prior` (C,) are class shares of draws."""
    classes = len(prior)
    right = torch.eye(classes, dtype=prior.dtype, device=prior.device)
    if name == "accuracy":
        return right
    # A class that is never drawn is never true either: its reward must only be finite.
    worth = 1 / (classes * prior.clamp_min(1e-6))
    if name == "uar":
        return right * worth[:, None]
    tail = prior * classes < TAIL
    return torch.where(tail[None, :], (right - ASSUMED_F1 / 2) * worth[None, :], right * worth[:, None])


def expected_loss(logits: Tensor, prior: Tensor, name: Reward) -> Tensor:
    """(B, C): column y is the negative expected reward of softmax(logits) (B, C) if y were the true label."""
    return -torch.softmax(logits, dim=1) @ rewards(name, prior).T
