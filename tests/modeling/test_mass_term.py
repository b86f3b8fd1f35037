"""The mass term keeps plain `generate` in step with label scoring: without it, training drains the label set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from emotrain.balance.losses import LossSettings, build_loss
from emotrain.context.facs_words import describe
from emotrain.context.prompt import PromptSettings, build_messages
from emotrain.emotions import LABEL_SETS
from emotrain.modeling.chats import encode_chats
from emotrain.modeling.label_scoring import label_logits, label_mass
from emotrain.modeling.label_tokens import processor_labels
from emotrain.modeling.loading import load_model, load_processor
from emotrain.modeling.lora import lora_config
from emotrain.records import Event, Frame, Summary
from emotrain.synthetic.action_units import sample_units, visible_units
from emotrain.synthetic.face import Face, Light, Pose
from emotrain.synthetic.identity import sample_identity

torch.set_num_threads(1)
LABELS = LABEL_SETS["dfew"].labels
TRAIN, TEST, STEPS, BATCH = 112, 140, 30, 14


@dataclass(frozen=True)
class Clip:
    messages: list[dict[str, Any]]
    images: list[Image.Image]
    label: str


@dataclass(frozen=True)
class Outcome:
    """Measured on clips that were not trained on: means over the clips."""

    agreement: float
    mass: float
    accuracy: float


def drawn_clips(count: int, seed: int) -> list[Clip]:
    """Clips of drawn faces: one keyframe at rest, one with the expression, a summary that misses two units in five."""
    rng = np.random.default_rng(seed)
    people = [Face(sample_identity(rng), 84) for _ in range(4)]
    clips = []
    for number in range(count):
        label = LABELS[number % len(LABELS)]
        units = sample_units(label, float(rng.uniform(0.5, 1.0)), rng)
        face = people[int(rng.integers(len(people)))]
        images = [Image.fromarray(face.render(shown, Pose(), Light())) for shown in (np.zeros_like(units), units)]
        told = tuple(unit for unit in visible_units(units) if rng.random() < 0.6)
        events = [Event(0.8, 1.0, 1.2, (), told, 8.0)] if told else []
        frames = [Frame("clip", k, 0.5 + k, "keyframe", None, b"") for k in range(2)]
        summaries = [Summary("clip", 1, 0.5, 1.5, describe(events), bool(events), "drawn")]
        clips.append(Clip(build_messages(frames, summaries, LABELS, PromptSettings()), images, label))
    return clips


def fine_tuned(mass_weight: float, train: list[Clip], test: list[Clip]) -> Outcome:
    """The shipped tiny base after a short LoRA training with the given weight of the mass term."""
    from peft import get_peft_model

    base, processor = load_model("tiny", "float32"), load_processor("tiny")
    labels = processor_labels(processor, LABELS)
    torch.manual_seed(0)
    model = get_peft_model(base, lora_config(base, r=16, alpha=32))
    loss = build_loss(LossSettings(mass_weight=mass_weight), dict.fromkeys(LABELS, 1))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    for step in range(STEPS):
        chosen = [train[i] for i in np.random.default_rng(step).permutation(len(train))[:BATCH]]
        target = torch.tensor([LABELS.index(clip.label) for clip in chosen])
        terms = loss(label_logits(model, encoded(processor, chosen), labels), target, step / STEPS)
        optimizer.zero_grad()
        terms.per_sample.mean().backward()
        optimizer.step()
    model.eval()
    agreed, right, masses = 0, 0, []
    with torch.no_grad():
        for start in range(0, len(test), 35):
            some = test[start : start + 35]
            batch = encoded(processor, some)
            scores = label_logits(model, batch, labels)
            masses.append(label_mass(scores).exp())
            written = model.generate(**batch, max_new_tokens=8, do_sample=False)[:, batch["input_ids"].shape[1] :]
            replies = processor.batch_decode(written, skip_special_tokens=True)
            best = [LABELS[index] for index in scores.argmax(-1)]
            agreed += sum(reply == label for reply, label in zip(replies, best))
            right += sum(clip.label == label for clip, label in zip(some, best))
    return Outcome(agreed / len(test), float(torch.cat(masses).mean()), right / len(test))


def encoded(processor: Any, clips: list[Clip]) -> dict[str, torch.Tensor]:
    return encode_chats(processor, [clip.messages for clip in clips], [clip.images for clip in clips])


@pytest.fixture(scope="module")
def outcomes() -> dict[float, Outcome]:
    train, test = drawn_clips(TRAIN, 1), drawn_clips(TEST, 2)
    return {weight: fine_tuned(weight, train, test) for weight in (1.0, 0.0)}


def test_both_losses_teach_the_labels(outcomes: dict[float, Outcome]) -> None:
    """The comparison below is between models that know their labels equally well."""
    assert all(outcome.accuracy > 0.7 for outcome in outcomes.values()), outcomes


def test_with_it_generate_says_the_label_that_scores_best(outcomes: dict[float, Outcome]) -> None:
    assert outcomes[1.0].agreement >= 0.99, outcomes
    assert outcomes[1.0].mass > 0.97, outcomes


def test_without_it_probability_leaves_the_label_set_and_generate_drifts(outcomes: dict[float, Outcome]) -> None:
    assert outcomes[0.0].mass < 0.9, outcomes
    assert outcomes[0.0].agreement < 0.99, outcomes
