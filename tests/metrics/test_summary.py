"""The summary of an arm and the comparison of two hold every figure, JSON-able, and agree with their parts."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from emotrain.emotions import LABEL_SETS, PUBLISHED_COUNTS, frequency_groups
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.published import PUBLISHED, published
from emotrain.metrics.summary import compare, summarise
from emotrain.records import Prediction

LABELS = LABEL_SETS["mafw"].labels
GROUPS = frequency_groups(PUBLISHED_COUNTS["mafw"])
KINDS = {f"c{i}": "micro" if i % 3 == 0 else "macro" for i in range(330)}


def make_table(gain: float, seed: int, folds: bool = True) -> PredictionTable:
    rng = np.random.default_rng(seed)
    gold = np.arange(330) % 11
    logits = rng.normal(size=(330, 11))
    logits[np.arange(330), gold] += gain
    rows = (
        Prediction(f"c{i}", int(i // 11 % 5) + 1 if folds else None, LABELS[g], LABELS[z.argmax()], tuple(z))
        for i, (g, z) in enumerate(zip(gold, logits))
    )
    return PredictionTable(LABELS, tuple(rows))


def test_the_summary_is_complete_and_plain_json() -> None:
    table = make_table(1.5, 0)
    metrics = summarise(table, groups=GROUPS, kinds=KINDS, resamples=300)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    for name in ("war", "uar", "macro_f1", "weighted_f1", "tail_recall", "tail_f1", "medium_recall", "head_f1",
                 "micro_accuracy", "macro_accuracy", "top2"):  # fmt: skip
        assert 0 <= metrics[name]["low"] <= metrics[name]["value"] <= metrics[name]["high"] <= 1
    assert list(metrics["per_class"]) == list(LABELS)
    assert sum(row["support"] for row in metrics["per_class"].values()) == 330
    assert metrics["per_class"]["contempt"]["group"] == "tail"
    assert metrics["fold_mean"]["uar"] == pytest.approx(np.mean([f["uar"] for f in metrics["folds"].values()]))
    assert metrics["megc"] is None


def test_accuracy_by_kind_counts_only_that_kind() -> None:
    table = make_table(1.5, 0)
    metrics = summarise(table, groups=GROUPS, kinds=KINDS, resamples=100)
    for kind in ("micro", "macro"):
        rows = [r for r in table.predictions if KINDS[r.clip_id] == kind]
        assert metrics[f"{kind}_accuracy"]["value"] == pytest.approx(np.mean([r.label == r.predicted for r in rows]))


def test_what_cannot_be_computed_is_none() -> None:
    bare = tuple(Prediction(r.clip_id, None, r.label, r.predicted) for r in make_table(1.0, 1).predictions)
    metrics = summarise(PredictionTable(LABELS, bare), resamples=50)
    for name in ("tail_f1", "micro_accuracy", "top2", "calibration", "fold_mean", "groups", "megc"):
        assert metrics[name] is None
    without_neutral = tuple(row for row in bare if row.label != "neutral")
    assert summarise(PredictionTable(LABELS, without_neutral), resamples=50)["absent_classes"] == ["neutral"]


def test_unparsed_answers_lower_the_score_and_are_reported() -> None:
    rows = list(make_table(50.0, 0).predictions)
    for i in range(33):
        rows[i] = Prediction(rows[i].clip_id, rows[i].fold, rows[i].label, "unparsed", rows[i].logits)
    metrics = summarise(PredictionTable(LABELS, tuple(rows)), groups=GROUPS, resamples=50)
    assert metrics["rates"] == {"ambiguous": 0.0, "unparsed": pytest.approx(0.1)}
    assert metrics["war"]["value"] == pytest.approx(0.9)
    assert metrics["per_class"]["anger"]["precision"]["value"] == 1.0


def test_the_difference_of_two_arms_is_the_difference_of_their_summaries() -> None:
    first, second = make_table(1.0, 0), make_table(2.0, 1)
    a = summarise(first, groups=GROUPS, kinds=KINDS, resamples=100)
    b = summarise(second, groups=GROUPS, kinds=KINDS, resamples=100)
    difference = compare(first, second, groups=GROUPS, kinds=KINDS, resamples=400)
    assert json.loads(json.dumps(difference, allow_nan=False)) == difference
    for name in ("war", "uar", "macro_f1", "tail_f1", "micro_accuracy", "macro_accuracy"):
        row = difference[name]
        assert row["value"] == pytest.approx(b[name]["value"] - a[name]["value"])
        assert row["low"] <= row["value"] <= row["high"]
    assert difference["uar"]["low"] > 0
    assert difference["uar"]["p"] < 0.02
    hits = difference["mcnemar"]["only_second"] - difference["mcnemar"]["only_first"]
    assert hits / 330 == pytest.approx(difference["war"]["value"])
    backwards = compare(second, first, groups=GROUPS, kinds=KINDS, resamples=400)
    assert backwards["uar"]["value"] == pytest.approx(-difference["uar"]["value"])
    assert backwards["by_fold"]["uar"]["value"] == pytest.approx(-difference["by_fold"]["uar"]["value"])


def test_subject_folds_give_pooled_megc_figures_instead_of_a_mean_over_subjects() -> None:
    labels = LABEL_SETS["megc2019"].labels
    rows = tuple(Prediction(f"s{i}", i // 2, labels[i % 3], labels[i % 3]) for i in range(12))
    metrics = summarise(PredictionTable(labels, rows), resamples=20)
    assert metrics["fold_mean"] is None
    assert metrics["megc"] == {"uf1": 1.0, "uar": 1.0, "folds": 6, "clips": 12}


def test_published_figures_are_those_of_the_papers() -> None:
    by_name = {(row.method, row.label_set): (row.uar, row.war) for row in published("mafw")}
    assert by_name["MAE-DFER", "mafw"] == (41.62, 54.31)
    assert len(published("dfew")) == 11
    assert published("megc2019") == []
    assert all(row.uar <= row.war for row in PUBLISHED)


def test_clips_without_a_fold_leave_no_mean_over_folds() -> None:
    """A mean over the other clips would stand beside pooled figures of all, and nobody could tell."""
    table = make_table(1.5, 0)
    first = table.predictions[0]
    part = PredictionTable(LABELS, (replace(first, fold=None), *table.predictions[1:]))
    metrics = summarise(part, resamples=20)
    assert metrics["folds"] == {}
    assert metrics["fold_mean"] is metrics["megc"] is None
    assert compare(part, part, resamples=20)["by_fold"] == {}
