"""How sure a figure is over clips and trainings together, and how sure the difference of two systems.

With S trainings (seeds) of a system the figure is their mean. Its variance has three parts: which clips were drawn,
which trainings, and how these two meet. The bootstrap of the clips holds the first and 1 / S of the last; the variance
s^2 of the seeds' figures, over S, holds the second and that same part. So that part is taken out of the bootstrap
draws and s / sqrt(S) times Student's t with S - 1 degrees of freedom is added to each draw: three trainings are too few
to be resampled, and t says how little they tell. With one training nothing is known of the others, and the interval is
about clips alone.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import t

from emotrain.metrics.resampling import Drawn, Floats


def deviations(drawn: Drawn, minus: Drawn | None = None, *, stretch: float = 1.0, seed: int = 0) -> Floats:
    """(R, F) draws of the error of the mean over seeds of a system's figures, or of its difference to `minus`.

    `stretch` is that of `resampling.widening`. Seeds of two systems are paired by their order where they have as many.
    """
    values, draws = paired(drawn, minus)
    errors = draws.mean(axis=0) - values.mean(axis=0)
    shrink, noise = seed_noise(values, draws, len(errors), seed)
    return errors * stretch * shrink + noise


def paired(drawn: Drawn, minus: Drawn | None) -> tuple[Floats, Floats]:
    """Values (S, F) and draws (S, R, F) of a system, or of the differences to another, seed by seed."""
    if minus is None:
        return drawn.values, drawn.draws
    if len(drawn.values) == len(minus.values):
        return drawn.values - minus.values, drawn.draws - minus.draws
    # A baseline that was trained once beside arms of several seeds: the mean is what they have in common.
    if len(minus.values) == 1 or len(drawn.values) == 1:
        return drawn.values - minus.values, drawn.draws - minus.draws
    return (
        (drawn.values.mean(0) - minus.values.mean(0))[None],
        (drawn.draws.mean(0) - minus.draws.mean(0))[None],
    )


def seed_noise(values: Floats, draws: Floats, resamples: int, seed: int = 0) -> tuple[Floats, Floats]:
    """What the spread of the seeds does to the errors (R, F) of their mean: a factor (F,), and noise (R, F) to add."""
    seeds = len(values)
    if seeds < 2:
        return np.ones(values.shape[1]), np.zeros((1, values.shape[1]))
    spread = values.std(axis=0, ddof=1)
    errors = draws - values[:, None]
    mean = errors.mean(axis=0)
    clips = mean.var(axis=0)
    meeting = ((errors - mean) ** 2).mean(axis=1).sum(axis=0) / (seeds - 1) / seeds
    factor = np.sqrt(np.clip(1 - meeting / np.maximum(clips, 1e-300), 0.0, 1.0))
    standard = t.rvs(seeds - 1, size=(resamples, 1), random_state=np.random.default_rng((seed, seeds)))
    return factor, standard * spread / np.sqrt(seeds)
