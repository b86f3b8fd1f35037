"""WAR, UAR and F1 agree with scikit-learn; unparsed answers are errors; absent classes are not forgotten."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    recall_score,
    top_k_accuracy_score,
)

from emotrain.emotions import LABEL_SETS, PUBLISHED_COUNTS, frequency_groups
from emotrain.metrics import scores
from emotrain.metrics.predictions import PredictionTable
from emotrain.records import Prediction

MAFW = LABEL_SETS["mafw"].labels


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=80))
@settings(deadline=None, max_examples=60)
def test_figures_equal_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    gold, predicted = (np.array(column) for column in zip(*pairs))
    matrix = scores.confusion(gold, predicted, 5)
    # scikit-learn sees ambiguous (5) and unparsed (6) as labels outside the five that are averaged.
    common = {"labels": range(5), "zero_division": 0}
    assert (matrix == confusion_matrix(gold, predicted, labels=range(7))[:5]).all()
    assert scores.war(matrix) == pytest.approx(accuracy_score(gold, predicted))
    assert scores.uar(matrix) == pytest.approx(recall_score(gold, predicted, average="macro", **common))
    assert scores.macro_f1(matrix) == pytest.approx(f1_score(gold, predicted, average="macro", **common))
    assert scores.weighted_f1(matrix) == pytest.approx(f1_score(gold, predicted, average="weighted", **common))
    precision, recall, f1, support = precision_recall_fscore_support(gold, predicted, **common)
    assert scores.precision(matrix) == pytest.approx(precision)
    assert scores.recall(matrix) == pytest.approx(recall)
    assert scores.f1(matrix) == pytest.approx(f1)
    assert (scores.support(matrix) == support).all()


def test_top_two_equals_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    logits, gold = rng.normal(size=(300, 7)), rng.integers(0, 7, 300)
    expected = top_k_accuracy_score(gold, logits, k=2, labels=range(7))
    assert scores.top_k_hits(gold, logits, 2).mean() == pytest.approx(expected)


def test_a_constant_score_is_no_hit() -> None:
    assert not scores.top_k_hits(np.array([0, 3]), np.zeros((2, 7)), 2).any()


def test_uar_averages_over_all_classes_of_the_set() -> None:
    """Eight perfect classes of eleven are 8/11, not 1: the ten-class MAFW lists must not look better than they are."""
    matrix = np.zeros((11, 13), dtype=int)
    matrix[range(8), range(8)] = 5
    assert scores.war(matrix) == 1.0
    assert scores.uar(matrix) == pytest.approx(8 / 11)


def test_many_matrices_at_once_equal_one_by_one() -> None:
    rng = np.random.default_rng(1)
    matrices = rng.integers(0, 9, size=(6, 11, 13))
    groups = frequency_groups(PUBLISHED_COUNTS["mafw"])
    together = scores.statistics(matrices, MAFW, groups)
    for i, matrix in enumerate(matrices):
        alone = scores.statistics(matrix, MAFW, groups)
        assert alone.keys() == together.keys()
        assert [together[name][i] for name in alone] == pytest.approx([float(value) for value in alone.values()])


def test_tail_recall_averages_the_tail_classes_only() -> None:
    matrix = np.zeros((11, 13), dtype=int)
    for label, right in {"contempt": 1, "helplessness": 2, "disappointment": 3}.items():
        i = MAFW.index(label)
        matrix[i, i], matrix[i, MAFW.index("sadness")] = right, 10 - right
    figures = scores.statistics(matrix, MAFW, frequency_groups(PUBLISHED_COUNTS["mafw"]))
    assert figures["tail_recall"] == pytest.approx(0.2)
    assert figures["head_recall"] == figures["medium_recall"] == 0


def test_a_class_without_group_is_named() -> None:
    with pytest.raises(ValueError, match="disappointment"):
        scores.group_members(MAFW, dict.fromkeys(MAFW[:-1], "head"))


def test_megc_pools_over_subjects() -> None:
    """Two subjects, each with one class and everything right: pooled UF1 is 1 for both, per-subject means are not."""
    labels = LABEL_SETS["megc2019"].labels
    rows = [Prediction(f"s{s}-{i}", s, labels[s % 3], labels[s % 3]) for s in range(3) for i in range(2)]
    rows[0] = Prediction("s0-0", 0, "negative", "positive")
    figures = scores.megc(PredictionTable(labels, tuple(rows)))
    assert figures["uf1"] == pytest.approx((2 / 3 + 4 / 5 + 1) / 3)
    assert figures["uar"] == pytest.approx((0.5 + 1 + 1) / 3)
    assert figures["folds"] == 3
