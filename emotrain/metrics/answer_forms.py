"""The forms in which replies state their answer, in the order in which they are asked.

| form | for example |
|-|-|
| tag | `<answer>sad</answer>`, `<emotion>sad</emotion>`, `[ANSWER]sad[/ANSWER]` |
| box | `\\boxed{sad}`, `<|begin_of_box|>sad<|end_of_box|>` |
| object (`loose_objects.py`) | `{"emotion": "sad", "reason": "..."}`, `{'label': 'sad'}`, cut-off JSON |
| line | `Emotion: sad`, `**Answer**: (B) sad`, `### Label` with the next line, `Prediction = sad`, `情绪：悲伤` |
| row | a table with two columns: Emotion, sad |
| scores | `happy: 0.1, sad: 0.9`, a list or table with a number for each label |
| opening, closing | a first or last line, or a first sentence, that is nothing but a label |

The first form that is there decides, and its explanation is not read. Of several answers the last counts, of several
emotions ("Emotion: ...") all do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

NOUNS = (
    "answer", "label", "emotion", "prediction", "predicted", "class", "category", "result", "expression", "option",
    "verdict", "conclusion", "output", "choice",
    "sentiment", "decision", "guess", "pick", "tl;dr", "classification", "ans", "response", "top-1",
    "答案", "情绪", "情感", "标签", "类别", "表情", "结论", "判断", "结果",
)  # fmt: skip
"""What an answer is called, in the order in which several names of one reply are asked."""
WHICH = (
    "final", "predicted", "selected", "chosen", "assigned", "identified", "inferred", "suggested", "estimated",
    "most fitting", "detected", "recognized", "recognised", "primary", "dominant", "main", "overall",
    "most likely", "facial", "correct", "best", "top", "one-word", "single-word", "my",
    "最终", "主要", "预测", "情绪", "情感",
)  # fmt: skip
_WHICH = "|".join(word.replace(" ", "[ _]") for word in WHICH)
KEY = re.compile(
    rf"(?P<which>(?:(?:{_WHICH})[ _]?)*)(?P<noun>{'|'.join(NOUNS)})s?"
    r"(?:[ _](?:label|name|class|category|result|recognition|id|classification|detected|displayed"
    r"|here|id|shown|recogni[sz]ed|expressed|prediction|answer)s?)*(?:标签|类别|结果)?",
    re.IGNORECASE,
)
"""The name of an answer: "emotion", "emotions", "final_emotion", "emotion label", "主要情绪"."""

_MARKS = r"[\s>#*_~`\"'\-•\[(]{0,20}(?:\d{1,2}[.)]\s{1,4}[*_]{0,2})?"
_LINE = re.compile(
    rf"(?:^|[\n.!?。；;,|，]){_MARKS}(?:(?:the|my|(?:person|man|woman|subject|character|individual|speaker)(?:'s)?"
    rf"|observed|so|thus|hence|therefore|overall|tl;dr)\b\W*)*"
    rf"(?P<key>{KEY.pattern})(?:\s*[(（](?!of )[^()（）\n]{{0,20}}[)）])?[*_`\"'\])]*\s*"
    r"(?:[:=→]|=>|[-=]>|\s[-–—]\s|(?:是|为)\s*[:：]?)(?P<value>[^\n]*(?:(?<=:)\s*\n[^\n]*(?:\n\s*[-*•]\s[^\n]*)*)?)",
    re.IGNORECASE,
)
_HEADING = re.compile(
    rf"(?:^|\n){_MARKS}(?P<key>(?:the )?{KEY.pattern})[^\w\n?？]*\n(?:\s*[-=]{{2,}}\s*\n)?\s*(?P<value>[^\n]+)",
    re.IGNORECASE,
)
_ROW = re.compile(
    rf"(?:^|\n)\s*\|[\s*_`]*(?P<key>{KEY.pattern})[\s*_`]*\|(?P<value>[^|\n]+)\|[ \t]*(?=\n|$)(?!\s*\|[\s:|-]+\|)",
    re.IGNORECASE,
)
"""A row of a table with two columns, which is not its head: `| Emotion | sad |`."""
NEXT_KEY = re.compile(
    rf"{_MARKS}(?:reason|reasoning|explanation|evidence|why|justification|confidence|note|because|理由|原因"
    rf"|解释|说明)\w*\W*[:=]",
    re.IGNORECASE,
)
"""What begins an explanation: "Reason:", "Explanation:", 理由."""
_TAG_NAME = r"(?:final_?|predicted_?)?(?:answer|emotion|label|prediction|result|class|category|output|response)"
_TAG = re.compile(
    rf"<(?P<name>{_TAG_NAME})>(?P<value>.*?)(?:</(?P=name)>|$)"
    rf"|\[(?P<square>{_TAG_NAME})\](?P<inner>.*?)(?:\[/(?P=square)\]|$)",
    re.DOTALL | re.IGNORECASE,
)
_QUOTED = re.compile(r"\b(?:for example|for instance|e\.g\.|such as|format|template|like|form)\W*$", re.IGNORECASE)
"""What stands before a tag that the reply only quotes from its instructions."""
_BOX = re.compile(
    r"\\boxed\{(?:\\(?:text|textbf|mathrm|mathbf)\{)?(?P<value>[^{}]*)\}"
    r"|<\|begin_of_box\|>(?P<box>.*?)(?:<\|end_of_box\|>|$)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Stated:
    """One stated answer: its words, and whether its form is that of an answer, of which the last counts."""

    value: str
    rank: tuple[int, bool]
    final: bool


def tagged(text: str) -> list[Stated]:
    """Answers in tags of their own; what a tag is called decides its rank."""
    return _best(
        _stated(found["name"] or found["square"], found["value"] if found["name"] else found["inner"])
        for found in _TAG.finditer(text)
        if _QUOTED.search(text[max(0, found.start() - 40) : found.start()]) is None
    )


def boxed(text: str) -> list[Stated]:
    """Answers in a box."""
    return [_stated("answer", found["value"] or found["box"] or "") for found in _BOX.finditer(text)]


def lines(text: str) -> list[Stated]:
    """Answers behind their name and a colon, or on the line below it; one letter ("Answer: B") says nothing."""
    found = [*_LINE.finditer(text), *_HEADING.finditer(text), *_ROW.finditer(text)]
    stated = [
        _stated(match["key"], "" if NEXT_KEY.match(value := _below(match["value"])) else value)
        for match in sorted(found, key=re.Match.start)
    ]
    return _best(one for one in stated if not re.fullmatch(r"\W*\w?\W*", one.value) or not one.value.strip(" *_`#"))


def rank(key: str) -> tuple[int, bool] | None:
    """How early an answer of this name is asked ("final_emotion" before "emotion"); None for another name."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key.strip())
    found = KEY.fullmatch(re.sub(r"[\s-]+", "_", words).lower())
    if re.fullmatch("primary|dominant|main|top|final|predicted", words.lower()):
        return NOUNS.index("emotion"), False
    return None if found is None else (NOUNS.index(found["noun"].lower()), not found["which"])


