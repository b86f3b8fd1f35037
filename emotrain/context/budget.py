"""A clip's summaries within a token budget: the least informative gap is shortened first, a keyframe never."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from emotrain.records import Summary

SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")


def text_tokens(tokenizer: Any, text: str) -> int:
    """Tokens that a summary adds to a prompt; none for no text.

    Counted with the space that joins it to what stands before: many tokenizers count a word so as another token.
    """
    return len(tokenizer.encode(f" {text}", add_special_tokens=False)) if text else 0


def fit_budget(summaries: Sequence[Summary], budget: int, count_tokens: Callable[[str], int]) -> list[Summary]:
    """The summaries with at most `budget` tokens of text in all.

    A gap loses its last sentence at a time, and its only sentence last. Gaps without change are the least informative,
    longest text first; then gaps by the strength of their strongest event, weakest first (gaps of text back ends, which
    have no events, by length, longest first), each only after all weaker ones are empty. Raises ValueError for a
    negative budget.
    """
    if budget < 0:
        raise ValueError(f"token budget {budget} is below 0")
    tokens = {summary.gap: count_tokens(summary.text) for summary in summaries}
    kept = {summary.gap: summary for summary in summaries}
    for summary in sorted(summaries, key=lambda summary: _worth(summary, tokens[summary.gap])):
        sentences = [part for part in SENTENCE_END.split(summary.text) if part]
        while sentences and sum(tokens.values()) > budget:
            sentences.pop()
            text = " ".join(sentences)
            kept[summary.gap] = replace(summary, text=text)
            tokens[summary.gap] = count_tokens(text)
    return [kept[summary.gap] for summary in summaries]


def _worth(summary: Summary, tokens: int) -> tuple[bool, float, int, int]:
    strength = max((event.strength for event in summary.events), default=0.0)
    return summary.changed, strength, -tokens, summary.gap
