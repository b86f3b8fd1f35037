"""Columns are recognised by name, whatever the label set, and columns that contradict each other are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotrain.metrics.columns import COLUMNS, SCORE_PREFIXES, labels_of, to_predictions

LABELS = ("anger", "fear", "neutral")
OWN = ("calm", "tense", "tired")


def read(row: dict[str, Any], labels: tuple[str, ...] = LABELS) -> tuple[str, tuple[float, ...]]:
    (prediction,) = to_predictions([{"clip": "a", "label": labels[0], **row}], labels, None)
    return prediction.predicted, prediction.logits


@pytest.mark.parametrize("prefix", ["", "score_", "logit_", "Logit_"])
@pytest.mark.parametrize("labels", [OWN, ("calm", "excited", "tired"), ("Calm", "day dream", "negative")])
def test_one_column_a_label_of_ones_own(prefix: str, labels: tuple[str, ...]) -> None:
    columns = {f"{prefix}{label.upper()}": float(i) for i, label in enumerate(labels)}
    assert read(columns, labels) == (labels[2], (0.0, 1.0, 2.0))


@pytest.mark.parametrize("prefix", ["prob_", "p_", ""])
def test_probabilities_in_columns_become_their_logarithms(prefix: str) -> None:
    predicted, logits = read({f"{prefix}{label}": share for label, share in zip(LABELS, (0.25, 0.75, 0.0))})
    assert predicted == "fear"
    assert np.exp(logits) == pytest.approx([0.25, 0.75, 0.0], abs=1e-9)


def test_a_list_or_object_named_as_probabilities_is_checked_as_such() -> None:
    assert np.exp(read({"probs": [0.2, 0.7, 0.1]})[1]) == pytest.approx([0.2, 0.7, 0.1])
    assert read({"logits": [0.2, 0.7, 0.1]})[1] == (0.2, 0.7, 0.1)
    with pytest.raises(ValueError, match=r"row 1: 2, 1, 0 \(sum 3\)"):
        read({"probabilities": {"anger": 2, "fear": 1, "neutral": 0}})


def test_other_columns_with_names_of_emotions_are_left_alone() -> None:
    """Gold votes beside probabilities, and emotions outside the set, are not the system's scores."""
    shares = {"prob_anger": 0.2, "prob_fear": 0.7, "prob_neutral": 0.1}
    assert read({"anger": 1, "fear": 0, "neutral": 0, "other": 7, "mad": 3, **shares})[0] == "fear"
    assert labels_of([{"clip": "a", "label": "fear", **shares}], {}) == LABELS


def test_a_predicted_label_agrees_with_its_scores() -> None:
    assert read({"anger": 0.1, "fear": 5, "neutral": 0.2, "pred": "afraid"})[0] == "fear"
    tie = {"anger": 5, "fear": 5, "neutral": 0.2}
    assert read({**tie, "pred": "fear"})[0] == "fear"
    assert read({**tie, "pred": "anger"})[0] == "anger"
    for answer in ("neutral", "unparsed"):
        with pytest.raises(ValueError, match=f"row 1: predicted label '{answer}', but anger has the highest score"):
            read({**tie, "pred": answer})


def test_scores_count_before_a_reply() -> None:
    assert read({"anger": 0.1, "fear": 5, "neutral": 0.2, "reply": "anger"})[0] == "fear"
    blank = {"anger": "", "fear": None, "neutral": "", "reply": "anger"}
    assert read(blank) == ("anger", ())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"scores": 0.9, "pred": "anger"}, "row 1: scores 0.9: expected a list of one number a label"),
        ({"scores": "[0.1 0.2 0.7]"}, r"row 1: scores '\[0.1 0.2 0.7\]' are not JSON"),
        ({"scores": [0.1, 0.9]}, r"row 1: 2 scores for 3 labels \(anger, fear, neutral\)"),
        ({"scores": {"anger": 1, "fear": 2, "afraid": 3}}, "row 1: two scores for fear, one of them as 'afraid'"),
        ({"scores": {"anger": 1, "fear": [2], "neutral": 3}}, r"row 1: the score of fear is \[2\], not a number"),
        ({"angry": 1, "mad": 2, "fear": 3, "neutral": 0}, "columns angry and mad all hold the score of anger"),
        ({"anger": 1, "fear": 2}, "row 1: no score for neutral; found anger, fear"),
        ({"fold": [1], "pred": "fear"}, r"row 1: fold \[1\] is not a whole number"),
        ({"anger": 1, "fear": float("nan"), "neutral": 0, "pred": "anger"}, "row 1: clip a: a score is NaN"),
    ],
)
def test_scores_that_cannot_be_read_are_named(row: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(row)


def test_an_empty_cell_of_pandas_is_empty() -> None:
    row = {"clip": "a", "label": "fear", "pred": float("nan"), "reply": "He is afraid.", "fold": float("nan")}
    (prediction,) = to_predictions([row], LABELS, None)
    assert (prediction.predicted, prediction.fold) == ("fear", None)


def test_the_page_on_scoring_names_every_column_that_is_understood() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scoring.md").read_text(encoding="utf-8")
    names = [name for known in COLUMNS.values() for name in known] + [prefix for prefix in SCORE_PREFIXES if prefix]
    assert [name for name in names if f"`{name}`" not in page] == []
