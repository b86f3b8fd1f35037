"""Sets of labels that hold the true one as often as promised, class by class: a model's way to say "I do not know".

A label belongs to the set of a clip unless its probability is lower than nearly all those that the model gave to the
true label of held-out clips of that very class (label-conditional conformal sets: Vovk 2012; Sadinle, Lei and Wasserman
2019). Nothing is assumed of the model: where new clips are like the held-out ones, each class is covered as promised,
rare ones too. A class of few held-out clips pays by size: with fewer than 1 / (1 - coverage) - 1 of them its label is
in every set. (MAPIE's Mondrian wrapper asks for a scikit-learn estimator around the scores; this is a count.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from emotrain.metrics.calibration import clip_weights
from emotrain.metrics.resampling import interval

COVERAGES = (0.8, 0.9, 0.95)
SHOWN = 0.9
"""The coverage of which the report shows every class."""

MOST = 2000
"""Held-out clips of a class that are kept: more would say no more."""

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """By label: the probabilities, rising, that the model gave to this label on held-out clips of which it is true."""

    scores: Mapping[str, tuple[float, ...]]

    def sets(self, probabilities: Scores, labels: Sequence[str], coverage: float) -> npt.NDArray[np.bool_]:
        """Which of the K `labels` are in the set of each of the (N, K) rows of probabilities, bool (N, K).

        Raises ValueError for a coverage outside (0, 1), and for labels that are not those of the calibration.
        """
        check_coverage(coverage)
        if set(labels) != set(self.scores):
            raise ValueError(
                f"calibrated for {', '.join(self.scores)}, asked about {', '.join(labels)}; calibrate with these labels"
            )
        inside = np.empty(probabilities.shape, bool)
        for c, label in enumerate(labels):
            known = np.asarray(self.scores[label])
            # The rank of the new clip among those of the class, itself counted, is as likely to be any as any other.
            rank = 1 + np.searchsorted(known, probabilities[:, c] + 1e-12, side="right")
            inside[:, c] = rank > (1 - coverage) * (len(known) + 1) + 1e-9
        return inside

    def always(self, coverage: float) -> list[str]:
        """Labels that no set of this coverage can leave out, for too few held-out clips had them."""
        return [label for label, known in self.scores.items() if (1 - coverage) * (len(known) + 1) + 1e-9 < 1]


def calibrate(gold: npt.NDArray[np.int64], logits: Scores, labels: Sequence[str], *, seed: int = 0) -> Calibration:
    """The calibration from (N, K) logits of held-out clips whose (N,) true label indices are known.

    Probabilities are rounded down to six decimals, which makes sets larger and never smaller.
    """
    shares, rng = softmax(logits, axis=1), np.random.default_rng(seed)
    found = {}
    for c, label in enumerate(labels):
        own = shares[gold == c, c]
        own = own if len(own) <= MOST else rng.choice(own, MOST, replace=False)
        found[label] = tuple((np.floor(np.sort(own) * 1e6) / 1e6).tolist())
    return Calibration(found)


def check_coverage(coverage: float) -> None:
    """Raise ValueError for a coverage that cannot be promised."""
    if not 0 < coverage < 1:
        raise ValueError(f"coverage {coverage:g}: expected a share above 0 and below 1, as in .9")


def set_figures(
    gold: npt.NDArray[np.int64],
    logits: Scores,
    labels: Sequence[str],
    calibration: Calibration,
    *,
    clusters: npt.NDArray[np.int64] | None = None,
) -> list[dict[str, Any]]:
    """What the sets are worth on (N, K) logits of test clips with (N,) true label indices, one row a coverage.

    - `covered`: share of the clips whose set holds the true label, {"value", "low", "high"}; `size`: mean labels a set
    - `single`: share of the sets of one label, `single_right` how often that is the true one (None without any);
      `empty`: share of the sets without a label: the clip is like none of the held-out ones
    - `classes`: `covered`, `size`, `clips` and `held_out` of each class; `always`: see `Calibration.always`
    """
    shares, weights = softmax(logits, axis=1), clip_weights(len(gold), clusters, 1000)
    rows = []
    for coverage in COVERAGES:
        inside = calibration.sets(shares, labels, coverage)
        hit, size = inside[np.arange(len(gold)), gold], inside.sum(1)
        drawn = weights @ hit
        single = size == 1
        rows.append(
            {
                "coverage": coverage,
                "covered": interval(float(hit.mean()), drawn - drawn.mean() + hit.mean()),
                "size": float(size.mean()),
                "single": float(single.mean()),
                "single_right": float(hit[single].mean()) if single.any() else None,
                "empty": float((size == 0).mean()),
                "always": calibration.always(coverage),
                "classes": {
                    label: {
                        "clips": int((gold == c).sum()),
                        "held_out": len(calibration.scores[label]),
                        "covered": float(hit[gold == c].mean()) if (gold == c).any() else None,
                        "size": float(size[gold == c].mean()) if (gold == c).any() else None,
                    }
                    for c, label in enumerate(labels)
                },
            }
        )
    return rows