def before_explanation(value: str, is_bare: re.Pattern[str]) -> str:
    """The words of a stated answer without the option's letter and the explanation behind it.

    What follows is kept where it corrects ("... no, wait") or is nothing but a further label (`is_bare`).
    """
    value = without_option(value)
    for found in _EXPLAINS.finditer(value):
        head, rest = value[: found.start()], value[found.end() :]
        if not head.strip(" *_`\"'"):
            continue
        if _CORRECTS.match(rest.strip()) or is_bare.fullmatch(rest.strip().split("\n")[0].strip(" .,;!*_`\"'-•")):
            return value
        return head
    return value


def without_option(value: str) -> str:
    """A stated answer without the letter or number of its option: "(B) sad"."""
    return _OPTION.sub("", value.strip())


_OPTION = re.compile(
    r"^[\s*_`\"'\-]*(?:(?:option|choice)\s*)?(?:\(?(?:[A-Ka-k1-9]|1[01])[).:]|\((?:[A-Ka-k1-9]|1[01])\))\s+(?=\w|\*)",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(
    r"\s\((?=(?:he|she|they|the|his|her|there|it|with|as|because|since|based|evident) )|[.!;。；！]\s+(?=\S)"
    r"|[。；！](?=\S)|\n|\s[-–—]{1,2}\s|,\s*(?:even )?(?:al)?though\b|,?\b(?:because|since|due to"
    r"|given that|as (?:he"
    r"|she|the|it|there|his|her))\b"
    r"|因为|虽然|尽管|\b(?:reason(?:ing)?|explanation|evidence|confidence|justification|second guess)\s*[:=]"
    r"|\[?(?:原因|理由|解释|解析)\]?\s*[:：]|//",
    re.IGNORECASE,
)
_CORRECTS = re.compile(
    r"(?:(?:\w+ly )?not?(?! \w)|nope|never|wait|actually|correction|sorry|rather|scratch|i mean"
    r"|on second|or|and|but|hmm|however|instead|不对|等等|更正|或)\b",
    re.IGNORECASE,
)


def _below(value: str) -> str:
    """A value that stands on the next line, behind a colon or a line of marks, without what only announces it."""
    head, newline, rest = value.partition("\n")
    return rest if newline and not re.search(r"\w{2}|[?？]", head.replace("as follows", "")) else value


def _stated(key: str, value: str) -> Stated:
    found = rank(re.sub(r"^the ", "", key.strip(), flags=re.IGNORECASE))
    place = (len(NOUNS), True) if found is None else found
    return Stated(value, place, place[0] == 0)


def _best(stated: Iterator[Stated] | Sequence[Stated]) -> list[Stated]:
    """Those of the best rank: a final emotion before an emotion, an answer before both; of answers the last."""
    every = list(stated)
    if not every:
        return []
    best = min(one.rank for one in every)
    # "Answer: ..." and "Final answer: ..." are the same name; the later one stands.
    chosen = [one for one in every if one.rank == best or (one.final and best[0] == 0)]
    return chosen[-1:] if chosen[-1].final else chosen
