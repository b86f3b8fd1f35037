"""Reading the label out of a model's free-text reply, without ever guessing.

A reply counts for a label only when it names exactly that one: by any alias, as a whole word, longest match first, and
not negated. A reply that names several labels is AMBIGUOUS, one that names none is UNPARSED; both are errors and both
are reported. Replies that wrap the answer (JSON, <answer> tags, \\boxed{}, "final answer:") are read inside the wrap.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from emotrain.emotions import ALIASES, canonical

AMBIGUOUS = "ambiguous"
UNPARSED = "unparsed"

ANSWER_KEYS = (
    "final_answer", "answer", "label", "predicted_label", "emotion", "predicted_emotion", "primary_emotion",
    "dominant_emotion", "main_emotion", "expression", "prediction", "predicted", "class", "category", "result",
    "答案", "情绪", "情感", "表情", "标签", "类别",
)  # fmt: skip
"""Keys of a JSON reply that hold the answer, in the order in which they are asked."""

IDIOMS = re.compile(
    r"\bi(?:'m| am) afraid (?:that )?(?:i|we|it|this|that|there|the|not|no)\b"
    r"|\b(?:i|we)(?:'d| would|'m| am|'ll| will)(?: be)? (?:so |very |always )?(?:happy to|happily)\b"
    r"|\bhappy to help\b|\bno surprise that\b"
)
"""The assistant speaking of itself: "I'm afraid I can't", "I'd be happy to help"."""

NOT_NEGATIONS = re.compile(
    r"\b(?:not (?:only|just|merely|simply)|nothing but|no doubt|without (?:a |any )?doubt|no question)\b"
)

NEGATOR = (
    r"(?:not|no|never|neither|nor|without|non|cannot|can't|cant|don't|doesn't|didn't|isn't|aren't|wasn't|weren't|won't"
    r"|wouldn't|couldn't|shouldn't|hardly|rather than|instead of|as opposed to|lack of|lacks|absence of|free of"
    r"|rule out|rules out|ruled out|excluding|unlikely)"
)
BREAK = (
    r"(?:[.;:!?,\n—]|\b(?:but|rather(?! than)|instead(?! of)|however|yet|although|though|because|since|and|so|just)\b)"
)
BEFORE = re.compile(rf"\b{NEGATOR}\b(?:(?!{BREAK}).)*$", re.DOTALL)
"""A negator that reaches the end of the text before a mention: no clause break and few words between."""
REACH = 8
"""Most words between a negator and the word that it negates ("not possible to determine whether the person is sad")."""

NEAR = 120
"""Characters on either side of a mention in which a negation is looked for."""

AFTER = re.compile(
    r"\s*(?:expression |emotion |face )?(?:is|was|are|were|does|did|can|could|seems?|appears?|has been)?"
    r"(?: clearly| definitely| certainly| be)*"
    r"(?:\s+not\b(?! only)|n't\b|\s+absent\b|\s+unlikely\b|\s+be ruled out\b|\s+ruled out\b)"
)
LIST_JOIN = re.compile(
    r"\s*(?:,?\s*(?:or|nor)\b|[,/、]|或者?|也不是|也没有)\s*(?:(?:a|an|any|the|even)\s+)?", re.IGNORECASE
)

CHINESE_BEFORE = re.compile(
    r"(?:不是|并非|并不|没有|而非|而不是|排除|不太|不像|不属于|看不出|未见|未|没|不|非)(?:很|太|是|那么|特别|明显的?|任何|表现出|显示出|感到|觉得|显得){0,2}$"
)
CHINESE_AFTER = re.compile(r"(?:的?(?:情绪|表情|可能性))?(?:并)?(?:不明显|不存在|不成立|很小|较低|可以排除|可排除)")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def score_reply(reply: str, labels: Sequence[str]) -> str:
    """The one label of `labels` that `reply` names, else AMBIGUOUS (several) or UNPARSED (none)."""
    text = unicodedata.normalize("NFKC", reply).replace("’", "'").replace("‘", "'").strip()
    text = re.sub(r"<think>.*?(?:</think>|$)", " ", text, flags=re.DOTALL | re.IGNORECASE)
    structured = _from_json(text, tuple(labels))
    if structured is not None:
        return structured
    for part in _answer_parts(text):
        verdict = _one_label(part, tuple(labels))
        if verdict != UNPARSED:
            return verdict
    return UNPARSED


def mentions(text: str, labels: Sequence[str]) -> list[str]:
    """Labels that `text` names and does not negate, each once, in the order of their first mention.

    Emotions outside `labels` are recognised, so that "unhappy" never counts as "happy", and then left out.
    """
    lower = IDIOMS.sub(lambda found: "_" * len(found.group()), text.lower())
    found = list(_pattern(tuple(labels)).finditer(lower))
    names = _names(tuple(labels))
    negated = [
        _negated(lower[max(0, m.start() - NEAR) : m.start()]) or _denied(lower[m.end() : m.end() + NEAR]) for m in found
    ]
    _carry_over_lists(lower, found, negated)
    kept = [names[_key(m.group())] for m, no in zip(found, negated) if not no]
    return list(dict.fromkeys(name for name in kept if name in labels))


def _one_label(text: str, labels: tuple[str, ...]) -> str:
    named = mentions(text, labels)
    return named[0] if len(named) == 1 else AMBIGUOUS if named else UNPARSED


def _answer_parts(text: str) -> list[str]:
    """The explicit answers of a reply, the last one first, then the whole reply."""
    tagged = re.findall(r"<answer>(.*?)(?:</answer>|$)", text, flags=re.DOTALL | re.IGNORECASE)
    boxed = re.findall(r"\\boxed\{(?:\\text\{)?([^{}]*)\}", text)
    stated = re.findall(
        r"(?:\bfinal answer|\banswer|最终答案|答案)\W{0,4}\s*(?:is\b|是|:)\W{0,4}([^\n]*)", text, re.IGNORECASE
    )
    parts = [found[-1] for found in (tagged, boxed, stated) if found]
    return parts if tagged or boxed else [*parts, text]


def _from_json(text: str, labels: tuple[str, ...]) -> str | None:
    """The verdict on a reply that holds a JSON object or array, or None when it holds none."""
    found = re.search(r"\{.*\}|\[.*\]", text, flags=re.DOTALL)
    if found is None:
        return None
    try:
        value = json.loads(found.group())
    except json.JSONDecodeError:
        return None
    return _verdict(value, labels)


def _verdict(value: Any, labels: tuple[str, ...]) -> str:
    if isinstance(value, str):
        return score_reply(value, labels)
    if isinstance(value, list):
        verdicts = {_verdict(item, labels) for item in value} - {UNPARSED}
        return verdicts.pop() if len(verdicts) == 1 else AMBIGUOUS if verdicts else UNPARSED
    if not isinstance(value, Mapping):
        return UNPARSED
    lower = {str(key).strip().lower().replace(" ", "_"): item for key, item in value.items()}
    for key in ANSWER_KEYS:
        if key in lower:
            return _verdict(lower[key], labels)
    scores = {
        canonical(key): item
        for key, item in lower.items()
        if isinstance(item, (int, float)) and canonical(key) in labels
    }
    if scores:
        best = [str(name) for name, score in scores.items() if score == max(scores.values())]
        return best[0] if len(best) == 1 else AMBIGUOUS
    nested = [item for item in lower.values() if isinstance(item, (Mapping, list))]
    return _verdict(nested, labels) if nested else UNPARSED


def _negated(before: str) -> bool:
    """Whether the text before a mention ends in a negation that reaches it."""
    if CHINESE_BEFORE.search(before[-12:]):
        return True
    plain = NOT_NEGATIONS.sub(lambda found: "_" * len(found.group()), before)
    reached = None
    for start in (m.start() for m in re.finditer(rf"\b{NEGATOR}\b", plain)):
        reached = BEFORE.match(plain, start)
        if reached is not None and len(re.findall(r"[\w']+", reached.group())) - 1 <= REACH:
            return True
    return False


def _denied(after: str) -> bool:
    """Whether the text behind a mention takes it back: "anger is not present", "anger can be ruled out"."""
    return AFTER.match(after) is not None or CHINESE_AFTER.match(after) is not None


def _carry_over_lists(text: str, found: Sequence[re.Match[str]], negated: list[bool]) -> None:
    """A negated head of a list negates the list when the list ends in "or": "not happy, sad, or angry"."""
    joins = [text[a.end() : b.start()] for a, b in pairwise(found)]
    for start in range(len(found)):
        if not negated[start]:
            continue
        end = start
        while end < len(joins) and LIST_JOIN.fullmatch(joins[end]):
            end += 1
        alternatives = [i for i in range(start, end) if re.search(r"\b(?:or|nor)\b|或|也不是|也没有", joins[i])]
        for i in range(start, (alternatives[-1] if alternatives else start - 1) + 1):
            negated[i + 1] = True


@lru_cache(maxsize=32)
def _names(labels: tuple[str, ...]) -> dict[str, str]:
    """Every spelling, lower case with single spaces, and the label it stands for."""
    names = {alias: name for name, aliases in ALIASES.items() for alias in (name, *aliases)}
    return {_key(spelling): name for spelling, name in {**names, **{label.lower(): label for label in labels}}.items()}


def _key(spelling: str) -> str:
    return re.sub(r"[\s_-]+", " ", spelling.lower())


@lru_cache(maxsize=32)
def _pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    """All spellings, longest first; Latin ones only as whole words, Chinese ones anywhere."""
    spellings = sorted(_names(labels), key=len, reverse=True)
    letters = r"a-z0-9_\u00c0-\u024f"
    latin = "|".join(re.escape(s).replace(r"\ ", r"[\s_-]+") for s in spellings if not _CHINESE.search(s))
    chinese = "|".join(re.escape(s) for s in spellings if _CHINESE.search(s))
    return re.compile(rf"(?<![{letters}])(?:{latin})(?![{letters}])|{chinese}")
