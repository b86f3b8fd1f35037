"""Clips of one person are not as many people: intervals that resample subjects are as wide as they should be."""

from __future__ import annotations

import numpy as np
import pytest

from emotrain.metrics.clusters import cluster_copies, clusters_of, share_copies
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.summary import compare, summarise
from emotrain.records import Prediction

LABELS = ("anger", "fear")


def table(right: dict[str, bool], clips: int = 10) -> PredictionTable:
    """Subjects whose clips are all right or all wrong, `clips` of each label a subject."""
    rows = []
    for subject, well in right.items():
        for label in LABELS:
            other = LABELS[1 - LABELS.index(label)]
            for i in range(clips):
                rows.append(Prediction(f"{subject}-{label}-{i}", None, label, label if well else other))
    return PredictionTable(LABELS, tuple(rows))


def subjects(predictions: PredictionTable) -> dict[str, str | None]:
    return {clip_id: clip_id.split("-")[0] for clip_id in predictions.clip_ids}


def test_clip_level_intervals_are_too_narrow_where_a_subject_is_all_right_or_all_wrong() -> None:
    """Twelve subjects, nine of them right: the truth is a binomial of 12, whatever the clips a subject."""
    predictions = table({f"s{i}": i < 9 for i in range(12)})
    naive = summarise(predictions, resamples=4000)
    honest = summarise(predictions, clusters=subjects(predictions), resamples=4000)
    binomial = np.quantile(np.random.default_rng(1).binomial(12, 0.75, 100_000) / 12, [0.025, 0.975])
    for name in ("war", "uar"):
        assert honest[name]["value"] == naive[name]["value"] == pytest.approx(0.75)
        assert [honest[name]["low"], honest[name]["high"]] == pytest.approx(binomial, abs=1e-9)
        wide, narrow = (m[name]["high"] - m[name]["low"] for m in (honest, naive))
        assert wide > 3 * narrow
    recall = honest["per_class"]["anger"]["recall"]
    assert recall["high"] - recall["low"] == pytest.approx(binomial[1] - binomial[0], abs=1e-9)
    assert honest["interval"]["clusters"] == 12
    assert honest["interval"]["proportions"].startswith("cluster")


def test_subjects_of_one_clip_give_the_interval_of_clips() -> None:
    rng = np.random.default_rng(0)
    gold = np.repeat([0, 1], 60)
    predicted = np.where(rng.random(120) < 0.7, gold, 1 - gold)
    copies = cluster_copies(np.arange(120), gold, predicted, 2, resamples=4000)
    hits = (gold == predicted).mean()
    assert copies.sum((1, 2)) == pytest.approx(120)
    share = share_copies(gold == predicted, np.arange(120), resamples=4000)
    assert share.std() == pytest.approx(np.sqrt(hits * (1 - hits) / 120), rel=0.05)


def test_two_systems_meet_the_same_resamples() -> None:
    first = table({f"s{i}": i < 9 for i in range(12)})
    better = table({f"s{i}": i < 10 for i in range(12)})
    same = compare(first, first, clusters=subjects(first), resamples=500)
    assert same["war"]["low"] == same["war"]["high"] == 0.0
    drawn = compare(
        first, better, clusters=subjects(first), kinds=dict.fromkeys(first.clip_ids, "micro"), resamples=500
    )
    assert drawn["war"]["value"] == pytest.approx(1 / 12)
    assert drawn["war"]["low"] == 0.0  # the one subject that differs is missing from a third of the resamples
    assert drawn["micro_accuracy"] == drawn["war"]


def test_every_resample_holds_every_class_or_the_fault_is_named() -> None:
    cluster = np.repeat(np.arange(6), 2)
    gold = np.array([0, 1] + [0, 0] * 5)  # class 1 in one subject of six
    copies = cluster_copies(cluster, gold, gold, 2, resamples=300)
    assert (copies[:, 1].sum(1) > 0).all()
    alone = np.arange(8)
    with pytest.raises(ValueError, match="too few clusters"):
        cluster_copies(alone, alone, alone, 8, resamples=300)
    assert cluster_copies(alone, alone, alone, 8, complete=False, resamples=300).shape == (300, 8, 10)


def test_clips_without_a_subject_are_named() -> None:
    predictions = table({"s0": True, "s1": False}, clips=1)
    known = subjects(predictions)
    with pytest.raises(ValueError, match="1 of 4 clips have no cluster to resample by, such as s0-fear-0"):
        clusters_of(predictions, {**known, "s0-fear-0": None})
    with pytest.raises(ValueError, match="all clips are of the cluster 'x'"):
        clusters_of(predictions, dict.fromkeys(predictions.clip_ids, "x"))


def test_micro_clips_of_one_subject_have_no_figure_to_resample() -> None:
    predictions = table({"s0": True, "s1": False, "s2": True}, clips=2)
    kinds = {clip_id: "micro" if clip_id.startswith("s0") else "macro" for clip_id in predictions.clip_ids}
    metrics = summarise(predictions, kinds=kinds, clusters=subjects(predictions), resamples=50)
    assert metrics["micro_accuracy"] is None
    assert metrics["macro_accuracy"]["value"] == 0.5
    drawn = compare(predictions, predictions, kinds=kinds, clusters=subjects(predictions), resamples=50)
    assert drawn["micro_accuracy"] is None
    assert drawn["macro_accuracy"]["value"] == 0.0
    assert summarise(predictions, kinds=kinds, resamples=50)["micro_accuracy"]["value"] == 1.0
