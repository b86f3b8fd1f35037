"""Ratings are expectations over label scores; sets of words are compared after synonyms are brought together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from emotrain.cli import app
from emotrain.emotions import label_set
from emotrain.metrics.answer_sets import read_synonyms, score_answer_sets, set_scores
from emotrain.metrics.ordinal import ccc, ordinal, ordinal_figures
from emotrain.metrics.predictions import PredictionTable
from emotrain.records import Prediction

VALENCE = label_set("valence")


def table(scores: np.ndarray, gold: list[int]) -> PredictionTable:
    rows = [
        Prediction(str(i), None, VALENCE.labels[g], VALENCE.labels[int(z.argmax())], tuple(z))
        for i, (z, g) in enumerate(zip(scores, gold))
    ]
    return PredictionTable(VALENCE.labels, tuple(rows))


def test_ccc_is_lins_formula_and_punishes_scale_and_level_where_correlation_does_not() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    y = x + rng.normal(size=50)
    r, sx, sy = np.corrcoef(x, y)[0, 1], x.std(), y.std()
    assert ccc(x, y) == pytest.approx(2 * r * sx * sy / (sx**2 + sy**2 + (x.mean() - y.mean()) ** 2))
    assert ccc(x, x) == pytest.approx(1)
    assert ccc(x, x + 1) < 0.9
    assert ccc(x, 3 * x) < 0.9
    assert ccc(x, -x) == pytest.approx(-ccc(x, x), abs=0.1)
    assert ccc(np.ones(4), np.ones(4)) == 0


def test_a_rating_is_the_expectation_over_the_scores_and_not_the_best_label() -> None:
    # Equal scores for the first and the third label: the rating is 2 and not 1, so a clip of the second has no error.
    scores = np.full((3, 5), -20.0)
    scores[:, [0, 2]] = 0.0
    found = ordinal_figures(table(scores, [1, 1, 1]), VALENCE.values)
    assert found["mae"]["value"] == pytest.approx(0, abs=1e-6)
    sure = np.eye(5)[[0, 1, 2, 3, 4]] * 30
    perfect = ordinal(table(sure, [0, 1, 2, 3, 4]), VALENCE, np.array([0, 0, 1, 1, 2]))
    assert perfect is not None
    assert perfect["ccc"]["value"] == pytest.approx(1, abs=1e-6)
    assert ordinal(table(sure, [0, 1, 2, 3, 4]), label_set("mafw")) is None


def test_answers_without_a_rating_are_counted_and_left_out() -> None:
    rows = (Prediction("a", None, "neutral", "neutral"), Prediction("b", None, "neutral", "unparsed"))
    found = ordinal_figures(PredictionTable(VALENCE.labels, rows), VALENCE.values)
    assert found["unrated"] == 1
    assert found["mae"]["value"] == 0
    nothing = ordinal_figures(PredictionTable(VALENCE.labels, rows[1:]), VALENCE.values)
    assert nothing["ccc"] is None
    assert nothing["mae"] is None


def test_synonyms_are_one_group_and_empty_answers_count_as_wrong() -> None:
    gold = [{"happy", "calm"}, {"sad"}]
    answers = [{"joyful", "bored"}, set()]
    assert set_scores(gold, answers)["precision"]["value"] == 0
    found = set_scores(gold, answers, {"happy": "joy", "joyful": "joy", "calm": "calm", "sad": "sad"})
    # First clip: 1 of 2 answered is true, 1 of 2 true is answered; second: nothing answered.
    assert [found[name]["value"] for name in ("precision", "recall", "f1")] == [0.25, 0.25, 0.25]
    assert found["unknown"] == ["bored"]
    with pytest.raises(ValueError, match="1 of them empty"):
        set_scores([set()], [{"x"}])


def test_sets_are_scored_from_a_file_by_the_command(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(
        'clip_id,gold,predicted\na,"happy, calm","Joyful; calm"\nb,sad,\n', encoding="utf-8"
    )
    (tmp_path / "s.csv").write_text("word,group\nhappy,joy\njoyful,joy\n", encoding="utf-8")
    words = ["score", str(tmp_path / "p.csv"), "--out", str(tmp_path / "o"), "--synonyms", str(tmp_path / "s.csv")]
    result = CliRunner().invoke(app, [*words, "--sets"])
    assert result.exit_code == 0, result.output
    assert "precision  50.0" in result.output
    assert (tmp_path / "o" / "metrics.json").is_file()
    assert CliRunner().invoke(app, words).exit_code != 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clip_id,predicted\na,x\n", "no column gold"),
        ("clip_id,gold,predicted\na,x,x\na,x,x\n", "'a' stands twice"),
        ("clip_id,gold,predicted\na,,x\n", "'a' has no word in `gold`"),
    ],
)
def test_a_file_that_cannot_be_scored_as_sets_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        score_answer_sets(tmp_path / "p.csv")
    (tmp_path / "s.csv").write_text("word,group\nhappy,joy\nhappy,calm\n", encoding="utf-8")
    with pytest.raises(ValueError, match="row 3: 'happy' is in 'joy' already"):
        read_synonyms(tmp_path / "s.csv")
