"""Reading the label out of a model's free-text reply, without ever guessing.

A reply counts for a label only when it names exactly that one (`mentions.py`). A reply that names several labels is
AMBIGUOUS, one that names none is UNPARSED; both are errors and both are reported. Where a reply states its answer
(JSON, <answer> tags, \\boxed{}, "final answer:") the answer alone counts: an answer outside the label set is UNPARSED,
whatever the reasoning before it names.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emotrain.metrics.mentions import mentions, spelled

AMBIGUOUS = "ambiguous"
UNPARSED = "unparsed"

ANSWER_NOUNS = (
    "answer", "label", "emotion", "prediction", "predicted", "class", "category", "result", "expression",
    "答案", "情绪", "情感", "标签", "类别", "表情",
)  # fmt: skip
"""What a key of a JSON reply that holds the answer is called, in the order in which the keys are asked."""
ANSWER_KEY = re.compile(
    r"(?P<which>(?:(?:final|predicted|detected|recogni[sz]ed|primary|dominant|main|overall|most_likely|facial)_"
    r"|最终|主要|预测)*)"
    rf"(?P<noun>{'|'.join(ANSWER_NOUNS)})s?(?:_(?:label|name|class|category))?"
)
"""Such a key: "emotion", "emotions", "final_emotion", "emotion_label"."""

_THOUGHT = r"(?:think|thinking|thought|reasoning)"
_OPENING = re.compile(r'\{|\[(?![^\[\]{}"]*\])')
"""Where JSON begins. A remark such as [1], [0.85] or [smiles] holds no string and stays in the text."""
_WORD = re.compile(r"[^\W\d_]{2}")


def score_reply(reply: str, labels: Sequence[str]) -> str:
    """The one label of `labels` that `reply` names, else AMBIGUOUS (several) or UNPARSED (none)."""
    text = unicodedata.normalize("NFKC", reply).replace("’", "'").replace("‘", "'").strip()
    text = re.sub(rf"<{_THOUGHT}>.*?(?:</{_THOUGHT}>|$)", " ", text, flags=re.DOTALL | re.IGNORECASE)
    # Chat templates often open the thought in the prompt, so that the reply holds only its end.
    text = re.split(rf"</{_THOUGHT}>", text, flags=re.IGNORECASE)[-1]
    structured = _from_json(text, labels)
    if structured is not None:
        return structured
    named = mentions(_stated_answer(text), labels)
    return named[0] if len(named) == 1 else AMBIGUOUS if named else UNPARSED


def _stated_answer(text: str) -> str:
    """The last explicit answer of a reply, or the whole reply when it states none."""
    tagged = re.findall(r"<answer>(.*?)(?:</answer>|$)", text, flags=re.DOTALL | re.IGNORECASE)
    boxed = re.findall(r"\\boxed\{(?:\\text\{)?([^{}]*)\}", text)
    # A line that only announces ("Answer: as follows:") brings the next one with it.
    line = r"([^\n]*?:\W*\n[^\n]*|[^\n]*)"
    marked = re.findall(rf"(?:\banswer|答案)(?:\W{{0,4}}\s*(?:is|是))?\W{{0,4}}:\W*{line}", text, re.IGNORECASE)
    said = re.findall(rf"(?:\banswer is\b|答案是)\W{{0,4}}{line}", text, re.IGNORECASE)
    return next((found[-1] for found in (tagged, boxed, marked, said) if found), text)


def _from_json(text: str, labels: Sequence[str]) -> str | None:
    """The verdict on the JSON in a reply, or None when there is none, it is broken, or it holds no answer."""
    decoder, values = json.JSONDecoder(), []
    start = _OPENING.search(text)
    try:
        while start is not None:
            value, end = decoder.raw_decode(text, start.start())
            values.append(value)
            start = _OPENING.search(text, end)
        return _joint(_said(value, labels) for value in values)
    except (ValueError, RecursionError):
        # Not JSON, an integer of thousands of digits, or brackets a thousand deep: text like any other.
        return None


def _said(value: Any, labels: Sequence[str]) -> str | None:
    """The verdict on an answer in JSON; None for what says nothing, such as null, a number, "" or "B"."""
    if isinstance(value, str):
        verdict = score_reply(value, labels)
        return None if verdict == UNPARSED and not _WORD.search(value) else verdict
    if isinstance(value, list):
        return _joint(_said(item, labels) for item in value)
    return _of_object(value, labels) if isinstance(value, Mapping) else None


def _of_object(value: Mapping[str, Any], labels: Sequence[str]) -> str | None:
    """The verdict on an object: its answer keys in turn, then scores by label, then the objects inside it."""
    ranked = [(rank, item) for key, item in value.items() if (rank := _rank(key)) is not None]
    answers = [item for _, item in sorted(ranked, key=lambda pair: pair[0])]
    for item in answers:
        verdict = _said(item, labels)
        if verdict is not None:
            return verdict
    scores: dict[str, float] = {}
    for key, item in value.items():
        name = spelled(key, labels)
        if name in labels and isinstance(item, (int, float)) and math.isfinite(item):
            scores[str(name)] = max(item, scores.get(str(name), item))
    if scores:
        best = [name for name, score in scores.items() if score == max(scores.values())]
        return best[0] if len(best) == 1 else AMBIGUOUS
    nested = [item for inner in value.values() for item in (inner if isinstance(inner, list) else [inner])]
    verdict = _joint(_of_object(item, labels) for item in nested if isinstance(item, Mapping))
    # An answer of null beside a reasoning in words is no answer; without any words the text around it may be one.
    if verdict is None and answers and any(isinstance(item, str) for item in value.values()):
        return UNPARSED
    return verdict


def _rank(key: str) -> tuple[int, bool] | None:
    """How early an answer key is asked, "final_emotion" before "emotion"; None for a key of something else."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key.strip())
    found = ANSWER_KEY.fullmatch(re.sub(r"[\s-]+", "_", words).lower())
    return None if found is None else (ANSWER_NOUNS.index(found["noun"]), not found["which"])


def _joint(verdicts: Iterable[str | None]) -> str | None:
    """One verdict out of several: the only label named, AMBIGUOUS for more, UNPARSED for none, None for nothing."""
    given = {verdict for verdict in verdicts if verdict is not None}
    named = given - {UNPARSED}
    return named.pop() if len(named) == 1 else AMBIGUOUS if named else UNPARSED if given else None
