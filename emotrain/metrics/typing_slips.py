"""Spellings of an emotion with one slip of the keyboard: "suprise", "angery", "happpy", "nuetral".

A letter is left out, doubled or swapped with its neighbour, or a vowel slips in; the first letter stays. A slip that is
a word of its own ("neural") is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

WORDS = (
    "happy", "happiness", "sadness", "angry", "anger", "surprise", "surprised", "disgust", "disgusted", "neutral",
    "fearful", "frightened", "afraid", "contempt", "contemptuous", "anxiety", "anxious", "disappointed",
    "disappointment", "helpless", "helplessness",
)  # fmt: skip
_OWN_WORDS = {"neural"}


def corrected(text: str, labels: Sequence[str]) -> str:
    """`text` with such slips mended; a word that is itself a label stays."""
    own = {label.lower() for label in labels}

    def mended(found: re.Match[str]) -> str:
        word = found.group()
        return word if word.lower() in own else _slips().get(word.lower(), word)

    return re.sub(r"(?<![^\W_])[A-Za-z]{5,16}(?![^\W_])", mended, text)


@lru_cache(maxsize=1)
def _slips() -> dict[str, str]:
    """Each slip and the word that was meant; one that fits two words is left out."""
    meant: dict[str, set[str]] = {}
    for word in WORDS:
        for slip in _slips_of(word):
            meant.setdefault(slip, set()).add(word)
    return {
        slip: words.pop()
        for slip, words in meant.items()
        if len(words) == 1 and slip not in WORDS and slip not in _OWN_WORDS
    }


def _slips_of(word: str) -> set[str]:
    """Inner letters left out, doubled or swapped, and vowels slipped in."""
    found = set()
    for place in range(1, len(word)):
        head, tail = word[:place], word[place:]
        if len(word) > 5:
            found.add(head + tail[1:])
        found.add(head + tail[0] + tail)
        if len(tail) > 1:
            found.add(head + tail[1] + tail[0] + tail[2:])
        found |= {head + vowel + tail for vowel in "aeiou"}
    return found - {word}
