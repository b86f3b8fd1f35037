"""Do the intervals cover and do the tests hold their level? A simulation of the package's own inference, on one core.

    python benchmarks/inference.py                 # every setting, minutes
    python benchmarks/inference.py --simulations 300 --nulls 2000 --only subjects
    python benchmarks/inference.py --simulations 0 --nulls 20000      # type-I error alone, for the level of .001

Clips are drawn from systems whose true figures are known. Coverage is the share of 95 % intervals that hold the truth;
type-I error the share of pairs of equal systems that the test calls different, at .05 and .001. Settings: one fold of
DFEW (29 clips of disgust), one of MAFW, the demo's eleven classes near the ceiling, MEGC-like clips of 68 subjects (and
of 16) with effects of the subject on the system, three seeds that differ in what they learned, and five folds of them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from emotrain.metrics import scores
from emotrain.metrics.randomisation import p_values, swapped
from emotrain.metrics.resampling import Sample, draw, interval, widening
from emotrain.metrics.trainings import deviations, paired, seed_noise

RESAMPLES = 1000
LOOKS = ((200, 0.1), (1000, 0.01), (6000, 0.0))
"""Swaps of a null pair, and the p above which there is no need for more: .05 is decided by 1000, .001 by 6000."""
FULL = LOOKS[-1][0]


@dataclass(frozen=True)
class Setting:
    """Clips and recall a class; which are the tail; subjects and the s.d. of their effects; seeds, folds, their s.d.

    `common` is the logit s.d. of how hard a subject is for every system, `own` of how hard for one. `trainings` is the
    logit s.d. of what a training makes of a class.
    """

    clips: tuple[int, ...]
    recall: tuple[float, ...]
    tail: tuple[int, ...]
    subjects: int = 0
    common: float = 0.0
    own: float = 0.0
    seeds: int = 1
    folds: int = 1
    trainings: float = 0.0
    alike: float = 0.6
    """Correlation of two systems, or two seeds, in which clips they find hard."""


DFEW = (489, 379, 534, 435, 294, 29, 180)
DFEW_RECALL = (0.88, 0.74, 0.68, 0.76, 0.63, 0.186, 0.40)
MAFW = (278, 128, 125, 248, 228, 294, 214, 47, 183, 52, 36)
MAFW_RECALL = (0.60, 0.30, 0.35, 0.75, 0.60, 0.60, 0.60, 0.15, 0.40, 0.12, 0.10)
DEMO, DEMO_RECALL = (40,) * 11, (0.97, 0.95, 0.93, 0.90, 0.98, 0.95, 0.92, 0.97, 0.96, 0.93, 0.90)
MEGC, MEGC_RECALL = (250, 109, 83), (0.75, 0.60, 0.65)

SETTINGS = {
    "DFEW, one fold": Setting(DFEW, DFEW_RECALL, (5,)),
    "MAFW, one fold": Setting(MAFW, MAFW_RECALL, (7, 9, 10)),
    "demo, near the ceiling": Setting(DEMO, DEMO_RECALL, (7, 9, 10)),
    "68 subjects": Setting(MEGC, MEGC_RECALL, (2,), subjects=68, common=1.0, own=0.7),
    "16 subjects": Setting(MEGC, MEGC_RECALL, (2,), subjects=16, common=0.7, own=0.5),
    "three seeds": Setting(DEMO, tuple(r - 0.2 for r in DEMO_RECALL), (7, 9, 10), seeds=3, trainings=0.3),
    "three seeds, 68 subjects": Setting(
        MEGC, MEGC_RECALL, (2,), subjects=68, common=1.0, own=0.7, seeds=3, trainings=0.2
    ),
    "five folds, three seeds": Setting(
        DEMO, tuple(r - 0.2 for r in DEMO_RECALL), (7, 9, 10), seeds=3, folds=5, trainings=0.4
    ),
}


def main(simulations: int, nulls: int, only: str) -> None:
    """Print one line a setting and figure."""
    print(f"{'setting':26s} {'figure':9s} covers  width   of differences  type-I at .05  at .001")
    started = time.monotonic()
    for name, setting in SETTINGS.items():
        if only not in name:
            continue
        cover, width, cover_difference = coverage(setting, simulations)
        levels = errors(setting, nulls)
        for f, figure in enumerate(FIGURES):
            print(
                f"{name:26s} {figure:9s} {100 * cover[f]:5.1f}% {100 * width[f]:6.1f} "
                f"{100 * cover_difference[f]:15.1f}% {100 * levels[0.05][f]:13.1f}% {100 * levels[0.001][f]:7.3f}%",
                flush=True,
            )
    print(f"{simulations} simulations, {nulls} null pairs a setting; {time.monotonic() - started:.0f} s")


FIGURES = ("uar", "tail_f1", "uf1", "war")


def figures_of(setting: Setting):
    """The figures under test, as the package computes them."""
    tail = list(setting.tail)

    def figures(matrix: np.ndarray) -> dict[str, np.ndarray]:
        f1 = scores.f1(matrix)
        return {
            "uar": scores.uar(matrix),
            "tail_f1": f1[..., tail].mean(-1),
            "uf1": f1.mean(-1),
            "war": scores.war(matrix),
        }

    return figures


def coverage(setting: Setting, simulations: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of intervals that hold the truth, their mean width, and that share for differences of equal systems."""
    figures, true = figures_of(setting), truth(setting)
    if simulations == 0:
        return (np.full(len(FIGURES), np.nan),) * 3
    hit, width, hit_difference = (np.zeros(len(FIGURES)) for _ in range(3))
    for n, (sample, systems) in enumerate(pairs(setting, simulations, seed=1)):
        drawn = draw(sample, systems, figures, resamples=RESAMPLES, seed=n)
        stretch = widening(sample)
        alone = deviations(drawn["a"], stretch=stretch, seed=n)
        between = deviations(drawn["b"], drawn["a"], stretch=stretch, seed=n)
        for f in range(len(FIGURES)):
            value = drawn["a"].values[:, f].mean()
            found = interval(value, value + alone[:, f])
            hit[f] += found["low"] <= true[f] <= found["high"]
            width[f] += found["high"] - found["low"]
            gain = drawn["b"].values[:, f].mean() - value
            found = interval(gain, gain + between[:, f], least=-1.0)
            hit_difference[f] += found["low"] <= 0 <= found["high"]
    return hit / simulations, width / simulations, hit_difference / simulations


