"""Re-balanced losses on the label distribution.

`logits` z (B, C) are label log-likelihoods, so softmax(z) is the label distribution and exp(logsumexp(z)) <= 1 is the
probability of the label set as a whole, the *label mass*. Each loss is a plain function
`(logits (B, C), target, prior (C,)) -> (B,)` in nats; a target is (B,) int64 class positions or (B, C) shares that sum
to one (annotator votes). For a soft target the loss is the expectation over the target of the loss of a hard label.

`build_loss` puts one of them together with label smoothing, class weights and the mass term. It returns a loss and a
weight per sample; the loss of a step is `(per_sample * weight).sum() / weight.sum()` with both sums over *all* its
micro-batches and ranks, which makes it independent of how the step was cut up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor

from emotrain.balance.priors import class_prior
from emotrain.balance.reward import Reward, expected_loss
from emotrain.balance.score_prior import class_weights
from emotrain.emotions import nearest

LossName = Literal[
    "cross_entropy", "focal", "balanced_softmax", "logit_adjusted", "ldam", "label_oversmoothing", "reward"
]
ClassWeights = Literal["none", "inverse_frequency", "effective_number"]

OVERSMOOTHING = 0.98
"""Smoothing of label over-smoothing (Sun et al. 2025, "Label Over-Smooth Can Balance")."""


@dataclass(frozen=True, slots=True)
class LossSettings:
    """Which loss, and its constants. A wrong name or range is an error here, before any model is loaded.

    tau: strength of `logit_adjusted`. gamma: focusing of `focal`. margin, scale: largest margin and scale of `ldam`;
    the scale of 30 known from cosine classifiers does not fit log-likelihoods, which are in nats already. With these
    defaults the margins of DFEW's commonest and rarest class differ by a quarter of a nat (in the paper by 7.6), so
    that `ldam` is all but cross-entropy until `margin` is raised or class weights join it.
    class_weights go with every loss; they switch on when the share of training done reaches `drw_start`
    (LDAM-DRW: `ldam`, `effective_number`, 0.8). beta: of the effective number. smoothing: label smoothing, by default
    0.98 for `label_oversmoothing` and 0 otherwise. mass_weight: the factor of the mass term; with cross-entropy and 1
    the sum is the negative log-likelihood of the label's tokens, that is, ordinary fine-tuning. reward: of `reward`.
    """

    name: LossName = "cross_entropy"
    class_weights: ClassWeights = "none"
    tau: float = 1.0
    gamma: float = 2.0
    beta: float = 0.9999
    margin: float = 0.5
    scale: float = 1.0
    smoothing: float | None = None
    mass_weight: float = 1.0
    drw_start: float = 0.0
    reward: Reward = "uar"

    def __post_init__(self) -> None:
        problems = [
            f"{key} {found!r} is unknown; {nearest(str(found), get_args(known))}"
            for key, found, known in (
                ("loss", self.name, LossName),
                ("class_weights", self.class_weights, ClassWeights),
                ("reward", self.reward, Reward),
            )
            if found not in get_args(known)
        ]
        for key, wanted, holds in (
            ("tau", "0 or more", self.tau >= 0),
            ("gamma", "0 or more", self.gamma >= 0),
            ("beta", "0 <= beta < 1", 0 <= self.beta < 1),
            ("margin", "0 or more", self.margin >= 0),
            ("scale", "more than 0", self.scale > 0),
            ("smoothing", "0 <= smoothing < 1", self.smoothing is None or 0 <= self.smoothing < 1),
            ("mass_weight", "0 or more", self.mass_weight >= 0),
            ("drw_start", "a share of training from 0 to 1", 0 <= self.drw_start <= 1),
        ):
            found = getattr(self, key)
            if found is not None and not math.isfinite(found):
                problems.append(f"{key} {found}: expected a finite number, {wanted}")
            elif not holds:
                problems.append(f"{key} {found}: expected {wanted}")
        if problems:
            raise ValueError("loss settings: " + "; ".join(problems))

    @property
    def label_smoothing(self) -> float:
        """The smoothing in force."""
        if self.smoothing is not None:
            return self.smoothing
        return OVERSMOOTHING if self.name == "label_oversmoothing" else 0.0


class LossTerms(NamedTuple):
    """Per sample, (B,) each: the loss (mass term included), its weight, and the mass term alone for the log."""

    per_sample: Tensor
    weight: Tensor
    mass: Tensor


@dataclass(frozen=True)
class BuiltLoss:
    """The loss of a run: `loss(logits (B, C), target, progress) -> LossTerms`, progress the share of training done.

    `priors` and `class_weights` are (E, C) float64, one row an epoch (or one for all of them), `margins` (of `ldam`)
    (C,). Half-precision logits are computed in float32. A sample with a soft target has the weight sum_c w_c t_c.
    """

    settings: LossSettings
    priors: Tensor
    class_weights: Tensor
    margins: Tensor
    _there: dict[tuple[torch.device, torch.dtype], tuple[Tensor, ...]] = field(default_factory=dict, repr=False)

    def __call__(self, logits: Tensor, target: Tensor, progress: float) -> LossTerms:
        if logits.ndim != 2 or logits.shape[1] != len(self.margins):
            raise ValueError(
                f"logits of shape {tuple(logits.shape)}: expected (B, {len(self.margins)}), one column a label"
            )
        z = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
        prior, weights, margins = self._constants(progress, z.device, z.dtype)
        shares = as_shares(target, z)
        # Weights tilt the target before smoothing enters the denominator: the quotient of sums is then exactly
        # torch's weighted mean, also with label smoothing.
        weight = shares @ weights
        smoothed = smooth(target, self.settings.label_smoothing, z)
        mass = mass_term(z)
        per_class = _per_class(z, prior, margins, self.settings)
        per_sample = (smoothed * weights * per_class).sum(dim=1) / weight + self.settings.mass_weight * mass
        return LossTerms(per_sample, weight, mass.detach())

    def weights(self, target: Tensor, progress: float, dtype: torch.dtype = torch.float32) -> Tensor:
        """The weights (B,) that a batch will have in the loss, known from its targets before there are logits."""
        _, weights, _ = self._constants(progress, target.device, dtype)
        return weights[target] if target.ndim == 1 else target.to(dtype) @ weights

    def _constants(self, progress: float, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        # Kept where they were used: copying them in every micro-batch would make the host wait for the device.
        if (device, dtype) not in self._there:
            constants = (self.priors, self.class_weights, self.margins)
            self._there[device, dtype] = tuple(constant.to(device, dtype) for constant in constants)
        priors, every, margins = self._there[device, dtype]
        # A step at the border of two epochs belongs to the later one, however the division rounds.
        epoch = min(int(progress * len(priors) + 1e-9), len(priors) - 1)
        prior, weights = priors[epoch], every[epoch]
        return prior, torch.ones_like(weights) if progress < self.settings.drw_start else weights, margins


def cross_entropy(logits: Tensor, target: Tensor, prior: Tensor) -> Tensor:
    """Plain cross-entropy -log p_y; the prior plays no part."""
    return _expectation(_negative_log_softmax(logits), target)


def focal(logits: Tensor, target: Tensor, prior: Tensor, *, gamma: float = 2.0) -> Tensor:
    """-(1 - p_y)^gamma log p_y (Lin et al. 2017, equation 4), p being the model's probability, never a weighted one."""
    return _expectation(_focal(logits, gamma), target)


