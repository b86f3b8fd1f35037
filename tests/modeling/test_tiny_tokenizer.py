"""The tiny tokenizer has Qwen's special tokens, one token a word of the project's vocabulary, and loses no text."""

from __future__ import annotations

import pytest

from emotrain.context.facs_words import PHRASES
from emotrain.emotions import LABEL_SETS
from emotrain.modeling.tiny_lessons import lesson_texts
from emotrain.modeling.tiny_tokenizer import SPECIAL_TOKENS, train_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> object:
    return train_tokenizer(lesson_texts())


def test_words_labels_and_special_tokens_are_single_tokens(tokenizer) -> None:  # type: ignore[no-untyped-def]
    words = {word for phrase in PHRASES.values() for word in phrase.split()}
    words |= {label for labels in LABEL_SETS.values() for label in labels.labels}
    for word in words:
        assert len(tokenizer.encode(word)) == 1, word
        assert len(tokenizer.encode(f" {word}")) == 1, word
    for token in SPECIAL_TOKENS:
        assert len(tokenizer.encode(token)) == 1, token
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")


def test_times_are_read_digit_by_digit(tokenizer) -> None:  # type: ignore[no-untyped-def]
    assert [tokenizer.decode(token) for token in tokenizer.encode("0.53-1.87 s:")] == [*"0.53-1.87", " s", ":"]


def test_any_text_survives(tokenizer) -> None:  # type: ignore[no-untyped-def]
    text = "Überrascht? 惊讶! 0.25 s\n<|im_start|>assistant"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_training_is_a_function_of_the_words() -> None:
    texts = lesson_texts()
    assert train_tokenizer(texts).get_vocab() == train_tokenizer(reversed([*texts, *texts])).get_vocab()


def test_too_small_a_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match="raise the limit"):
        train_tokenizer(lesson_texts(), limit=300)
