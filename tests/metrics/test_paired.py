"""Two systems on the same clips: McNemar, Holm and folds agree with statsmodels and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests

from emotrain.metrics import scores
from emotrain.metrics.paired import by_fold, holm, mcnemar
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


def test_by_fold_is_the_corrected_resampled_t_interval(pair: tuple[PredictionTable, PredictionTable]) -> None:
    """At four folds sqrt(1 + 4 / 3) times as wide as a plain t interval, for folds share training clips."""
    result = by_fold(*pair, figures)["war"]
    differences = list(result["folds"].values())
    assert len(differences) == 4
    plain = ttest_1samp(differences, 0).confidence_interval(0.95)
    wide = np.sqrt(1 + 4 / 3) * (plain.high - plain.low)
    assert result["high"] - result["low"] == pytest.approx(wide)
    assert result["value"] == pytest.approx(np.mean(differences))


def test_folds_that_lack_a_class_have_no_mean() -> None:
    gold = np.array([0, 0, 1, 1, 2, 2])
    table = make_table(gold, gold)
    rows = tuple(Prediction(r.clip_id, int(g), r.label, r.predicted) for r, g in zip(table.predictions, gold))
    assert by_fold(PredictionTable(LABELS, rows), PredictionTable(LABELS, rows), figures) == {}
