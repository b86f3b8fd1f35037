"""The token sequences of a label set: what the model would have to say to answer with each label.

A sequence ends with the end-of-turn token of the chat template. So a label that is a prefix of another stays comparable
with it, the probabilities of all answers sum to at most one, and a model trained on them stops after the label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emotrain.modeling.chats import chat_text

_MARK = "LABELGOESHERE"

MOST_TOKENS = 4096
"""Tokens of all labels together: the attention mask grows with their square, and they may be an adapter's to name."""


@dataclass(frozen=True, slots=True)
class LabelTokens:
    """Labels and, in the same order, the token ids of each; the last id of each is the end of the turn."""

    labels: tuple[str, ...]
    tokens: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class AnswerFrame:
    """What a chat template puts around the assistant's answer: `lead` before it, the token `end_of_turn` after it."""

    lead: str
    end_of_turn: str


def answer_frame(processor: Any) -> AnswerFrame:
    """Read off the chat template what stands between the generation prompt and the answer, and what ends the answer.

    `processor` is a processor or a tokenizer with a chat template. Raises ValueError when the template does not start
    an answer with its own generation prompt or does not end it with a special token of the tokenizer.
    """
    tokenizer = getattr(processor, "tokenizer", processor)
    as_parts = tokenizer is not processor
    question = [{"role": "user", "content": _content("?", as_parts)}]
    answer = [*question, {"role": "assistant", "content": _content(_MARK, as_parts)}]
    opened = chat_text(processor, question)
    closed = chat_text(processor, answer, generation=False)
    head, found, tail = closed.partition(_MARK)
    if not found or not head.startswith(opened.rstrip()):
        raise ValueError(
            f"chat template of {type(processor).__name__}: an assistant turn is rendered as {closed!r}, which does not "
            f"go on from the generation prompt {opened!r}; give the end-of-turn token to encode_labels yourself"
        )
    specials = {token for token in tokenizer.get_added_vocab() if tail.startswith(token)}
    if not specials:
        raise ValueError(
            f"chat template of {type(processor).__name__}: the answer is followed by {tail!r}, which does not start "
            "with a special token of the tokenizer; give the end-of-turn token to encode_labels yourself"
        )
    # A template may write other white space before an answer than at the end of its generation prompt; the prompt is
    # what the model is asked with, so that counts.
    lead = head.removeprefix(opened) if head.startswith(opened) else ""
    return AnswerFrame(lead, max(specials, key=len))


def encode_labels(
    tokenizer: Any, labels: Sequence[str], end_of_turn: str, lead: str = "", names: Sequence[str] | None = None
) -> LabelTokens:
    """Encode every label as `lead + name` followed by the token `end_of_turn`.

    `names` are what the answers call the labels (another language); None for the labels themselves.

    Raises ValueError when `end_of_turn` is no single token of the tokenizer, a label is empty, two labels have the same
    tokens (a lower-casing tokenizer, a label given twice), or all have more than MOST_TOKENS.
    """
    if not labels:
        raise ValueError("encode_labels: the label set is empty; expected at least one label")
    vocabulary = tokenizer.get_vocab()
    if end_of_turn not in vocabulary:
        raise ValueError(
            f"end-of-turn token {end_of_turn!r} is not in the vocabulary of {type(tokenizer).__name__}; "
            "answer_frame(processor) reads the right one off the chat template"
        )
    end = vocabulary[end_of_turn]
    seen: dict[tuple[int, ...], str] = {}
    for label, name in zip(labels, labels if names is None else names, strict=True):
        ids = (*tokenizer.encode(lead + name, add_special_tokens=False), end)
        if not name.strip() or len(ids) < 2:
            raise ValueError(f"label {label!r} has no tokens; expected a name such as 'anger'")
        if ids in seen:
            raise ValueError(f"labels {seen[ids]!r} and {label!r} have the same tokens {ids}; rename one of them")
        seen[ids] = label
    if (count := sum(map(len, seen))) > MOST_TOKENS:
        raise ValueError(
            f"the {len(labels)} labels have {count:,} tokens, and one pass reads at most {MOST_TOKENS:,} of them; name "
            "fewer labels or shorter ones (--label-set)"
        )
    return LabelTokens(tuple(labels), tuple(seen))


def processor_labels(processor: Any, labels: Sequence[str], names: Sequence[str] | None = None) -> LabelTokens:
    """`encode_labels` with the lead and the end-of-turn token of the processor's own chat template."""
    frame = answer_frame(processor)
    return encode_labels(processor.tokenizer, labels, frame.end_of_turn, frame.lead, names)


def _content(text: str, as_parts: bool) -> Any:
    # Processors take a list of typed parts, tokenizers a plain string.
    return [{"type": "text", "text": text}] if as_parts else text
