"""Second stage of the tiny base: the language model takes lessons, its eyes already trained and now still.

Two losses: the answer (mean over its tokens); and two linear readouts of the action units (seen in the frames, told in
the text) from the hidden states at the last prompt token, where every answer begins. Whatever is trained on top later,
a label for one, finds the facts of the clip there. The readouts are thrown away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from emotrain.modeling.tiny_eyesight import frame_tokens, one_cycle
from emotrain.modeling.tiny_lessons import Lesson, draw_lesson
from emotrain.modeling.tiny_stills import Stills
from emotrain.progress import track
from emotrain.synthetic.action_units import AUS
from emotrain.synthetic.styles import for_fitting

BATCH, POOLED = 16, 8
UNIT_WEIGHT = 10.0
READ_LAYERS = 2
"""The units are read off the last layers' outputs, this many."""

_IGNORED = -100


@dataclass(frozen=True, slots=True)
class LessonBatch:
    """Left-padded model inputs, and what the model should make of them.

    `targets (B, L)` are the answers' tokens (-100 elsewhere), `start (B,)` where each answer is predicted from, `units
    (B, 38)` what was seen and told. `first (B, V)` is the distribution of an emotion answer's token, uniform over the
    options, which stands in for the label in `targets`; rows of other questions are zero.
    """

    inputs: dict[str, Any]
    targets: Tensor
    start: Tensor
    units: Tensor
    first: Tensor


def school(model: Any, processor: Any, stills: Stills, steps: int, seed: int, peak_rate: float = 3e-3) -> None:
    """Train the language model in place for `steps` batches of lessons on the stills; HeldBack as in train_eyesight."""
    for_fitting(*stills.styles)
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 2])
    tokens = all_frame_tokens(model, processor, stills)
    readouts = nn.ModuleList(nn.Linear(tokens.shape[-1], 2 * len(AUS)) for _ in range(READ_LAYERS))
    parameters = [*model.model.language_model.parameters(), *readouts.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=peak_rate, weight_decay=0.02, betas=(0.9, 0.98))
    model.train()
    with track("learn to answer", steps * BATCH, "lessons") as advance:
        for step, lessons in zip(range(steps), _drawn(stills, rng)):
            for group in optimiser.param_groups:
                group["lr"] = peak_rate * one_cycle(step / steps)
            batch = collate(lessons, processor, tokens)
            answer, units = _losses(model, readouts, batch)
            optimiser.zero_grad()
            (answer + UNIT_WEIGHT * units).backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            advance(BATCH)
    model.eval()


def all_frame_tokens(model: Any, processor: Any, stills: Stills) -> Tensor:
    """Merged tokens of every still, (N, tokens, width), computed once: the eyes do not change any more."""
    with torch.no_grad():
        images = torch.from_numpy(stills.images)
        return torch.cat(
            [frame_tokens(model.model.visual, some, processor.image_processor) for some in images.split(128)]
        )


def collate(lessons: Sequence[Lesson], processor: Any, tokens: Tensor) -> LessonBatch:
    """Lay lessons out as one left-padded batch whose frames come from `tokens (N, tokens, width)`."""
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    tokenizer, pad = processor.tokenizer, processor.image_token
    prompts = [processor.apply_chat_template(x.messages, tokenize=False, add_generation_prompt=True) for x in lessons]
    prompts = [prompt.replace(pad, pad * tokens.shape[1]) for prompt in prompts]
    answers = [tokenizer.encode(f"{x.answer}<|im_end|>", add_special_tokens=False) for x in lessons]
    rows = [tokenizer.encode(prompt, add_special_tokens=False) for prompt in prompts]
    length = max(len(row) + len(answer) for row, answer in zip(rows, answers))
    ids = torch.full((len(rows), length), tokenizer.pad_token_id)
    targets = torch.full_like(ids, _IGNORED)
    for i, (row, answer) in enumerate(zip(rows, answers)):
        ids[i, length - len(row) - len(answer) :] = torch.tensor(row + answer)
        targets[i, length - len(answer) :] = torch.tensor(answer)
    frames = [tokens[list(x.frames)] for x in lessons]
    images = torch.cat(frames)
    side = round(tokens.shape[1] ** 0.5) * processor.image_processor.merge_size
    inputs = {
        "input_ids": ids,
        "attention_mask": (ids != tokenizer.pad_token_id).long(),
        "mm_token_type_ids": (ids == processor.image_token_id).long(),
        "image_grid_thw": torch.tensor([[1, side, side]]).repeat(len(images), 1),
        "mm_encoder_outputs": {"image": BaseModelOutputWithPooling(pooler_output=tuple(images))},
    }
    units = torch.from_numpy(np.stack([np.concatenate([x.seen, x.told]) for x in lessons]))
    start = torch.tensor([length - len(answer) - 1 for answer in answers])
    first = torch.zeros(len(lessons), len(tokenizer))
    for i, lesson in enumerate(lessons):
        if lesson.asked == "emotion":
            # The tokenizer has one token for every label, see train_tokenizer.
            first[i, tokenizer.convert_tokens_to_ids(list(lesson.options))] = 1 / len(lesson.options)
            targets[i, start[i] + 1] = _IGNORED
    return LessonBatch(inputs, targets, start, units, first)


def _drawn(stills: Stills, rng: np.random.Generator) -> Iterator[list[Lesson]]:
    """Batches without end; lessons of about the same length go together, which saves half of the padding."""
    while True:
        pool = sorted((draw_lesson(stills.units, rng) for _ in range(POOLED * BATCH)), key=_length)
        for at in rng.permutation(POOLED):
            yield pool[at * BATCH : (at + 1) * BATCH]


def _length(lesson: Lesson) -> int:
    # In characters: a frame counts like the forty or so of its placeholders' worth of words.
    text = sum(len(part.get("text", "")) for part in lesson.messages[0]["content"])
    return text + 40 * len(lesson.frames) + len(lesson.answer)


def _losses(model: Any, readouts: nn.ModuleList, batch: LessonBatch) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the answer tokens, and mean square error of the units at the prompts' ends."""
    hidden = model.model(**batch.inputs, use_cache=False, output_hidden_states=True).hidden_states
    answered = (batch.targets[:, 1:] != _IGNORED).nonzero(as_tuple=True)
    logits = model.lm_head(hidden[-1][:, :-1][answered])
    tokens = functional.cross_entropy(logits, batch.targets[:, 1:][answered], reduction="none")
    # Every answer counts alike: a label has two tokens, a list of facial actions may have thirty.
    lengths = (batch.targets != _IGNORED).sum(1)
    rows = torch.arange(len(batch.start))
    label = -(batch.first * model.lm_head(hidden[-1][rows, batch.start]).log_softmax(-1)).sum()
    answer = ((tokens / lengths[answered[0]]).sum() + label) / len(lengths)
    read = [readout(states[rows, batch.start]) for readout, states in zip(readouts, hidden[-len(readouts) :])]
    return answer, sum(((r - batch.units).square().mean() for r in read), torch.zeros(())) / len(readouts)
