"""How much text a prompt may hold: a clip of any length, or a reply without end, must not make one without end.

Bounds are in bytes of UTF-8: a tokenizer makes at most one token of a byte, so they bound tokens in every language.
"""

from __future__ import annotations

from emotrain.context.budget import SENTENCE_END

MOST_GAP = 2_000
"""Bytes of text that one gap may have: four times what a describing model writes with its usual 96 tokens."""

MOST_PROMPT = 16_000
"""Bytes of text that all gaps of a prompt may have together; many gaps share it."""

MORE = {"en": "and {count} more sentences.", "zh": "另有{count}句。"}


def most_of_gap(gaps: int) -> int:
    """Bytes of text that each of so many gaps may have."""
    return min(MOST_GAP, MOST_PROMPT // max(gaps, 1))


def bounded(text: str, most: int, language: str) -> str:
    """The text in at most about `most` bytes: whole sentences from its beginning, the others counted."""
    if len(text.encode()) <= most:
        return text
    sentences = [part for part in SENTENCE_END.split(text) if part]
    kept: list[str] = []
    size = 0
    for sentence in sentences:
        size += len(sentence.encode()) + 1
        if size > most:
            break
        kept.append(sentence)
    more = MORE[language if language in MORE else "en"].format(count=len(sentences) - len(kept))
    if kept:
        return " ".join([*kept, more])
    return sentences[0].encode()[:most].decode(errors="ignore").rstrip() + "..."
