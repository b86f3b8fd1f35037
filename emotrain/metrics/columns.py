"""Recognising the columns of other people's prediction files.

A row needs a clip, a true label and an answer. The answer is one score per label (a column a label, a list, or a
mapping), or a bare label, or a reply in free text. A label beside scores must be one of the highest score; a reply
counts only where there is neither.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from emotrain.damaged_files import DamagedFile
from emotrain.emotions import canonical, nearest
from emotrain.json_files import parse
from emotrain.metrics.free_text import AMBIGUOUS, UNPARSED, score_reply
from emotrain.metrics.row_files import Row
from emotrain.metrics.row_roles import MEDIA
from emotrain.metrics.scales import Scale, as_logits
from emotrain.records import Prediction
from emotrain.text_tables import listed

OUTCOMES = (AMBIGUOUS, UNPARSED)
"""Columns of a confusion matrix behind the K labels: answers that name several labels, and answers that name none."""

SCORE_COLUMNS: dict[str, Scale] = {
    "logits": "logits",
    "scores": "unknown",
    "probabilities": "probabilities",
    "probs": "probabilities",
}
"""Columns that hold all scores of a row, as a list or a mapping."""
SCORE_PREFIXES: dict[str, Scale] = {
    "logit_": "logits",
    "prob_": "probabilities",
    "p_": "probabilities",
    "score_": "unknown",
    "": "unknown",
}
"""What may stand before the label in the name of a column of its scores; of two that cover as many, the first."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "clip_id": (
        *("clip_id", "clip", "video_name", "video", "video_id", "filename", "file", "id", "name"),
        *("doc_id", "sample_id", "question_id", "index"),
    ),
    "label": ("label", "gold", "truth", "ground_truth", "target", "gt", "emotion", "labels"),
    "predicted": ("predicted", "predicted_label", "prediction", "pred"),
    "reply": (
        *("reply", "response", "answer", "output", "generated_text", "text", "predict", "model_output"),
        *("filtered_resps", "resps", "completion", "model_response", "model_answer"),
    ),
    "scores": tuple(SCORE_COLUMNS),
    "fold": ("fold", "test_fold"),
    "arm": ("arm", "system", "model"),
    "seed": ("seed",),
}


def _stated_labels(text: str) -> list[str]:
    remedy = "write the predictions again"
    found = parse(text.encode(), "labels in the schema metadata", "a JSON list of names", remedy)
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise DamagedFile("labels in the schema metadata", text[:80], "a JSON list of names", remedy)
    return found


def is_known(column: str) -> bool:
    """True for the name of a column that means something here: a part of a row, a file, or an emotion's score."""
    name = column.strip().lower()
    words = [name.removeprefix(prefix) for prefix in SCORE_PREFIXES]
    return name in MEDIA or any(name in names for names in COLUMNS.values()) or any(map(canonical, words))


def is_answer(value: Any, labels: Sequence[str]) -> bool:
    """True for what can stand as a predicted label: a spelling of one of `labels`, or an outcome of scoring."""
    return str(value) in OUTCOMES or _named(value, labels) is not None


