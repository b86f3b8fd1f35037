"""Label scoring equals one forward pass per label, in value and in gradient, whatever the padding and the labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from emotrain.emotions import LABEL_SETS
from emotrain.modeling.label_scoring import label_logits, label_mass
from emotrain.modeling.label_tokens import LabelTokens, encode_labels
from emotrain.modeling.lora import lora_config
from emotrain.modeling.tiny import VisionLanguageModel, random_tiny

Prompts = Callable[..., dict[str, Tensor]]

AWKWARD = ("anger", "anger and fear", "anger and disgust", "an", "x", "helplessness, a long answer of many tokens")
"""Labels of different lengths, with shared first tokens, one the prefix of another."""


@pytest.fixture(scope="module")
def labels(tiny: VisionLanguageModel) -> LabelTokens:
    return encode_labels(tiny.processor.tokenizer, AWKWARD, "<|im_end|>")


def separate_passes(model: torch.nn.Module, batch: dict[str, Tensor], labels: LabelTokens) -> Tensor:
    """The reference: row by row without padding, label by label, the model making its own masks and positions."""
    starts = torch.cat([torch.zeros(1, dtype=torch.long), _images(batch).cumsum(0)])
    rows = []
    for row in range(batch["input_ids"].shape[0]):
        prompt = batch["input_ids"][row][batch["attention_mask"][row].bool()]
        frames = slice(int(starts[row]), int(starts[row + 1]))
        patches = batch["image_grid_thw"].prod(-1).cumsum(0).tolist()
        pixels = slice(([0, *patches])[frames.start], ([0, *patches])[frames.stop])
        scores = []
        for tokens in labels.tokens:
            ids = torch.cat([prompt, torch.tensor(tokens)])[None]
            out = (
                model(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    pixel_values=batch["pixel_values"][pixels],
                    image_grid_thw=batch["image_grid_thw"][frames],
                    mm_token_type_ids=(ids == model.config.image_token_id).long(),
                )
                .logits.float()
                .log_softmax(-1)
            )
            scores.append(sum(out[0, len(prompt) - 1 + j, token] for j, token in enumerate(tokens)))
        rows.append(torch.stack(scores))
    return torch.stack(rows)


def _images(batch: dict[str, Tensor]) -> Tensor:
    # Rows hold 9 visual tokens an image: one merged 3 x 3 grid.
    return batch["mm_token_type_ids"].sum(-1) // 9


@pytest.mark.parametrize("padding_side", ["left", "right"])
@pytest.mark.parametrize("attention", ["packed", "cached"])
def test_equals_one_pass_per_label(
    tiny: VisionLanguageModel, prompts: Prompts, labels: LabelTokens, attention: str, padding_side: str
) -> None:
    tiny.processor.tokenizer.padding_side = padding_side
    batch = prompts((2, 1, 3))
    tiny.processor.tokenizer.padding_side = "left"
    assert not batch["attention_mask"].all(), "the test is about padding"
    with torch.no_grad():
        expected = separate_passes(tiny.model, batch, labels)
        assert (label_logits(tiny.model, batch, labels, attention) - expected).abs().max() < 1e-4


def test_eager_attention_gives_the_same(prompts: Prompts, tiny: VisionLanguageModel, labels: LabelTokens) -> None:
    batch = prompts()
    with torch.no_grad():
        expected = label_logits(tiny.model, batch, labels)
        tiny.model.set_attn_implementation("eager")
        try:
            actual = label_logits(tiny.model, batch, labels, "packed")
        finally:
            tiny.model.set_attn_implementation("sdpa")
    assert (actual - expected).abs().max() < 1e-4


@pytest.mark.parametrize("attention", ["packed", "cached"])
def test_gradients_equal_those_of_separate_passes(prompts: Prompts, attention: str) -> None:
    tiny = random_tiny(seed=2)
    batch, labels = prompts((1, 2), tiny.processor), encode_labels(tiny.processor.tokenizer, AWKWARD, "<|im_end|>")
    weight = torch.linspace(-1, 1, 2 * len(AWKWARD)).view(2, -1)
    parameters = list(tiny.model.parameters())
    (separate_passes(tiny.model, batch, labels).log_softmax(-1) * weight).sum().backward()
    expected = [p.grad.clone() for p in parameters]
    tiny.model.zero_grad()
    (label_logits(tiny.model, batch, labels, attention).log_softmax(-1) * weight).sum().backward()
    assert max(float(g.abs().max()) for g in expected) > 1e-2
    for gradient, parameter in zip(expected, parameters):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-5)


def test_permuting_labels_permutes_logits(tiny: VisionLanguageModel, prompts: Prompts, labels: LabelTokens) -> None:
    order = [3, 0, 5, 1, 4, 2]
    shuffled = LabelTokens(*(tuple(part[i] for i in order) for part in (labels.labels, labels.tokens)))
    batch = prompts()
    with torch.no_grad():
        plain, permuted = label_logits(tiny.model, batch, labels), label_logits(tiny.model, batch, shuffled)
    torch.testing.assert_close(permuted, plain[:, order])


def test_adding_labels_leaves_the_others_alone(
    tiny: VisionLanguageModel, prompts: Prompts, labels: LabelTokens
) -> None:
    batch, few = prompts(), LabelTokens(labels.labels[:2], labels.tokens[:2])
    with torch.no_grad():
        torch.testing.assert_close(label_logits(tiny.model, batch, few), label_logits(tiny.model, batch, labels)[:, :2])


def test_total_probability_is_at_most_one(tiny: VisionLanguageModel, prompts: Prompts) -> None:
    """All words behind one first word hold that word's probability together, less the special tokens'."""
    tokenizer, batch = tiny.processor.tokenizer, prompts((1, 1))
    words = [token for token in range(len(tokenizer)) if token not in tokenizer.all_special_ids]
    labels = LabelTokens(tuple(str(word) for word in words), tuple((words[0], word) for word in words))
    with torch.no_grad():
        mass = label_mass(label_logits(tiny.model, batch, labels))
        first = tiny.model(**batch).logits[:, -1].log_softmax(-1)[:, words[0]]
    assert (mass < first).all()
    assert (mass > first - 0.1).all()


def test_position_ids_of_the_batch_are_used(tiny: VisionLanguageModel, prompts: Prompts, labels: LabelTokens) -> None:
    from emotrain.modeling.label_tree import prompt_positions

    batch = prompts()
    ahead = {**batch, "position_ids": prompt_positions(tiny.model, batch)}
    stretched = {**batch, "position_ids": ahead["position_ids"] * 2}
    with torch.no_grad():
        plain = label_logits(tiny.model, batch, labels)
        torch.testing.assert_close(label_logits(tiny.model, ahead, labels), plain)
        assert (label_logits(tiny.model, stretched, labels) - plain).abs().max() > 1e-5


def test_lora_trains_through_it_with_gradient_checkpointing(prompts: Prompts) -> None:
    from peft import get_peft_model

    tiny = random_tiny(seed=4)
    labels = encode_labels(tiny.processor.tokenizer, LABEL_SETS["mafw"].labels, "<|im_end|>")
    batch = prompts((1, 2), tiny.processor)
    with torch.no_grad():
        bare = label_logits(tiny.model, batch, labels)
    model = get_peft_model(tiny.model, lora_config(tiny.model, r=4))
    gradients = []
    for checkpointing in (False, True):
        if checkpointing:
            tiny.model.gradient_checkpointing_enable()
            model.enable_input_require_grads()
        model.train()
        model.zero_grad()
        logits = label_logits(model, batch, labels)
        torch.testing.assert_close(logits.detach(), bare)
        (-logits.log_softmax(-1)[:, 0]).sum().backward()
        gradients.append([p.grad.clone() for p in model.parameters() if p.requires_grad])
    assert max(float(g.abs().max()) for g in gradients[0]) > 1e-4
    for plain, checkpointed in zip(*gradients):
        torch.testing.assert_close(checkpointed, plain, rtol=1e-4, atol=1e-6)


def test_cached_says_why_gradient_checkpointing_stops_it(prompts: Prompts) -> None:
    tiny = random_tiny(seed=5)
    labels = encode_labels(tiny.processor.tokenizer, ("anger", "fear"), "<|im_end|>")
    tiny.model.gradient_checkpointing_enable()
    tiny.model.train()
    with pytest.raises(ValueError, match="gradient checkpointing turns it off"):
        label_logits(tiny.model, prompts((1,), tiny.processor), labels, "cached")


def test_a_row_of_padding_is_named(tiny: VisionLanguageModel, prompts: Prompts, labels: LabelTokens) -> None:
    batch = prompts((1, 1))
    batch["attention_mask"] = batch["attention_mask"].clone()
    batch["attention_mask"][1] = 0
    with pytest.raises(ValueError, match=r"rows \[1\]"):
        label_logits(tiny.model, batch, labels)


def test_goes_through_a_data_parallel_wrapper(prompts: Prompts, tmp_path: Path) -> None:
    """The pass runs inside DistributedDataParallel's own forward, so its gradient hooks fire."""
    tiny = random_tiny(seed=6)
    labels = encode_labels(tiny.processor.tokenizer, ("anger", "fear"), "<|im_end|>")
    batch = prompts((1, 2), tiny.processor)
    with torch.no_grad():
        expected = label_logits(tiny.model, batch, labels)
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        reduced = []
        model = torch.nn.parallel.DistributedDataParallel(tiny.model)
        model.register_comm_hook(None, lambda _, bucket: _count(reduced, bucket))
        logits = label_logits(model, batch, labels)
        logits.sum().backward()
    finally:
        torch.distributed.destroy_process_group()
    torch.testing.assert_close(logits.detach(), expected)
    assert sum(reduced) == sum(p.numel() for p in tiny.model.parameters())


def _count(reduced: list[int], bucket: torch.distributed.GradBucket) -> torch.futures.Future[Tensor]:
    reduced.append(bucket.buffer().numel())
    done: torch.futures.Future[Tensor] = torch.futures.Future()
    done.set_result(bucket.buffer())
    return done
