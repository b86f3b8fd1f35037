"""Controls that keep a clip's own summaries and change one thing: the order of the gaps, or the words for filler.

Each answers a question about what a model uses: `shuffled` and `reversed`, whether it reads the order; `static`,
whether more tokens alone help. Keyframes and the question stay as they are; the times in moved words move with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Literal

from emotrain.context.moving import moved
from emotrain.records import Summary
from emotrain.stable_hash import stable_hash

Order = Literal["shuffled", "reversed"]

FILLER = ("the", "of", "a", "and", "to", "no", "in", ".", ",", "s")
"""Words that say nothing, commonest first; most tokenizers have one token for each."""


def reorder(summaries: Sequence[Summary], order: Order, seed: int = 0, language: str = "en") -> list[Summary]:
    """The gaps in their places with their words moved: backwards, or by a permutation seeded by the clip.

    Events move in time with their words and are told again in `language`, so that no stated time gives the old place
    away. Gaps without length are never shown and take no part. A shuffle of two or more gaps always moves something.
    """
    gaps = [summary for summary in summaries if summary.end_s > summary.start_s]
    words = gaps[::-1] if order == "reversed" else _shuffled(gaps, seed)
    end_s = max((gap.end_s for gap in gaps), default=0.0)
    told = {gap.gap: moved(gap, word, end_s, language) for gap, word in zip(gaps, words, strict=True)}
    return [told.get(summary.gap, summary) for summary in summaries]


def static_text(summaries: Sequence[Summary], count_tokens: Callable[[str], int]) -> list[Summary]:
    """Every text replaced by filler of as many tokens; the same filler for every text of a length.

    `count_tokens` counts the tokens of a text. What is left to read is how long a text was: a clip with much change
    still has more filler than a quiet one. Raises ValueError when the tokenizer allows no filler of a length.
    """
    return [
        replace(summary, text=filler(count_tokens(summary.text), count_tokens), changed=summary.changed, events=())
        for summary in summaries
    ]


def filler(tokens: int, count_tokens: Callable[[str], int]) -> str:
    """Words that say nothing, exactly `tokens` tokens long; raises ValueError when no such text is found."""
    text = ""
    while (length := count_tokens(text)) < tokens:
        longer = (f"{text} {word}".strip() for word in FILLER)
        text = next((candidate for candidate in longer if length < count_tokens(candidate) <= tokens), "")
        if not text:
            raise ValueError(f"context_control: static: the tokenizer has no filler of {tokens} tokens among {FILLER}")
    return text


def _shuffled(gaps: Sequence[Summary], seed: int) -> list[Summary]:
    if len(gaps) < 2:
        return list(gaps)
    random = Random(stable_hash(f"{seed}/{gaps[0].clip_id}"))
    order = list(range(len(gaps)))
    while order == sorted(order):
        random.shuffle(order)
    return [gaps[i] for i in order]