def labels_of(rows: Sequence[Row], metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    """The label order that a file states itself: `labels` metadata, a mapping of scores, or its score columns."""
    if "labels" in metadata:
        return tuple(_stated_labels(metadata["labels"]))
    if not rows:
        return None
    scores = _get(rows[0], "scores")
    if isinstance(scores, Mapping):
        return tuple(known if (known := canonical(str(key))) is not None else str(key).strip() for key in scores)
    named, _ = _score_columns(rows[0], None)
    return tuple(named) if len(named) >= 2 else None


def arm_of(row: Row) -> str:
    """Name of the arm that made a row, "" where the file does not say."""
    arm = _get(row, "arm")
    return "" if arm is None else str(arm)


def to_predictions(rows: Sequence[Row], labels: Sequence[str], order: Sequence[str] | None) -> list[Prediction]:
    """Turn rows into predictions over `labels`; lists of scores are in `order`. ValueError names row and column."""
    if not rows:
        raise ValueError("no row")
    missing = [key for key in ("clip_id", "label") if _column(rows[0], key) is None]
    if missing:
        wanted = "; ".join(f"{key}: one of {', '.join(COLUMNS[key])}" for key in missing)
        raise ValueError(f"columns {listed(list(rows[0]))} lack {wanted}")
    columns, scale_of_columns = _score_columns(rows[0], labels)
    predictions: list[Prediction] = []
    scales: list[Scale] = []
    problems = []
    for number, row in enumerate(rows, start=1):
        try:
            predictions.append(_prediction(row, labels, order if order is not None else labels, columns))
            scales.append(_scale(row, scale_of_columns))
        except ValueError as error:
            problems.append(f"row {number}: {error}")
    if problems:
        more = f"\n  ... and {len(problems) - 5} more rows" if len(problems) > 5 else ""
        raise ValueError("unreadable rows\n  " + "\n  ".join(problems[:5]) + more)
    logits = as_logits([row.logits for row in predictions], scales)
    return [replace(row, logits=scores) for row, scores in zip(predictions, logits)]


def _prediction(row: Row, labels: Sequence[str], order: Sequence[str], columns: Mapping[str, str]) -> Prediction:
    clip_id, fold = _get(row, "clip_id"), _get(row, "fold")
    if clip_id is None:
        raise ValueError("empty clip id")
    scores = _scores(row, labels, order, columns)
    if any(math.isnan(score) for score in scores):
        raise ValueError(f"clip {clip_id}: a score is NaN")
    label = _member(_get(row, "label"), labels, "true label")
    predicted = _get(row, "predicted")
    if predicted is not None:
        answer = str(predicted) if predicted in OUTCOMES else _member(predicted, labels, "predicted label")
        if scores:
            _check_agreement(answer, scores, labels)
    elif scores:
        answer = labels[max(range(len(labels)), key=lambda c: scores[c])]
    elif _column(row, "reply") is not None:
        reply = _get(row, "reply")
        answer = score_reply("" if reply is None else str(reply), labels)
    else:
        raise ValueError(f"no answer: expected scores, a predicted label or a reply among columns {', '.join(row)}")
    seed = _get(row, "seed")
    return Prediction(
        clip_id=str(clip_id),
        fold=None if fold is None else _whole(fold, "fold"),
        label=label,
        predicted=answer,
        logits=scores,
        arm=arm_of(row),
        seed=0 if seed is None else _whole(seed, "seed"),
    )


def _check_agreement(answer: str, scores: Sequence[float], labels: Sequence[str]) -> None:
    """Raise ValueError unless the predicted label is one of the highest score: accuracy and calibration are of one."""
    best = max(range(len(labels)), key=lambda c: scores[c])
    if answer in OUTCOMES and min(scores) == max(scores):
        return  # no label was named, and none is preferred
    if answer in OUTCOMES or scores[labels.index(answer)] < scores[best]:
        own = "" if answer in OUTCOMES else f" against {scores[labels.index(answer)]:g}"
        raise ValueError(
            f"predicted label {answer!r}, but {labels[best]} has the highest score ({scores[best]:g}{own}); correct "
            "the row, or leave the predicted labels or the scores out"
        )


def _scores(row: Row, labels: Sequence[str], order: Sequence[str], columns: Mapping[str, str]) -> tuple[float, ...]:
    """Scores in the order of `labels`, or () when the row has none."""
    given = _given_scores(row)
    if isinstance(given, Mapping):
        found = {}
        for key, value in given.items():
            name = _named(key, labels)
            if name is not None and name in found:
                raise ValueError(f"two scores for {name}, one of them as {str(key)!r}; keep one")
            found[str(key) if name is None else name] = value
    elif given is not None:
        if len(given) != len(order):
            raise ValueError(f"{len(given)} scores for {len(order)} labels ({', '.join(order)})")
        found = dict(zip(order, given))
    else:
        found = {label: row.get(column) for label, column in columns.items()}
        if not found or all(value is None or value == "" for value in found.values()):
            return ()
    lacking = [label for label in labels if label not in found]
    if lacking:
        raise ValueError(f"no score for {', '.join(lacking)}; found {', '.join(found)}")
    return tuple(_number(found[label], label) for label in labels)


def _given_scores(row: Row) -> Mapping[str, Any] | list[Any] | None:
    """The scores that a row has in one cell, None when it has none there."""
    given = _get(row, "scores")
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"scores {given[:40]!r} are not JSON ({error}); write [0.1, 0.9] or one column a label"
            ) from error
    if given is None:
        return None
    if not isinstance(given, (Mapping, list)):
        raise ValueError(f"scores {given!r}: expected a list of one number a label, or an object of them by label")
    return given if given else None


