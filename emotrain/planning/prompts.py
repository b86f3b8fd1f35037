"""How many tokens a prompt has: counted by the model's own processor where it is on this machine, else estimated.

The estimate counts words, single digits and runs of punctuation, as byte-pair tokenizers cut English before they merge,
and adds a tenth for words that are cut further; with Qwen's vocabulary it is within a tenth on the prompts of this
project. An estimated label has two tokens and its end of turn.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from emotrain.modeling.chats import chat_text, encode_chats
from emotrain.modeling.label_tokens import processor_labels
from emotrain.planning.flops import ClipTokens
from emotrain.planning.frame_tokens import CHAT_TOKENS, FrameTokens, frame_tokens
from emotrain.planning.shapes import Shapes

Chat = Sequence[Mapping[str, Any]]
_PIECE = re.compile(r"[^\W\d_]+|\d|[^\w\s]+")
_CUT_FURTHER = 1.1
_ESTIMATED_LABEL_TOKENS = 2


class Counter(Protocol):
    """Counts the tokens of chats whose images are stored frames of one size."""

    @property
    def assumption(self) -> str | None:
        """What is estimated, in words; None where everything is counted."""
        ...

    def count(self, chat: Chat) -> ClipTokens:
        """Tokens of one prompt, with the label tree behind it."""
        ...


@dataclass(frozen=True, slots=True)
class Estimated:
    """Counts without a tokenizer."""

    family: str
    frame: FrameTokens
    labels: int

    @property
    def assumption(self) -> str | None:
        return (
            "text tokens: estimated, for the tokenizer is not on this machine (words, digits and punctuation, plus a "
            f"tenth; {CHAT_TOKENS[self.family]} for the chat template, {_ESTIMATED_LABEL_TOKENS} a label)"
        )

    def count(self, chat: Chat) -> ClipTokens:
        """Tokens of one prompt, with the label tree behind it."""
        parts = [part for message in chat for part in message["content"]]
        images = sum(part["type"] == "image" for part in parts)
        pieces = sum(len(_PIECE.findall(part["text"])) for part in parts if part["type"] == "text")
        text = math.ceil(_CUT_FURTHER * pieces) + CHAT_TOKENS[self.family] + images * self.frame.marks
        tree = self.labels * _ESTIMATED_LABEL_TOKENS
        return ClipTokens(text, images * self.frame.visual, tree, tree + 1, self.frame.grids * images)


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts with the processor that training uses; every image costs what a blank frame of the size costs."""

    processor: Any
    frame: FrameTokens
    tree: int
    around_image: int
    begun: bool

    @property
    def assumption(self) -> str | None:
        return None

    def count(self, chat: Chat) -> ClipTokens:
        """Tokens of one prompt, with the label tree behind it."""
        images = sum(part["type"] == "image" for message in chat for part in message["content"])
        written = chat_text(self.processor, chat)
        ids = self.processor.tokenizer(written, add_special_tokens=not self.begun)["input_ids"]
        text = len(ids) + images * self.around_image
        return ClipTokens(text, images * self.frame.visual, self.tree, self.tree + 1, self.frame.grids * images)


def make_counter(
    shapes: Shapes,
    processor: Any,
    *,
    height: int,
    width: int,
    image_size: int | None,
    keyframes: int,
    labels: Sequence[str],
    names: Sequence[str],
) -> Counter:
    """A counter for stored frames of `height` x `width`; `processor` None means that it is not on this machine.

    `keyframes` is what a clip has, `names` are what prompts and answers call the `labels`.
    """
    if processor is None:
        return Estimated(shapes.family, frame_tokens(shapes, height, width, image_size), len(labels))
    from PIL import Image

    images = min(keyframes, 2)
    # As in real prompts, text stands before and behind every image: some tokenizers merge the breaks around it with
    # what is there. Several images, where clips have several: LLaVA-OneVision cuts up the only image of a prompt.
    said = {"type": "text", "text": "[0.25 s]"}
    chat = [{"role": "user", "content": [said, {"type": "image"}] * images + [said]}]
    batch = encode_chats(processor, [chat], [[Image.new("RGB", (width, height))] * images])
    ids = batch["input_ids"][0].tolist()
    image_id = _image_token_id(shapes.config)
    visual = ids.count(image_id)
    written = chat_text(processor, chat)
    begun = processor.tokenizer.bos_token is not None and written.startswith(processor.tokenizer.bos_token)
    plain = len(processor.tokenizer(written, add_special_tokens=not begun)["input_ids"])
    if not visual:
        raise ValueError(
            f"{shapes.name}: the processor gave no token {image_id} for an image; is its config the model's?"
        )
    tree, grids = processor_labels(processor, labels, names), _grids(shapes, batch)
    return Counted(
        processor=processor,
        frame=FrameTokens(visual // images, grids[: len(grids) // images], 0),
        tree=sum(len(tokens) - 1 for tokens in tree.tokens),
        # The template writes one placeholder an image, or a few marks; the processor widens that to the visual tokens.
        around_image=(len(ids) - plain - visual) // images,
        begun=begun,
    )


def _grids(shapes: Shapes, batch: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    """Rows and columns of patches of every tile in the batch."""
    if "image_grid_thw" in batch:
        return tuple((int(rows), int(columns)) for _, rows, columns in batch["image_grid_thw"].tolist())
    pixels = batch["pixel_values"]
    patch = shapes.config.vision_config.patch_size
    patch = int(patch) if isinstance(patch, int) else int(patch[0])
    tiles = math.prod(pixels.shape[:-3])
    return ((int(pixels.shape[-2]) // patch, int(pixels.shape[-1]) // patch),) * tiles


def _image_token_id(config: Any) -> int:
    for name in ("image_token_id", "image_token_index"):
        if getattr(config, name, None) is not None:
            return int(getattr(config, name))
    raise ValueError(f"{type(config).__name__} names no image token; this architecture is not known to plan")
