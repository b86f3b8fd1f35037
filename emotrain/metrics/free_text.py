"""Reading the label out of a model's free-text reply, without ever guessing.

A reply counts for a label only when it says that one in words which are known: in one of the forms of
`answer_forms.py`, or in sentences of the grammar of `prose.py` (`prose_zh.py` for Chinese). One that says several is
AMBIGUOUS, any other UNPARSED; both are errors and both are reported. Where a reply states its answer, the answer alone
counts: one outside the label set is UNPARSED, whatever the reasoning around it names.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from emotrain.metrics.answer_forms import (
    NEXT_KEY,
    Stated,
    before_explanation,
    boxed,
    lines,
    rank,
    tagged,
    without_option,
)
from emotrain.metrics.chinese_script import simplified
from emotrain.metrics.loose_objects import objects
from emotrain.metrics.mentions import Sentence, bare, mentions, named, spelled, spellings
from emotrain.metrics.sentences import sentences
from emotrain.metrics.typing_slips import corrected

AMBIGUOUS = "ambiguous"
UNPARSED = "unparsed"

LONGEST = 8_000
"""Characters of a reply that are read behind its thoughts: a model that never stopped says its answer, if any, last."""

_THOUGHT = r"(?:think|thinking|thought|reasoning|analysis|reflection)"
_OPENS, _CLOSES = rf"[<\[◁]\|?{_THOUGHT}\|?[>\]▷]", rf"[<\[◁]\|?/{_THOUGHT}\|?[>\]▷]"
_WORD = re.compile(r"[^\W\d_]{2}")
_MARKS = " \t\n\"'*_`~#>-•.!。！,:：()（）[]"
_REASON = re.compile(r"(?:reason|rationale|explanation|analysis|evidence|thought|justification|note)\w*", re.IGNORECASE)
_OPTIONS = re.compile(r"(?:^|\s)(?:\(?(?:[A-Ka-k1-9]|1[01])[).:]|\((?:[A-Ka-k1-9]|1[01])\))\s+")
_CAREFUL = re.compile(r"^\W*(?:(?:possibly|perhaps|maybe|presumably|may be|might be|could be)\b|可能是?|也许是?)")
"""A stated answer is one however careful its words; prose that hedges is none."""
_PICTURES = ("So", "Co")
"""Categories of characters that say nothing: emoji, and those of private use, one of which marks a mention."""
_CROSSES = "✗✘❌☐☒✖❎👎🚫"
_MARKUP = re.compile(r"</\w+>|[*`~#<>]+|\{[^{}\ue000-\uf8ff]*:[^{}]*\}|^\s*[-•]\s|(?<=\n)\s*[-•]\s")
_DENIES = re.compile(
    r"\b(?:not|no|nor|neither|never|none|cannot|unable|whether|if|without|unclear|unknown|impossible|hard|difficult|far)\b|n't\b|[?？]"
    r"|[不没无非难否未]"
)
_GIVES_UP = re.compile(
    r"\b(?:i|we)(?: am|'m)? (?:can ?not|can't|could ?n[o']t|do ?n[o']t|did ?n[o']t|unable|not able|have no)\b"
    r"|\b(?:can ?not|could not) be (?:determined|identified|seen)\b|\bno (?:face|video|image|person) \w+"
    r"|(?:无法|不能|难以)(?:判断|确定|识别|看清)",
    re.IGNORECASE,
)
"""Behind such words a label that stands alone is no answer: "Surprise! I cannot see any video"."""
_MOST = 100
"""The highest share that a list can give a label; larger numbers count something: "happy 1244, sad 980 clips"."""
_NUMBER = r"(?P<number>\d*\.?\d+)\s*%?"


def score_reply(reply: str, labels: Sequence[str]) -> str:
    """The one label of `labels` that `reply` names, else AMBIGUOUS (several) or UNPARSED (none)."""
    text = unicodedata.normalize("NFKC", reply).replace("’", "'").replace("‘", "'")
    text = corrected(text, labels)
    text = re.sub(rf"{_OPENS}(?:(?!{_OPENS}).)*?{_CLOSES}", " ", simplified(text), flags=re.DOTALL | re.IGNORECASE)
    text = re.sub(r"~~[^~\n]*~~", " ", text)  # struck out
    text = re.sub(r"<\|(?!begin_of_box|end_of_box|box)\w+\|>|</s>|\[[\d.]+\](?: s\b)?", " ", text)
    text = "".join(
        " " if unicodedata.category(mark) in ("So", "Co") and mark not in _CROSSES else mark for mark in text
    )
    text = text.replace("【", "[").replace("】", "]:")
    text = re.sub(r"(?<![^\W_])__?(?=\w)|(?<=\w)__?(?!\w)", " ", text)  # __bold__
    # Chat templates often open the thought in the prompt, so that the reply holds only its end.
    text = re.split(_CLOSES, text, flags=re.IGNORECASE)[-1].strip()[-LONGEST:]
    thought = re.search(_OPENS, text, flags=re.IGNORECASE)
    verdict = _stated_verdict(text, labels)
    if verdict is not None:
        return verdict
    if thought is not None:  # cut off while it thought, before it stated an answer
        text = text[: thought.start()]
    for verdict in (_scores(text, labels), _opening(text, labels)):
        if verdict is not None:
            return verdict
    return _prose(text, labels)


def _prose(text: str, labels: Sequence[str]) -> str:
    """What the sentences of a reply say, where all that name an emotion are known and no other takes it back."""
    lower = _MARKUP.sub(" ", simplified(text.lower()))
    said = sentences(lower, mentions(lower, labels))
    answers = [sentence for sentence in said if sentence.answer]
    if answers:
        after = said[said.index(answers[-1]) + 1 :]
        return UNPARSED if any(one.turns for one in after) else _claimed(answers[-1:], lower, labels)
    return _claimed(said, lower, labels)


def _claimed(said: Sequence[Sentence], text: str, labels: Sequence[str]) -> str:
    """The only label that sentences claim; where one of them is not known nothing is."""
    if any(one.unknown or not one.harmless for one in said):
        return _unread(text, labels)
    own = {name for one in said for name in one.claimed if name is not None}
    return own.pop() if len(own) == 1 else AMBIGUOUS if own else UNPARSED


def _unread(text: str, labels: Sequence[str]) -> str:
    """The verdict on words that are not known: several labels that nothing denies are several answers."""
    return AMBIGUOUS if len(named(text, labels)) > 1 and _DENIES.search(text.lower()) is None else UNPARSED


def _stated_verdict(text: str, labels: Sequence[str]) -> str | None:
    """The verdict of the first explicit form that is there: tag, box, object, line."""
    for found in (tagged(text), boxed(text)):
        if found:
            return _of_stated(found, labels)
    found_objects = objects(text)
    structured = _joint(_said(value, labels) for value in found_objects)
    if structured is None and any(_only_reasons(value) for value in found_objects):
        return UNPARSED
    if structured is not None:
        return structured
    found = lines(text)
    return _of_stated(found, labels) if found else None


def _of_stated(stated: Sequence[Stated], labels: Sequence[str]) -> str:
    chosen = stated[-1:] if stated[-1].final else stated
    verdict = _joint(_value(one.value, labels) for one in chosen)
    return UNPARSED if verdict is None else verdict


def _value(value: str, labels: Sequence[str]) -> str:
    """The verdict on the words of a stated answer."""
    stated = _stated_verdict(value, labels)
    if stated is not None:
        return stated
    scored = _scores(value, labels)
    if scored is not None:
        return scored
    head = simplified(before_explanation(value, bare(tuple(labels))).lower())
    head = _CAREFUL.sub(" ", head).strip(_MARKS + "<>$")
    found = mentions(head, labels)
    said = sentences(head, found)
    if len(found) and any(one.unknown or not one.harmless for one in said):
        # "sad, with red eyes": what stands behind the answer is its explanation.
        opening = re.split(r"[,，(（]|\b(?:with|as|while)\b", head, maxsplit=1)[0]
        rest = head[len(opening) :]
        if opening.strip(_MARKS) and not mentions(rest, labels) and _DENIES.search(rest) is None:
            found = mentions(opening, labels)
            said = sentences(opening, found)
    return _claimed(said, head, labels)


def _scores(text: str, labels: Sequence[str]) -> str | None:
    """The label of the highest number where every label in the text has one ("happy: 0.1, sad: 0.9"), else None.

    Two labels with a bare share each ("sad 60%, angry 40%") are a mixture and no list of scores.
    """
    if _OPTIONS.match(text):  # "(1) sad (2) angry" has numbers of options
        text = _OPTIONS.sub(" ", text)
    lower = _table_as_list(simplified(text.lower()), labels)
    found = spellings(lower, labels)
    if len(found) < 2:
        return None
    scores: dict[str, float] = {}
    marked = True
    for place, match in enumerate(found):
        end = found[place + 1].start() if place + 1 < len(found) else len(lower)
        number = re.match(
            rf"[\"'*_`]*\s*(?P<mark>[:=|(,–—→-]*)\s*[\"']?(?:{_NUMBER}|(?P<yes>yes|no)\b)", lower[match.end() : end]
        )
        name = spelled(match.group(), labels)
        if number is None or name is None or name in scores:
            return None
        marked = marked and bool(number["mark"])
        scores[name] = float(number["number"] or number["yes"] == "yes")
        if scores[name] > _MOST:
            return None
    own = {name: score for name, score in scores.items() if name in labels}
    if len(own) < 2 or (len(scores) == 2 and not marked):
        return None
    best = [name for name, score in own.items() if score == max(own.values())]
    return best[0] if len(best) == 1 else AMBIGUOUS


def _table_as_list(text: str, labels: Sequence[str]) -> str:
    """A table with labels in one line and as many numbers in a later one, as a list of labels with numbers."""
    rows = [[cell.strip(" *_`\"'") for cell in re.split(r"[|,;\t]", line.strip(" |"))] for line in text.splitlines()]
    heads = [row for row in rows if len(row) > 1 and all(spelled(cell, labels) is not None for cell in row)]
    numbers = [row for row in rows if len(row) > 1 and all(re.fullmatch(r"\d*\.?\d+%?", cell) for cell in row)]
    if len(heads) == len(numbers) == 1 and len(heads[0]) == len(numbers[0]):
        return ", ".join(f"{name}: {number}" for name, number in zip(heads[0], numbers[0], strict=True))
    return text


def _opening(text: str, labels: Sequence[str]) -> str | None:
    """The label that stands alone in the first or last line, or in the first sentence; None where none does."""
    if _GIVES_UP.search(text) is not None:
        return None
    is_bare = bare(tuple(labels))
    alone = [without_option(line).strip(_MARKS) for line in text.splitlines() if line.strip(_MARKS)]
    # "None. None. Sad" and lists of labels are no answer with an explanation.
    if len(alone) > 1 and all(is_bare.fullmatch(line) for line in alone):
        return _verdict(named("\n".join(alone), labels))
    for line, after in pairwise(alone):
        if is_bare.fullmatch(line) and NEXT_KEY.match(after):
            # "Sure!", the label, and a reason below it.
            return _verdict(named("\n".join(alone[: alone.index(line) + 1]), labels))
    if len(alone) > 1 and sum(is_bare.fullmatch(line) is not None for line in alone) < len(alone):
        chosen = [line for line in (alone[0], alone[-1]) if is_bare.fullmatch(line) and spelled(line, labels) in labels]
        if chosen:
            return _verdict(named("\n".join(line for line in alone if is_bare.fullmatch(line)), labels))
    options = [part for part in _OPTIONS.split(text)[1:] if is_bare.match(part.strip(_MARKS))]
    if len(options) > 1:
        return _verdict(_every(options, labels))
    head = before_explanation(text, is_bare)
    if head != text and is_bare.fullmatch(head.strip(_MARKS)):
        return _verdict(named(head, labels))
    return None


def _every(options: Sequence[str], labels: Sequence[str]) -> list[str]:
    """The labels that a list of options names, each once."""
    return list(dict.fromkeys(found[0] for option in options if (found := named(option.split()[0], labels))))


def _said(value: Any, labels: Sequence[str]) -> str | None:
    """The verdict on an answer in JSON; None for what says nothing, such as null, a number, "" or "B"."""
    if isinstance(value, str):
        verdict = score_reply(value, labels)
        return None if verdict == UNPARSED and not _WORD.search(value) else verdict
    if isinstance(value, list):
        pairs = [_name_and_score(item) for item in value]
        if len(pairs) > 1 and all(pair is not None for pair in pairs):
            return _said(dict(pair for pair in pairs if pair is not None), labels)
        return _joint(_said(item, labels) for item in value)
    return _of_object(value, labels) if isinstance(value, Mapping) else None


def _only_reasons(value: Any) -> bool:
    """Whether an object gives reasons and no answer: `{"reason": "He is angry"}`."""
    return isinstance(value, Mapping) and bool(value) and all(_REASON.fullmatch(str(key)) for key in value)


def _name_and_score(item: Any) -> tuple[str, float] | None:
    """`{"label": "sad", "score": 0.8}` as a name and its score, None for any other item of a list."""
    if not isinstance(item, Mapping) or len(item) != 2:
        return None
    named = [value for key, value in item.items() if rank(key) is not None and isinstance(value, str)]
    scores = [value for value in item.values() if isinstance(value, (int, float)) and not isinstance(value, bool)]
    return (named[0], float(scores[0])) if len(named) == len(scores) == 1 else None


def _of_object(value: Mapping[str, Any], labels: Sequence[str]) -> str | None:
    """The verdict on an object: its answer keys in turn, then scores by label, then the objects inside it."""
    ranked = [(place, item) for key, item in value.items() if (place := rank(key)) is not None]
    answers = [item for _, item in sorted(ranked, key=lambda pair: pair[0])]
    for item in answers:
        verdict = _said(item, labels)
        if verdict is not None:
            return verdict
    if not answers and isinstance(value.get("name", value.get("value")), str):
        return _said(value.get("name", value.get("value")), labels)
    scores: dict[str, float] = {}
    for key, item in value.items():
        name = spelled(key, labels)
        if name in labels and isinstance(item, (int, float)) and not isinstance(item, bool) and math.isfinite(item):
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


def _verdict(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else AMBIGUOUS if labels else UNPARSED


def _joint(verdicts: Iterable[str | None]) -> str | None:
    """One verdict out of several: the only label named, AMBIGUOUS for more, UNPARSED for none, None for nothing."""
    given = {verdict for verdict in verdicts if verdict is not None}
    named = given - {UNPARSED}
    return named.pop() if len(named) == 1 else AMBIGUOUS if named else UNPARSED if given else None