def errors(setting: Setting, nulls: int) -> dict[float, np.ndarray]:
    """Share of pairs of equal systems with p below a level."""
    if nulls == 0:
        return {level: np.full(len(FIGURES), np.nan) for level in (0.05, 0.001)}
    figures = figures_of(setting)
    below = {0.05: np.zeros(len(FIGURES)), 0.001: np.zeros(len(FIGURES))}
    for n, (sample, systems) in enumerate(pairs(setting, nulls, seed=2)):
        shrink, noise = 1.0, np.zeros((1, len(FIGURES)))
        if setting.seeds > 1:
            drawn = draw(sample, systems, figures, resamples=200, seed=n)
            shrink, noise = seed_noise(*paired(drawn["b"], drawn["a"]), FULL, n)
        p = np.ones(len(FIGURES))
        for swaps, enough in LOOKS:
            observed, under = swapped(sample, systems["a"], systems["b"], figures, swaps=swaps, seed=n)
            p = p_values(observed, under, noise[:swaps], shrink)
            if p.min() > enough:
                break
        for level, count in below.items():
            count += p <= level
    return {level: count / nulls for level, count in below.items()}


def pairs(setting: Setting, number: int, seed: int) -> Iterator[tuple[Sample, dict[str, list[np.ndarray]]]]:
    """Clips and the answers of two systems `a` and `b` that are equally good at heart, a list over seeds each."""
    rng = np.random.default_rng(seed)
    k, gold = len(setting.clips), np.repeat(np.arange(len(setting.clips)), setting.clips)
    others = [np.array([c for c in range(k) if c != g]) for g in range(k)]
    shares = [np.array(setting.clips, float)[o] / np.array(setting.clips, float)[o].sum() for o in others]
    fold = np.arange(len(gold)) % setting.folds
    for _ in range(number):
        clusters = (
            None
            if setting.subjects == 0
            else np.unique(rng.integers(0, setting.subjects, len(gold)), return_inverse=True)[1].astype(np.int64)
        )
        common = 0.0 if clusters is None else rng.normal(0, setting.common, clusters.max() + 1)[clusters]
        clip_hard = rng.standard_normal(len(gold))
        systems: dict[str, list[np.ndarray]] = {}
        for name in "ab":
            own = 0.0 if clusters is None else rng.normal(0, setting.own, clusters.max() + 1)[clusters]
            wrong = np.empty(len(gold), np.int64)
            for g in range(k):
                wrong[gold == g] = rng.choice(others[g], setting.clips[g], p=shares[g])
            systems[name] = []
            for _ in range(setting.seeds):
                learned = rng.normal(0, setting.trainings, (setting.folds, k))[fold, gold] if setting.trainings else 0.0
                right = expit(logit(np.array(setting.recall))[gold] + common + own + learned)
                level = np.sqrt(setting.alike) * clip_hard + np.sqrt(1 - setting.alike) * rng.standard_normal(len(gold))
                systems[name].append(np.where(norm.cdf(level) < right, gold, wrong))
        if clusters is None and setting.seeds == 1:
            # Clips that both systems answered alike are one row with its copies: the same distribution, faster.
            cells, copies = np.unique((gold * k + systems["a"][0]) * k + systems["b"][0], return_counts=True)
            yield Sample(cells // k**2, k, copies=copies), {"a": [cells // k % k], "b": [cells % k]}
        else:
            yield Sample(gold, k, clusters), systems


def truth(setting: Setting) -> np.ndarray:
    """The figures of endlessly many clips, subjects and trainings."""
    rng = np.random.default_rng(3)
    k, clips = len(setting.clips), np.array(setting.clips, float)
    spread = rng.normal(0, np.hypot(setting.common, setting.own), 4000) if setting.subjects else np.zeros(1)
    found = []
    for _ in range(2000 if setting.trainings else 1):
        learned = rng.normal(0, setting.trainings, (setting.folds, k)) if setting.trainings else np.zeros((1, k))
        at = logit(np.array(setting.recall)) + learned
        recall = expit(at[..., None] + (spread if not setting.trainings else spread[:200])).mean((0, -1))
        matrix = np.zeros((k, k + 2))
        for c in range(k):
            rest = np.delete(clips, c)
            matrix[c, np.delete(np.arange(k), c)] = clips[c] * (1 - recall[c]) * rest / rest.sum()
            matrix[c, c] = clips[c] * recall[c]
        found.append([float(value) for value in figures_of(setting)(matrix).values()])
    return np.mean(found, axis=0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000, help="data sets a setting for coverage")
    parser.add_argument("--nulls", type=int, default=10_000, help="pairs of equal systems a setting for type-I error")
    parser.add_argument("--only", default="", help="settings whose name holds this")
    arguments = parser.parse_args()
    main(arguments.simulations, arguments.nulls, arguments.only)