def balanced_softmax(logits: Tensor, target: Tensor, prior: Tensor) -> Tensor:
    """Cross-entropy of z + log n (Ren et al. 2020, equation 4); scale of the prior cancels. Test with raw z."""
    return logit_adjusted(logits, target, prior, tau=1.0)


def logit_adjusted(logits: Tensor, target: Tensor, prior: Tensor, *, tau: float = 1.0) -> Tensor:
    """Cross-entropy of z + tau log pi (Menon et al. 2021, equation 10). Test with raw z."""
    return _expectation(_negative_log_softmax(logits + tau * _log(prior)), target)


def ldam(logits: Tensor, target: Tensor, prior: Tensor, *, margin: float = 0.5, scale: float = 1.0) -> Tensor:
    """Cross-entropy of scale * z with the margin m_y taken off the true label (Cao et al. 2019, equation 13)."""
    return _expectation(_ldam(logits, ldam_margins(prior, margin), scale), target)


def label_oversmoothing(logits: Tensor, target: Tensor, prior: Tensor, *, smoothing: float = OVERSMOOTHING) -> Tensor:
    """Cross-entropy against a target that is almost uniform (Sun et al. 2025); meant for re-training a head."""
    return cross_entropy(logits, smooth(target, smoothing, logits), prior)


