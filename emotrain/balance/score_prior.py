"""Which class prior a model's scores still carry after training: one rule, asked by all that corrects a prior.

Cross-entropy on a stream with class shares p teaches p(label | clip) under p, so p is in the scores. A loss that adds
tau log p while training leaves p^(1 - tau) (Ren et al. 2020; Menon et al. 2021, equation 10), and class weights w teach
the posterior of a stream with shares proportional to w p. What has been taken off once must not be taken off again.
Focal loss, LDAM and label over-smoothing bend the posterior, but correct no prior: they count as cross-entropy. The
rewards `uar` and `tail_f1` pay for answers as if classes were equally many, so there is nothing left to take off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from emotrain.balance.priors import Vector, class_prior, effective_number, inverse_frequency
from emotrain.balance.strategies import class_shares

if TYPE_CHECKING:
    from emotrain.balance.draw_settings import DrawSettings
    from emotrain.balance.losses import LossSettings

Counts = Mapping[str, int]

UNIFORM = 0.01
"""A prior is uniform when no two classes differ by this share of the whole or more: there is nothing to correct."""


def prior_removed(settings: LossSettings) -> float | None:
    """The power of the prior that training with this loss takes off the scores; None for one that corrects no prior."""
    of_reward = 1.0 if settings.reward != "accuracy" else None
    return {"balanced_softmax": 1.0, "logit_adjusted": settings.tau, "reward": of_reward}.get(settings.name)


def carried_prior(settings: LossSettings, draws: Counts, clips: Counts | None = None) -> Vector:
    """Class shares (C,) that are in the scores of a model trained with this loss on draws with these counts.

    `draws` are those that training ended with (of the last epoch, where they change over the epochs), `clips` the
    distinct clips of each class. Scores less the logarithm of the result are those of a uniform prior.
    """
    shares = class_prior(draws) ** (1.0 - (prior_removed(settings) or 0.0))
    if settings.drw_start < 1.0:
        shares = shares * class_weights(settings, draws, clips)
    return shares / shares.sum()


def class_weights(settings: LossSettings, draws: Counts, clips: Counts | None = None) -> Vector:
    """Weight of each class in the loss, (C,): by the shares of the draws.

    The effective number counts samples (Cui et al. 2019), and drawing a clip in every epoch makes no second sample of
    it: n_c is the class's share of the draws times the number of distinct clips.
    """
    if settings.class_weights == "inverse_frequency":
        return inverse_frequency(draws)
    if settings.class_weights == "effective_number":
        samples = sum((draws if clips is None else clips).values()) / max(sum(draws.values()), 1)
        return effective_number({label: count * samples for label, count in draws.items()}, settings.beta)
    return np.ones(len(draws))


def is_uniform(prior: Vector | Sequence[float], present: Sequence[bool] | None = None) -> bool:
    """Whether shares (C,) leave nothing to correct; only the classes that are `present` count."""
    shares = np.asarray(prior, np.float64)
    shares = shares if present is None else shares[np.asarray(present, bool)]
    return len(shares) == 0 or bool((shares.max() - shares.min()) / shares.sum() < UNIFORM)


def leaves_a_prior(settings: LossSettings, draws: DrawSettings) -> bool:
    """Whether training by this loss on draws of this kind leaves a prior in the scores where clips are imbalanced.

    Asked of notional classes of 10,000 and 100 clips, so that a study's faults are known before there is any data.
    """
    clips = {"common": 10_000, "rare": 100}
    shares = class_shares(clips, draws, draws.epochs - 1)
    drawn = {label: round(share * 1_000_000) for label, share in shares.items()}
    return prior_to_remove(settings, drawn, clips) is not None


def prior_to_remove(settings: LossSettings, draws: Counts, clips: Counts | None = None) -> dict[str, float] | None:
    """`carried_prior` by label, or None where it is uniform and there is nothing to take off the scores."""
    prior = carried_prior(settings, draws, clips)
    if is_uniform(prior, [count > 0 for count in draws.values()]):
        return None
    return {label: float(share) for label, share in zip(draws, prior)}
