"""Clips of one person are not as many people: the index's subjects are resampled wherever they are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from emotrain.metrics.clusters import known_clusters, numbers_of, too_few
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.summary import compare, summarise
from emotrain.records import Clip, Prediction

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


def test_the_index_decides_what_clips_are_resampled_by() -> None:
    predictions = table({"s0": True, "s1": False}, clips=1)
    clips = {
        row.clip_id: Clip(row.clip_id, "p", row.label, subject=row.clip_id[:2], source=row.clip_id[-1:])
        for row in predictions.predictions
    }
    by, of = known_clusters(predictions, clips) or ("", {})
    assert (by, set(of.values())) == ("subject", {"s0", "s1"})
    first = next(iter(clips))
    unknown = {**clips, first: replace(clips[first], subject=None)}
    assert known_clusters(predictions, unknown) is None, "one source for all, and a subject is missing"
    two = {clip_id: replace(clip, subject=None, source=clip.subject) for clip_id, clip in clips.items()}
    assert (known_clusters(predictions, two) or ("",))[0] == "source"
    assert known_clusters(predictions, clips, "none") is None
    with pytest.raises(ValueError, match="1 of 4 clips have no cluster to resample by"):
        known_clusters(predictions, unknown, "subject")
    with pytest.raises(ValueError, match="all clips are of the cluster '0'"):
        known_clusters(predictions, clips, "source")
    with pytest.raises(ValueError, match="clustered by subject or source"):
        known_clusters(predictions, clips, "clip")


def test_clip_level_intervals_are_too_narrow_where_a_subject_is_all_right_or_all_wrong() -> None:
    """Twelve subjects, nine of them right: what is known is what a mean of twelve numbers tells."""
    predictions = table({f"s{i}": i < 9 for i in range(12)})
    naive = summarise(predictions, resamples=2000)
    honest = summarise(predictions, clusters=subjects(predictions), resamples=2000)
    low = 0.75 - t.ppf(0.975, 11) * np.sqrt(0.75 * 0.25 / 11)
    for name in ("war", "uar"):
        assert honest[name]["value"] == naive[name]["value"] == pytest.approx(0.75)
        assert honest[name]["low"] == pytest.approx(low, abs=0.07)
        wide, narrow = (m[name]["high"] - m[name]["low"] for m in (honest, naive))
        assert wide > 3 * narrow
    assert honest["per_class"]["anger"]["recall"]["low"] == pytest.approx(low, abs=0.07)
    assert (honest["interval"]["clusters"], honest["interval"]["cluster_by"]) == (12, "subject")
    assert "12 subjects only" in honest["interval"]["warning"]
    assert naive["interval"]["warning"] is None


def test_the_test_of_a_difference_swaps_whole_subjects() -> None:
    """One subject of twelve won is one coin, whatever the clips: McNemar called its twenty clips p = 2e-6."""
    first = table({f"s{i}": i < 9 for i in range(12)})
    better = table({f"s{i}": i < 10 for i in range(12)})
    by_clip = compare(first, better, resamples=500)
    assert by_clip["war"]["p"] < 0.01
    drawn = compare(first, better, clusters=subjects(first), resamples=500)
    assert drawn["war"]["p"] == 1.0
    assert drawn["war"]["low"] <= 0.0
    assert drawn["mcnemar"] is None


def test_micro_clips_of_one_subject_have_no_figure_to_resample() -> None:
    predictions = table({"s0": True, "s1": False, "s2": True}, clips=2)
    kinds = {clip_id: "micro" if clip_id.startswith("s0") else "macro" for clip_id in predictions.clip_ids}
    metrics = summarise(predictions, kinds=kinds, clusters=subjects(predictions), resamples=50)
    assert metrics["micro_accuracy"] is None
    assert metrics["macro_accuracy"]["value"] == 0.5
    assert summarise(predictions, kinds=kinds, resamples=50)["micro_accuracy"]["value"] == 1.0


def test_too_few_people_are_said() -> None:
    assert too_few(None, None) is too_few(30, "subject") is None
    assert str(too_few(16, "subject")).startswith("16 subjects only")
    two = table({"a": True, "b": True}, 1)
    assert numbers_of(two, subjects(two)).tolist() == [0, 0, 1, 1]