def ldam_margins(prior: Tensor, margin: float = 0.5) -> Tensor:
    """Margins m_c = margin * n_c^(-1/4) / max_k n_k^(-1/4), (C,): the rarest class has the full `margin`.

    n_c are clips of a class in the training set, whatever is drawn of them (Cao et al. 2019, equation 12).
    """
    inverse_root = torch.exp(-0.25 * _log(prior))
    return margin * inverse_root / inverse_root.max()


def smooth(target: Tensor, smoothing: float, logits: Tensor) -> Tensor:
    """Label smoothing: (1 - smoothing) * target + smoothing / C, as shares (B, C) of the logits' dtype."""
    return (1.0 - smoothing) * as_shares(target, logits) + smoothing / logits.shape[1]


def mass_term(logits: Tensor) -> Tensor:
    """-logsumexp(z), (B,), >= 0: how far the label set as a whole is from having all the probability."""
    return -torch.logsumexp(logits, dim=1)


def as_shares(target: Tensor, logits: Tensor) -> Tensor:
    """A hard (B,) or soft (B, C) target as shares (B, C) in the dtype of the logits."""
    if target.ndim == 2 and target.shape == logits.shape:
        return target.to(logits.dtype)
    if target.ndim == 1 and target.shape[0] == logits.shape[0]:
        return torch.zeros_like(logits).scatter_(1, target.unsqueeze(1), 1.0)
    raise ValueError(
        f"target of shape {tuple(target.shape)} does not go with logits of shape {tuple(logits.shape)}; "
        "expected (B,) class positions or (B, C) shares"
    )


def build_loss(
    settings: LossSettings,
    counts: Mapping[str, int] | Sequence[Mapping[str, int]],
    clips: Mapping[str, int] | None = None,
) -> BuiltLoss:
    """The loss of a run on a stream with these label counts.

    `counts` are draws a label in label-set order, *of the stream that is trained on*: with a balanced manifest these
    are its `label_counts`, since a prior that the sampler has removed already must not be removed a second time. A
    stream that changes over the epochs (progressive) has a mapping for each, `Manifest.stream_counts`. `clips` are the
    distinct clips a label that there are to draw from: the margins of `ldam` and the samples of the effective number
    are theirs, for drawing a clip often adds none. None: as many as draws.
    """
    epochs = [counts] if isinstance(counts, Mapping) else list(counts)
    weights = np.stack([class_weights(settings, of_epoch, clips) for of_epoch in epochs])
    priors = np.stack([class_prior(of_epoch) for of_epoch in epochs])
    margins = ldam_margins(torch.from_numpy(class_prior(epochs[0] if clips is None else clips)), settings.margin)
    return BuiltLoss(settings, torch.from_numpy(priors), torch.from_numpy(weights), margins)


def _per_class(logits: Tensor, prior: Tensor, margins: Tensor, settings: LossSettings) -> Tensor:
    """(B, C): column c is the loss if c were the true label."""
    if settings.name == "focal":
        return _focal(logits, settings.gamma)
    if settings.name == "balanced_softmax":
        return _negative_log_softmax(logits + _log(prior))
    if settings.name == "logit_adjusted":
        return _negative_log_softmax(logits + settings.tau * _log(prior))
    if settings.name == "ldam":
        return _ldam(logits, margins, settings.scale)
    if settings.name == "reward":
        return expected_loss(logits, prior, settings.reward)
    return _negative_log_softmax(logits)


def _negative_log_softmax(logits: Tensor) -> Tensor:
    return -torch.log_softmax(logits, dim=1)


def _focal(logits: Tensor, gamma: float) -> Tensor:
    log_p = torch.log_softmax(logits, dim=1)
    # 1 - p without cancellation; the floor keeps the gradient finite for gamma < 1 when p rounds to one.
    rest = (-torch.expm1(log_p)).clamp_min(torch.finfo(log_p.dtype).eps)
    return -(rest**gamma) * log_p


def _ldam(logits: Tensor, margins: Tensor, scale: float) -> Tensor:
    # Row c of the middle axis is the logit vector with label c held to its margin: (B, C, C), and C is about ten.
    held = logits.unsqueeze(1) - torch.diag(margins)
    return -torch.log_softmax(scale * held, dim=2).diagonal(dim1=1, dim2=2)


def _expectation(per_class: Tensor, target: Tensor) -> Tensor:
    return (as_shares(target, per_class) * per_class).sum(dim=1)


def _log(prior: Tensor) -> Tensor:
    return prior.clamp_min(torch.finfo(prior.dtype).tiny).log()
