"""A text cut into sentences, each read by the grammar of its language.

Mentions of an emotion are marked first, so that no rule is written twice for the spellings of a label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from emotrain.metrics import prose, prose_zh
from emotrain.metrics.concessions import set_aside
from emotrain.metrics.mentions import Mention, Sentence
from emotrain.metrics.prose_words import MENTION

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SENTENCE = re.compile(
    r"(?<!\d)[.]|[.](?!\d)|(?<=\w)[;!；！]|(?<=[\ue000-\uf8ff] )!|[;\n。；]|(?<=[?？])"
    r"|,\s*(?=(?:so|therefore|thus|hence),? (?:my|the) (?:\w+ )?(?:answer|label|choice|classification|verdict"
    r"|prediction|option) is\b)"
)
"""Ends of a sentence; an answer that is drawn from one stands alone."""
_CONTRACTIONS = tuple(
    (re.compile(short), full)
    for short, full in (
        (r"\b(he|she|it|that|there|here|this|who|what)'s\b", r"\1 is"),
        (r"\b(they|we|you)'re\b", r"\1 are"),
        (r"\bi'm\b", "i am"),
        (r"\b(\w+)'d\b", r"\1 would"),
        (r"\b(\w+)'ll\b", r"\1 will"),
        (r"\bcan't\b|\bcannot\b", "can not"),
        (r"\bwon't\b", "will not"),
        (r"\bi\.e\.,?", ","),
        (rf"\b(?:option|choice) \(?[a-k1-9]\)?[,:]?\s*(?={MENTION})", " "),
        (rf"\(?(?<![\w'])[a-k1-9](?:[).:]+|\s[-–]\s)\s*(?={MENTION})|\([a-k1-9]\)", " "),
        (r"n't\b", " not"),
    )
)
_TURNS = re.compile(
    r"\W*(?:but|however|or|wait|no|nope|not|actually|yet|though|unless|if|still|then again|on second|scratch|sorry"
    r"|rather|instead|i mean|hmm|maybe|perhaps|just kidding|correction|never|that said|although)\b",
    re.IGNORECASE,
)
"""What a sentence begins with that takes back the one before it."""


def sentences(text: str, mentions: Sequence[Mention]) -> list[Sentence]:
    """The sentences of a text in lower case whose mentions are `mentions`, each with what it says."""
    said: list[Sentence] = []
    for part in _SENTENCE.split(set_aside(_marked(text, mentions))):
        if re.search(rf"[^\W_]|{MENTION}", part):
            chinese = _CHINESE.search(part) is not None
            sentence = prose_zh.sentence(part, mentions) if chinese else prose.sentence(part, mentions, bool(said))
            said.append(replace(sentence, turns=_TURNS.match(part) is not None))
    return said


def _marked(text: str, mentions: Sequence[Mention]) -> str:
    """The text with a character of its own for each mention, and without the quotes around a lone one."""
    for place, mention in reversed(list(enumerate(mentions))):
        text = f"{text[: mention.start]} {chr(0xE000 + place)} {text[mention.end :]}"
    text = re.sub(r"[\"“”]\s*\w\s*[\"“”]", " ", text)  # an "o" of the mouth
    text = re.sub(rf"[\"'“”‘’「」]\s*({MENTION})\s*([.,;:]?)[\"'“”‘’「」]", r" \1 \2", text)
    for short, full in _CONTRACTIONS:
        text = short.sub(full, text)
    return text
