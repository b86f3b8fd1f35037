"""Which labels a text names: by any spelling, as whole words, longest match first, and not where it denies them.

Negation is read from the words around a mention, in English and in Chinese. Where it could be read either way a
mention is dropped: a reply that then names nothing counts as an error, and a guess never counts as a hit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from emotrain.emotions import ALIASES

IDIOMS = re.compile(
    r"\bi(?:'m| am) afraid (?:that )?(?:i|we|it|this|that|there|the|not|no)\b"
    r"|\b(?:i|we)(?:'d| would|'m| am|'ll| will)(?: be)? (?:so |very |always )?(?:happy to|happily)\b"
    r"|\bhappy to help\b|\bno surprise that\b"
    r"|\bi(?:'m| am) (?:quite |very )?positive (?:that|it|this|he|she|the|about)\b"
    r"|\bother(?= (?!(?:emotions?|expressions?|category|class|label|option|or|and|but|is)\b)[a-z])"
    r"|\beach other\b|\bamong others\b|生气勃勃"
)
"""Words of emotion that name none: the assistant speaking of itself ("I'm afraid I can't", "I'm happy to help"), and
"other" before what is other ("on the other hand", "the other eye")."""

NOT_NEGATIONS = re.compile(
    r"\b(?:not (?:only|just|merely|simply)|nothing but|no doubt|without (?:a |any )?doubt|no question)\b"
    r"|\b(?:cannot|can't|can not|could not|couldn't|unable to|does not|doesn't|do not|don't|did not|didn't|not|without)"
    r" (?:even |quite |\w+ly )?(?:hid(?:e|ing)|conceal(?:ing)?|mask(?:ing)?|disguis(?:e|ing)|deny(?:ing)?)\b"
    r"|\b(?:cannot|can't|can not|could not|couldn't|unable to) (?:\w+ly )?"
    r"(?:contain|control|suppress|restrain|hold back|help but|help (?:feel|be|look|show)ing)\b"
)
"""Negators that deny nothing: "not only angry", "he cannot hide his anger"."""

NEGATOR = (
    r"(?:not|no|nothing|never|neither|nor|non|cannot|can't|cant|don't|doesn't|didn't|isn't|aren't|wasn't|weren't|won't"
    r"|wouldn't|couldn't|shouldn't|hardly|rather than|instead of|as opposed to|unlike|rule out|rules out|ruled out"
    r"|excluding|unlikely)"
)
LACK = r"(?:without|lack of|lacks|absence of|free of)"
BREAK = (
    r"(?:[.;:!?,\n—]|\b(?:but|rather(?! than)|instead(?! of)|however|yet|although|though|because|since|and|so|just)\b)"
)
CONCLUSION = (
    r"(?<!that )(?<!which )\b(?:indicates?|suggests?|shows?|signals?|means?|reveals?|conveys?|expresses|implies"
    r"|points to|looks?|seems?|appears?)\b(?! of)"
)
"""A verb behind which something lacking ("the absence of a smile") speaks for what follows ("indicates sadness")."""

_NEGATION_START = re.compile(rf"\b(?:{NEGATOR}|{LACK})\b")
BEFORE = re.compile(rf"(?:{NEGATOR}\b(?:(?!{BREAK}).)*|{LACK}\b(?:(?!{BREAK}|{CONCLUSION}).)*)$", re.DOTALL)
"""A negator that reaches the end of the text before a mention: no clause break and few words between."""
REACH = 8
"""Most words between a negator and the word that it negates ("not possible to determine whether the person is sad")."""

NEAR = 120
"""Characters on either side of a mention in which a negation is looked for."""

AFTER = re.compile(
    r"\s*(?:expression |emotion |face )?(?:is|was|are|were|does|did|can|could|seems?|appears?|has been)?"
    r"(?: clearly| definitely| certainly| be)*"
    r"(?:\s+not\b(?! only| hidden| concealed)|n't\b|\s+absent\b|\s+unlikely\b|\s+be ruled out\b|\s+ruled out\b)"
)
LIST_JOIN = re.compile(
    r"\s*(?:,?\s*(?:or|nor)\b|[,/、]|或者?|也不是|也没有)\s*(?:(?:a|an|any|the|even)\s+)?", re.IGNORECASE
)

CHINESE_BEFORE = re.compile(
    r"(?:不是|并非|并不|没有|而非|而不是|排除|不太|不像|不属于|看不出|未见|未|没|不|非|无)"
    r"(?:很|太多?|是|那么|特别|明显的?|任何|一丝|丝毫|多少|什么|怎么|再|有|带|会|可能|一定|应该?|算|到|见|出|上|看到|看见|看出"
    r"|感到|感觉到?|觉得|显得|表现出|显示出|流露出){0,3}$"
)
"""A Chinese negator right before a mention, or with a few adverbs and verbs between ("不怎么高兴", "没有看到愤怒")."""
CHINESE_BREAK = r"(?:[，。；！？：,.;!?:\n]|而|但|却|只是|因为|所以|为什么|为何)"
CHINESE_DOUBT = re.compile(
    r"(?:(?:无法|不能|难以|不足以|未能|没法|很难)(?:准确|清楚|直接)?(?:判断|判定|确定|确认|断定|认定|分辨|识别|辨别|得知|知道|说|推断)"
    r"|不(?:认为|觉得|确定|清楚|知道|相信)|看不(?:出|到|见|清)|没有?(?:看到|看见|看出|发现|迹象|证据|显示|表现|流露|出现)"
    rf"|未(?:见|看到|发现|显示|表现|观察到)|是否)(?:(?!{CHINESE_BREAK}).){{0,12}}$"
)
"""A doubt or denial that holds for the rest of its clause ("我不认为他生气", "无法判断他是否高兴")."""
CHINESE_AFTER = re.compile(r"(?:的?(?:情绪|表情|可能性))?(?:并)?(?:不明显|不存在|不成立|很小|较低|可以排除|可排除)")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def mentions(text: str, labels: Sequence[str]) -> list[str]:
    """Labels that `text` names and does not negate, each once, in the order of their first mention.

    Emotions outside `labels` are recognised, so that "unhappy" never counts as "happy", and then left out.
    """
    lower = IDIOMS.sub(lambda found: "_" * len(found.group()), text.lower())
    found = list(_pattern(tuple(labels)).finditer(lower))
    # A mention's own letters negate nothing: 无助 (helplessness) holds 无 (without).
    masked = _pattern(tuple(labels)).sub(lambda m: "_" * len(m.group()), lower)
    negated = [
        _negated(masked[max(0, m.start() - NEAR) : m.start()]) or _denied(masked[m.end() : m.end() + NEAR])
        for m in found
    ]
    _carry_over_lists(lower, found, negated)
    kept = [spelled(m.group(), labels) for m, no in zip(found, negated) if not no]
    return list(dict.fromkeys(name for name in kept if name is not None and name in labels))


def spelled(word: str, labels: Sequence[str]) -> str | None:
    """The label of `labels`, or the known emotion outside them, that `word` is a spelling of; else None."""
    return _names(tuple(labels)).get(_key(word.strip()))


def _negated(before: str) -> bool:
    """Whether the text before a mention ends in a negation that reaches it."""
    if CHINESE_BEFORE.search(before[-16:]) or CHINESE_DOUBT.search(before[-24:]):
        return True
    plain = NOT_NEGATIONS.sub(lambda found: "_" * len(found.group()), before)
    for start in (m.start() for m in _NEGATION_START.finditer(plain)):
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
