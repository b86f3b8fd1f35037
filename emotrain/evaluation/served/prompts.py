"""A clip as a question to a served model: the recipe's own prompt, behind solved examples where they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emotrain.context.inline_pictures import with_pictures
from emotrain.emotions import label_set
from emotrain.examples.base_model import load_own_processor
from emotrain.examples.examples import Examples
from emotrain.examples.manifests import usable_clips
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip
from emotrain.stable_hash import stable_hash


@dataclass(frozen=True, slots=True)
class Prompts:
    """The chats of clips. `shown` are the solved examples, the same for every clip, so that a server may keep them."""

    examples: Examples
    shown: tuple[Clip, ...] = ()

    def chat(self, clip_id: str, answer: str | None = None) -> list[dict[str, Any]]:
        """The chat that asks about a clip, its pictures inline; with an `answer`, that stands in the assistant's mouth.

        The pictures have their stored size; what the server makes of them is its own.
        """
        messages: list[dict[str, Any]] = []
        for clip in self.shown:
            messages += self._turn(clip.clip_id)
            messages.append({"role": "assistant", "content": self.name(clip.label)})
        messages += self._turn(clip_id)
        return messages if answer is None else [*messages, {"role": "assistant", "content": answer}]

    def name(self, label: str) -> str:
        """What the prompt calls a label."""
        return self.examples.names[self.examples.labels.index(label)]

    def _turn(self, clip_id: str) -> list[dict[str, Any]]:
        return with_pictures(*self.examples.messages(clip_id))


def prompts_of(recipe: Recipe, shots: int) -> Prompts:
    """The prompts of a recipe with `shots` examples of every class from its training part."""
    labels = label_set(recipe.data.label_set).labels
    examples = Examples(recipe.data, recipe.context, labels)
    if examples.controls.needs_tokenizer:
        examples.tokenizer = load_own_processor(recipe).tokenizer
    train = usable_clips(recipe, "train")[0] if shots else []
    return Prompts(examples, balanced_shots(train, labels, shots, recipe.sft.seed))


def balanced_shots(clips: Sequence[Clip], labels: Sequence[str], shots: int, seed: int) -> tuple[Clip, ...]:
    """`shots` clips of every label in an order that mixes them; which and in what order hangs on the seed alone.

    Raises ValueError for a label with fewer clips.
    """
    chosen: list[Clip] = []
    for label in labels if shots else ():
        own = [clip for clip in clips if clip.label == label]
        if len(own) < shots:
            raise ValueError(f"server: shots: {shots}, but the training part has {len(own)} clip(s) of {label}")
        chosen += sorted(own, key=lambda clip: stable_hash(f"{seed}/shot/{clip.clip_id}"))[:shots]
    return tuple(sorted(chosen, key=lambda clip: stable_hash(f"{seed}/order/{clip.clip_id}")))
