"""What the tiny base can do, measured on people it has never seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from emotrain.emotions import LABEL_SETS
from emotrain.modeling.label_scoring import label_logits, label_mass
from emotrain.modeling.label_tokens import processor_labels
from emotrain.modeling.tiny_eyesight import Readouts, unit_correlations
from emotrain.modeling.tiny_lessons import ASKED, Lesson, draw_lesson
from emotrain.modeling.tiny_stills import EXAM_PEOPLE, Stills, render_stills
from emotrain.synthetic.styles import HELD_BACK, KNOWN

LESSONS, BATCH, ANSWER_TOKENS = 320, 32, 72


def examine(model: Any, processor: Any, readouts: Readouts, stills: Stills, seed: int) -> dict[str, float]:
    """Figures on unseen stills: unit correlations of the eyes, F1 of the answers, form of the emotion answers."""
    eyes = unit_correlations(model.model.visual, readouts, stills, processor.image_processor)
    figures = {"parameters": float(sum(p.numel() for p in model.parameters()))}
    figures |= {"correlation mean": float(np.mean(list(eyes.values())))}
    figures |= {f"correlation AU {name}": value for name, value in eyes.items()}
    figures |= answer_figures(model, processor, stills, np.random.default_rng([seed, 3]))
    return figures


def transfer_figures(model: Any, processor: Any, seed: int, people: int = 24) -> dict[str, float]:
    """F1 of the units named on people of the known styles and of the one that is held back from all schooling."""
    figures = {}
    for said, styles in (("known styles", KNOWN), ("held-back style", (HELD_BACK,))):
        stills = render_stills(seed, people, processor.image_processor, EXAM_PEOPLE.start, styles=styles)
        seen = answer_figures(model, processor, stills, np.random.default_rng([seed, 4]))
        figures[f"answer F1 seen, {said}"] = seen["answer F1 seen"]
    return figures


def answer_figures(
    model: Any, processor: Any, stills: Stills, rng: np.random.Generator, count: int = LESSONS
) -> dict[str, float]:
    """Generated answers against the truth, on lessons about `stills`, frames going through the processor.

    `answer F1` counts a unit's phrase as one item, over all lessons of a kind; `label mass` is the mean probability of
    the MAFW labels together when they are the options; `option entropy` that of their mean distribution, 1 for chance.
    """
    lessons = [draw_lesson(stills.units, rng) for _ in range(count)]
    replies = [reply for some in _batches(lessons) for reply in _generated(model, processor, some, stills)]
    by_kind = {kind: [(x, r) for x, r in zip(lessons, replies) if x.asked == kind] for kind in ASKED}
    figures = {f"answer F1 {kind}": unit_f1(by_kind[kind]) for kind in ("seen", "told")}
    figures["valid emotion answers"] = float(np.mean([r in x.options for x, r in by_kind["emotion"]]))
    labels = processor_labels(processor, LABEL_SETS["mafw"].labels)
    listed = [x for x in lessons if x.asked == "emotion" and x.options == labels.labels]
    with torch.no_grad():
        rows = [label_logits(model, prompts(some, processor, stills), labels) for some in _batches(listed)]
    logits = torch.cat(rows)
    mean = logits.softmax(-1).mean(0)
    figures["label mass"] = float(label_mass(logits).exp().mean())
    figures["option entropy"] = float(-(mean * mean.log()).sum() / np.log(len(labels)))
    return figures


def prompts(lessons: Sequence[Lesson], processor: Any, stills: Stills) -> dict[str, torch.Tensor]:
    """The processor's batch for the questions of some lessons, pictures and all."""
    from PIL import Image

    texts = [processor.apply_chat_template(x.messages, tokenize=False, add_generation_prompt=True) for x in lessons]
    images = [[Image.fromarray(stills.images[row]) for row in x.frames] for x in lessons]
    return dict(processor(text=texts, images=images, padding=True, return_tensors="pt"))


def _batches(lessons: Sequence[Lesson]) -> list[Sequence[Lesson]]:
    return [lessons[start : start + BATCH] for start in range(0, len(lessons), BATCH)]


def _generated(model: Any, processor: Any, lessons: Sequence[Lesson], stills: Stills) -> list[str]:
    batch = prompts(lessons, processor, stills)
    with torch.no_grad():
        out = model.generate(**batch, max_new_tokens=ANSWER_TOKENS, do_sample=False)
    return processor.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)


def unit_f1(pairs: Sequence[tuple[Lesson, str]]) -> float:
    """F1 of the phrases in replies against those in the true answers, pooled over (lesson, reply) pairs."""
    truth = [set(lesson.answer.rstrip(".").split(", ")) for lesson, _ in pairs]
    said = [set(reply.rstrip(".").split(", ")) for _, reply in pairs]
    hits = sum(len(a & b) for a, b in zip(truth, said))
    return 2 * hits / (sum(map(len, truth)) + sum(map(len, said)))
