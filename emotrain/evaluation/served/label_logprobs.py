"""Label scores out of what servers say of their tokens: text and log-probability, and nothing of the tokenizer.

Reply: the alternatives at each of its positions are walked like the label tree of modeling/label_tree.py. A token that
only one label can go on from gives that label its probability; where several can ("dis": disgust, disappointment), the
next position tells if the reply went this way, and else they share it alike. Prompt: with the label at its end, its
log-likelihood is the sum over the tokens that spell it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LEAST_MASS = 0.5
"""Probability that the labels must have together for a free reply to count as a label's beginning."""

LONGEST = 32
"""Positions of a reply that are walked: no label has more tokens."""

_MARKS = " .,\n*\"'"


def reply_scores(answer: Any, names: Mapping[str, str], least: float) -> dict[str, float] | None:
    """Log-probability of each label, from the first tokens of a reply; None where the server gave none, and where the
    labels have less than `least` of the probability together.

    `names` are the words of the labels in the prompt. A label outside the listed alternatives gets the smallest
    log-probability that is listed, an upper bound.
    """
    try:
        positions = [_alternatives(token) for token in answer.choices[0].logprobs.content[:LONGEST]]
    except (AttributeError, IndexError, TypeError, ValueError):
        return None
    words = {label: word.lower() for label, word in names.items()}
    found = {label: value for label, value in _walk(positions, 0, "", words).items() if value > -math.inf}
    if not found or not positions or math.fsum(map(math.exp, found.values())) < least:
        return None
    floor = min(min(logprob for _, logprob in positions[0]), *found.values())
    return {label: found.get(label, floor) for label in names}


def prompt_score(answer: Any, word: str) -> float | None:
    """Log-likelihood of the word at the end of a prompt, from vLLM's `prompt_logprobs`; None where there are none."""
    listed = getattr(answer, "prompt_logprobs", None)
    if not isinstance(listed, list):
        return None
    left, total = word, 0.0
    for entry in reversed(listed):
        if not left.strip():
            return total
        if not isinstance(entry, Mapping) or not entry:
            return None
        # The prompt's own token stands first, alternatives behind it.
        token = next(iter(entry.values()))
        if not isinstance(token, Mapping) or not _is_logprob(token.get("logprob")):
            return None
        text = str(token.get("decoded_token", ""))
        if left.endswith(text):
            left, total = left[: len(left) - len(text)], total + float(token["logprob"])
        elif text.strip() and left.strip() == text.strip():
            left, total = "", total + float(token["logprob"])
        else:
            return None  # the prompt does not end with the word
    return total if not left.strip() else None


def _walk(
    positions: Sequence[Sequence[tuple[str, float]]], at: int, said: str, words: Mapping[str, str]
) -> dict[str, float]:
    """Log-probability of each of `words`, all of which begin with `said`, from position `at` on."""
    found = dict.fromkeys(words, -math.inf)
    if at >= len(positions):
        if not said.strip():
            return found  # nothing but spaces was said
        whole = [label for label, word in words.items() if word == said.rstrip(_MARKS)] or list(words)
        return found | {label: -math.log(len(whole)) for label in whole}
    for n, (token, logprob) in enumerate(positions[at]):
        text = said + (token.lower() if said else token.lower().lstrip())
        told = text.rstrip(_MARKS)
        ended = bool(said) and told == said.rstrip(_MARKS)  # a full stop, or the end of the turn
        fitting = {
            label: word
            for label, word in words.items()
            if (word == told if ended else word.startswith(told) or _opens(text, word))
        }
        if not fitting or (not told and n > 0):
            continue
        if len(fitting) == 1:
            within = {next(iter(fitting)): 0.0}
        elif n == 0:  # the way that the reply went
            within = _walk(positions, at + 1, text, fitting)
        else:
            within = {label: -math.log(len(fitting)) for label in fitting}
        for label, value in within.items():
            found[label] = _logaddexp(found[label], logprob + value)
    return found


def _opens(text: str, word: str) -> bool:
    """Whether a token holds the whole word and more, such as its full stop."""
    return text.startswith(word) and not text[len(word) : len(word) + 1].isalpha()


def _alternatives(token: Any) -> list[tuple[str, float]]:
    """Text and log-probability of what could stand at a position, the token of the reply first."""
    rest: Iterable[Any] = token.top_logprobs if token.top_logprobs is not None else ()
    listed = [token, *(other for other in rest if other.token != token.token)]
    if not all(_is_logprob(one.logprob) for one in listed):
        raise ValueError("a log-probability that is none")
    return [(str(one.token), float(one.logprob)) for one in listed]


def _is_logprob(value: Any) -> bool:
    """Whether a server's value is one: a finite number, above 0 by rounding alone."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -1e6 < value < 0.01


def _logaddexp(a: float, b: float) -> float:
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