def _scale(row: Row, of_columns: Scale) -> Scale:
    """What the name of the column says in which a row has its scores."""
    column = _column(row, "scores")
    return of_columns if column is None or not row[column] else SCORE_COLUMNS[column.strip().lower()]


def _score_columns(row: Row, labels: Sequence[str] | None) -> tuple[dict[str, str], Scale]:
    """Label name to column, for the columns of scores of `labels` (of any known emotion when None), and their scale.

    All columns have one prefix: that of SCORE_PREFIXES which names the most labels. ValueError for a label with two.
    """
    taken = {_column(row, key) for key in COLUMNS}
    best: dict[str, list[str]] = {}
    scale: Scale = "unknown"
    for prefix, of_prefix in SCORE_PREFIXES.items():
        found: dict[str, list[str]] = {}
        for column in row:
            bare = column.strip().lower()
            if column not in taken and bare.startswith(prefix):
                word = bare.removeprefix(prefix)
                name = canonical(word) if labels is None else _named(word, labels)
                if name is not None:
                    found.setdefault(name, []).append(column)
        if len(found) > len(best):
            best, scale = found, of_prefix
    for name, columns in best.items():
        if len(columns) > 1:
            raise ValueError(f"columns {' and '.join(columns)} all hold the score of {name}; keep one")
    return {name: columns[0] for name, columns in best.items()}, scale


def _named(word: Any, labels: Sequence[str]) -> str | None:
    """The label of `labels` that a spelling (any case, any alias) stands for, or None."""
    spelled = {label.lower(): label for label in labels}
    text = str(word).strip().lower()
    known = canonical(text)
    return spelled.get(text) if text in spelled or known is None else spelled.get(known)


def _member(word: Any, labels: Sequence[str], what: str) -> str:
    name = None if word is None else _named(word, labels)
    if name is not None:
        return name
    text = "" if word is None else str(word).strip()
    hint = (
        "integers mean different classes in different copies: write names" if text.isdigit() else nearest(text, labels)
    )
    if what == "predicted label":
        hint += "; where the column holds what the model wrote, call it reply"
    raise ValueError(f"{what} {text!r} is not in the label set; {hint}")


def _column(row: Row, key: str) -> str | None:
    lower = {str(name).strip().lower(): name for name in row}
    return next((lower[name] for name in COLUMNS[key] if name in lower), None)


def _get(row: Row, key: str) -> Any:
    """The row's value under any of the names of `key`; an empty cell, and pandas' NaN for one, is None."""
    column = _column(row, key)
    value = None if column is None else row[column]
    return None if value == "" or (isinstance(value, float) and math.isnan(value)) else value


def _whole(value: Any, what: str) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{what} {value!r} is not a whole number") from None
    if not number.is_integer():
        raise ValueError(f"{what} {value!r} is not a whole number")
    return int(number)


def _number(value: Any, label: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"the score of {label} is {value!r}, not a number") from None
