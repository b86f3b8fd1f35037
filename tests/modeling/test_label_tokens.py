"""A label set is encoded with the end of the turn, and what cannot be told apart is refused."""

from __future__ import annotations

import pytest
import torch

from emotrain.emotions import LABEL_SETS
from emotrain.modeling.label_tokens import AnswerFrame, LabelTokens, answer_frame, encode_labels, processor_labels
from emotrain.modeling.label_tree import plant
from emotrain.modeling.tiny import VisionLanguageModel


def test_answer_frame_is_read_off_the_chat_template(tiny: VisionLanguageModel) -> None:
    assert answer_frame(tiny.processor) == AnswerFrame("", "<|im_end|>")
    assert answer_frame(tiny.processor.tokenizer) == AnswerFrame("", "<|im_end|>")


def test_answer_frame_keeps_the_space_before_the_answer(tiny: VisionLanguageModel) -> None:
    template = (
        "{% for m in messages %}{{ m['role'] }}:"
        "{% for p in m['content'] %} {{ p['text'] }}{% endfor %}<|vision_end|>\\n{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )
    kept, tiny.processor.chat_template = tiny.processor.chat_template, template
    try:
        assert answer_frame(tiny.processor) == AnswerFrame(" ", "<|vision_end|>")
    finally:
        tiny.processor.chat_template = kept


def test_every_label_ends_with_the_end_of_turn(tiny: VisionLanguageModel) -> None:
    labels = processor_labels(tiny.processor, LABEL_SETS["mafw"].labels)
    end = tiny.processor.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert labels.labels == LABEL_SETS["mafw"].labels
    for label, tokens in zip(labels.labels, labels.tokens):
        assert tokens[-1] == end
        assert tiny.processor.tokenizer.decode(tokens[:-1]) == label


@pytest.mark.parametrize(
    ("labels", "end", "message"),
    [
        (("anger", "anger"), "<|im_end|>", "same tokens"),
        ((), "<|im_end|>", "empty"),
        (("anger", " "), "<|im_end|>", "no tokens"),
        (("anger",), "<end_of_turn>", "not in the vocabulary"),
    ],
)
def test_bad_label_sets_are_refused(tiny: VisionLanguageModel, labels: tuple[str, ...], end: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode_labels(tiny.processor.tokenizer, labels, end)


def test_labels_without_end_are_refused_before_a_mask_is_made_of_them(tiny: VisionLanguageModel) -> None:
    labels = [f"label {number} {'x' * 80}" for number in range(1000)]
    with pytest.raises(ValueError, match=r"1000 labels have [\d,]+ tokens.*at most 4,096"):
        processor_labels(tiny.processor, labels)


def test_a_tree_planted_by_what_only_scores_can_be_trained_on_later() -> None:
    labels = LabelTokens(("one", "two"), ((1, 2, 9), (3, 9)))
    with torch.inference_mode():
        assert not plant(labels).token.is_inference()
    assert plant(labels) is plant(labels)
