"""Two systems on the same clips: the paired figures agree with brute force and with statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests

from emotrain.metrics import scores
from emotrain.metrics.paired import by_fold, holm, joint_counts, mcnemar, paired_bootstrap
from emotrain.metrics.predictions import PredictionTable
from emotrain.records import Prediction

LABELS = ("anger", "fear", "neutral")


def make_table(gold: np.ndarray, predicted: np.ndarray, folds: int = 0) -> PredictionTable:
    rows = (
        Prediction(f"c{i}", i % folds + 1 if folds else None, LABELS[g], (*LABELS, "ambiguous", "unparsed")[p])
        for i, (g, p) in enumerate(zip(gold, predicted))
    )
    return PredictionTable(LABELS, tuple(rows))


@pytest.fixture
def pair() -> tuple[PredictionTable, PredictionTable]:
    """Two systems of unlike skill that mostly agree."""
    rng = np.random.default_rng(0)
    gold = rng.choice(3, 240, p=[0.6, 0.3, 0.1])
    first = np.where(rng.random(240) < 0.5, gold, rng.integers(0, 5, 240))
    second = np.where(rng.random(240) < 0.35, gold, first)
    return make_table(gold, first, 4), make_table(gold, second, 4)


def figures(matrix: np.ndarray) -> dict[str, np.ndarray]:
    return {"war": scores.war(matrix), "uar": scores.uar(matrix)}


def test_joint_counts_hold_both_confusions(pair: tuple[PredictionTable, PredictionTable]) -> None:
    joint = joint_counts(*pair)
    assert (joint.sum(2) == scores.table_confusion(pair[0])).all()
    assert (joint.sum(1) == scores.table_confusion(pair[1])).all()


def test_paired_bootstrap_equals_gathering_clips(pair: tuple[PredictionTable, PredictionTable]) -> None:
    result = paired_bootstrap(*pair, figures, resamples=4000)
    rng = np.random.default_rng(9)
    gold, a, b = pair[0].gold, pair[0].predicted, pair[1].predicted
    members = [np.flatnonzero(gold == c) for c in range(3)]
    plain = []
    for _ in range(4000):
        drawn = np.concatenate([rng.choice(m, len(m)) for m in members])
        uars = [scores.uar(scores.confusion(gold[drawn], p[drawn], 3)) for p in (a, b)]
        plain.append(float(uars[1] - uars[0]))
    assert result["uar"]["low"] == pytest.approx(np.quantile(plain, 0.025), abs=0.012)
    assert result["uar"]["high"] == pytest.approx(np.quantile(plain, 0.975), abs=0.012)
    assert result["war"]["value"] == pytest.approx(np.mean(b == gold) - np.mean(a == gold))


def test_pairing_sees_what_two_intervals_hide(pair: tuple[PredictionTable, PredictionTable]) -> None:
    """Pairing on shared clips gives a narrower interval than two independent samples would."""
    paired = paired_bootstrap(*pair, figures, resamples=2000)["war"]
    n = len(pair[0])
    rates = [np.mean(table.gold == table.predicted) for table in pair]
    independent = 2 * 1.96 * np.sqrt(sum(r * (1 - r) / n for r in rates))
    assert paired["high"] - paired["low"] < 0.8 * independent


def test_a_system_against_itself_differs_by_nothing(pair: tuple[PredictionTable, PredictionTable]) -> None:
    same = paired_bootstrap(pair[0], pair[0], figures, resamples=200)["uar"]
    assert same == {"value": 0.0, "low": 0.0, "high": 0.0, "p": 1.0}


def test_the_order_of_rows_does_not_matter(pair: tuple[PredictionTable, PredictionTable]) -> None:
    turned = PredictionTable(LABELS, pair[1].predictions[::-1])
    assert paired_bootstrap(pair[0], turned, figures, resamples=200) == paired_bootstrap(*pair, figures, resamples=200)


def test_different_clips_cannot_be_compared(pair: tuple[PredictionTable, PredictionTable]) -> None:
    with pytest.raises(ValueError, match="in one table only: c239"):
        joint_counts(pair[0], PredictionTable(LABELS, pair[1].predictions[:-1]))


@pytest.mark.parametrize("seed", range(4))
def test_mcnemar_equals_statsmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.random(90) < 0.5, rng.random(90) < 0.6
    counts = [[int((a & b).sum()), int((a & ~b).sum())], [int((~a & b).sum()), int((~a & ~b).sum())]]
    result = mcnemar(a, b)
    assert result["p"] == pytest.approx(reference_mcnemar(counts, exact=True).pvalue)
    assert (result["only_first"], result["only_second"]) == (counts[0][1], counts[1][0])


def test_mcnemar_of_equal_systems_is_one() -> None:
    hits = np.array([True, False, True])
    assert mcnemar(hits, hits) == {"only_first": 0, "only_second": 0, "p": 1.0}


def test_holm_equals_statsmodels() -> None:
    rng = np.random.default_rng(2)
    for n in (1, 2, 9):
        p = list(rng.random(n) ** 3)
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm([]) == []


def test_by_fold_is_the_paired_t_interval(pair: tuple[PredictionTable, PredictionTable]) -> None:
    result = by_fold(*pair, figures)["war"]
    differences = list(result["folds"].values())
    assert len(differences) == 4
    expected = ttest_1samp(differences, 0).confidence_interval(0.95)
    assert (result["low"], result["high"]) == pytest.approx((expected.low, expected.high))
    assert result["value"] == pytest.approx(np.mean(differences))


def test_folds_that_lack_a_class_have_no_mean() -> None:
    gold = np.array([0, 0, 1, 1, 2, 2])
    table = make_table(gold, gold)
    rows = tuple(Prediction(r.clip_id, int(g), r.label, r.predicted) for r, g in zip(table.predictions, gold))
    assert by_fold(PredictionTable(LABELS, rows), PredictionTable(LABELS, rows), figures) == {}
