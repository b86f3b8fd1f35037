"""The clips that a plan is about: those of the index, or before there is one what is published about the data set.

Every value that is not read off the user's own index is named in `assumptions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from emotrain.balance.priors import class_counts
from emotrain.datasets.clips import CLIPS_FILE, ClipIndex
from emotrain.datasets.long_tail import cut_long_tail
from emotrain.datasets.splits import OWN_FOLDS, VALIDATION_SHARE
from emotrain.emotions import PUBLISHED_COUNTS, label_set
from emotrain.examples.manifests import usable_clips
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip

FRAMES: dict[str, tuple[int, int, int, int]] = {"dfew": (11, 70, 155, 847), "mafw": (11, 82, 244, 727)}
"""Frames a clip as shortest, median, 95th percentile and longest: counted on the official split lists. MAFW's shortest
is not published; DFEW's stands in for it."""

ASSUMED_FPS = 25.0
_GRID = 200


@dataclass(frozen=True, slots=True)
class KnownClips:
    """Training clips and the durations of all clips; either is empty when nothing is known about it."""

    train: tuple[Clip, ...]
    durations_s: npt.NDArray[np.float64]
    prepared: bool
    quarantined: int
    assumptions: tuple[str, ...]


def known_clips(recipe: Recipe) -> KnownClips:
    """What is known of the recipe's clips."""
    index = Path(recipe.data.data) / CLIPS_FILE
    if index.is_file():
        clips, left_out = usable_clips(recipe, "train")
        durations = ClipIndex(index).durations_s()
        durations = durations[durations > 0]
        silent = () if durations.size else (f"durations: {index} holds none, so there is no table of misses",)
        return KnownClips(tuple(clips), durations, True, sum(left_out.values()), silent)
    if recipe.data.dataset == "synthetic" and recipe.data.label_set in ("mafw", "dfew"):
        return _synthetic(recipe)
    train, counted = _published_clips(recipe)
    durations, timed = _published_durations(recipe.data.dataset)
    return KnownClips(train, durations, False, 0, (*counted, *timed))


def test_counts(recipe: Recipe) -> dict[str, int]:
    """Test clips a label, of the index or else of one published fold; empty where neither tells."""
    labels = label_set(recipe.data.label_set).labels
    if (Path(recipe.data.data) / CLIPS_FILE).is_file():
        return class_counts(usable_clips(recipe, "test")[0], labels)
    if recipe.data.label_set in PUBLISHED_COUNTS and recipe.data.dataset == recipe.data.label_set:
        return {label: round(PUBLISHED_COUNTS[recipe.data.label_set][label] / OWN_FOLDS) for label in labels}
    return {}


def _synthetic(recipe: Recipe) -> KnownClips:
    from emotrain.synthetic.clip_plan import plan_clips

    clips = [plan.clip for plan in plan_clips(label_set_name=recipe.data.label_set)]
    return KnownClips(
        tuple(clip for clip in clips if clip.split == "train"),
        np.asarray([clip.duration_s for clip in clips], np.float64),
        False,
        0,
        ("clips: the synthetic set at its default size, which is not rendered yet",),
    )


def _published_clips(recipe: Recipe) -> tuple[tuple[Clip, ...], tuple[str, ...]]:
    name = recipe.data.label_set
    if name not in PUBLISHED_COUNTS or recipe.data.dataset != name:
        why = f"no class counts are published here for {recipe.data.dataset} with label set {name}"
        return (), (f"clips: there is no index and {why}; per-clip figures only, the rest after `emotrain prep`",)
    share = (1 - 1 / OWN_FOLDS) * (1 - VALIDATION_SHARE)
    clips = [
        Clip(f"{label}-{i}", "", label)
        for label in label_set(name).labels
        for i in range(round(PUBLISHED_COUNTS[name][label] * share))
    ]
    said = (
        f"clips: published class counts of {name} times {share:.2f} (train is {OWN_FOLDS - 1} of {OWN_FOLDS} folds, "
        f"less {VALIDATION_SHARE:.0%} for validation), for there is no index yet"
    )
    if recipe.data.long_tail is not None:
        clips = cut_long_tail(clips, recipe.data.long_tail, recipe.data.long_tail_seed)
    return tuple(clips), (said,)


def _published_durations(dataset: str) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    if dataset not in FRAMES:
        return np.empty(0), (
            f"durations: unknown for {dataset} before `emotrain prep`, so there is no table of misses",
        )
    least, median, high, most = FRAMES[dataset]
    said = (
        f"durations: log-normal with the published median of {median} frames and 95th percentile of {high}, cut at "
        f"{least} and {most} frames, at {ASSUMED_FPS:g} frames a second"
    )
    return log_normal(least, median, high, most) / ASSUMED_FPS, (said,)


def log_normal(least: float, median: float, high: float, most: float) -> npt.NDArray[np.float64]:
    """Evenly spaced quantiles of the log-normal distribution with that median and 95th percentile, cut at the ends."""
    sigma = np.log(high / median) / NormalDist().inv_cdf(0.95)
    normal = np.asarray([NormalDist().inv_cdf((i + 0.5) / _GRID) for i in range(_GRID)])
    return np.clip(median * np.exp(sigma * normal), least, most)
