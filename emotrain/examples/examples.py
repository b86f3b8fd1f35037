"""From a clip to what the model reads: keyframes, summaries and question as one batch of tensors.

Runs inside dataloader workers, so stores are opened where they are used and never travel between processes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from emotrain.balance.drawable import quarantined_ids
from emotrain.context.budget import text_tokens
from emotrain.context.carriers import CARRIERS, carried
from emotrain.context.controls import controlled
from emotrain.context.donors import Donors, Lender
from emotrain.context.option_order import option_order
from emotrain.context.prompt import build_messages
from emotrain.context.summarize import StoredSummaries, summaries_folder
from emotrain.context.training_faults import with_faults
from emotrain.context.views import STORED, View, augmentation, view_of
from emotrain.datasets.clips import read_index
from emotrain.emotions import display_names
from emotrain.examples.redraw import redrawn
from emotrain.examples.summaries import summaries_name
from emotrain.examples.targets import target_of
from emotrain.examples.vision_embeddings import Features
from emotrain.modeling.chats import encode_chats
from emotrain.modeling.image_features import with_features
from emotrain.modeling.prompt_layout import PromptLayout
from emotrain.pictures import picture_of
from emotrain.recipe.arguments import ContextArguments, DataArguments
from emotrain.records import Frame, Split, Summary
from emotrain.video.frame_store import FrameStore


class Examples:
    """Looks up a clip's keyframes and summaries in a data folder and lays them out as chat messages.

    Clips that are elsewhere have a subclass with `keyframes` and `made_summaries` of its own.
    `tokenizer` is needed by controls that count tokens only; a Collator gives its own.
    """

    def __init__(
        self, data: DataArguments, context: ContextArguments, labels: Sequence[str], tokenizer: Any = None
    ) -> None:
        self.folder = Path(data.data)
        self.labels = tuple(labels)
        self.names = display_names(self.labels, context.language)
        self.fold = data.fold
        self.augmentation = augmentation(data.augment)
        self.redraws, self.count, self.frame_seed = data.redraw_keyframes, data.keyframes, data.frame_seed
        self.context = context
        self.prompt = context.prompt_settings()
        self.controls = context.controls()
        self.carrier = CARRIERS[context.carrier]
        self.faults = context.training_faults()
        self.shuffle_options = context.option_order == "shuffled"
        self.seed = context.context_seed
        self.tokenizer = tokenizer
        self._frames: FrameStore | None = None
        self._summaries: StoredSummaries | None = None
        self._donors: Donors | None = None
        self._wordless: frozenset[str] = frozenset()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_frames": None, "_summaries": None, "_donors": None}

    def keyframes(self, clip_id: str) -> list[Frame]:
        """The clip's stored keyframes in time order."""
        return self._store().keyframes(clip_id)

    def summaries(
        self, clip_id: str, epoch: int | None = None, draw: int | None = None, view: View = STORED
    ) -> Sequence[Summary]:
        """The clip's gap summaries in time order, as the recipe's controls want them told.

        Empty when the arm has no context or the clip was quarantined. With an `epoch`, of the keyframes drawn for it;
        with a `draw`, the place of a training draw, with the faults that the recipe puts into some; with its `view`.
        """
        if self.prompt.context == "none":
            return ()

        def told(of: str) -> Sequence[Summary]:
            anew = epoch is not None or view.phase is not None
            return view.told(
                self._redrawn(of, epoch, view.phase)[1] if anew else self.carrier.word(self.made_summaries(of))
            )

        def another() -> Sequence[Summary]:
            donors = self._lenders()
            return told(clip_id if donors is None else donors.donor(clip_id, "any"))

        def faulty(of: str) -> Sequence[Summary]:
            if draw is None or of != clip_id:
                return told(of)
            return with_faults(told(of), self.faults, draw, other=another, language=self.prompt.language)

        return controlled(
            clip_id,
            faulty,
            self.controls,
            donors=self._lenders(),
            count_tokens=self._count_tokens,
            language=self.prompt.language,
        )

    def _store(self) -> FrameStore:
        if self._frames is None:
            self._frames = FrameStore(self.folder / "frames")
        return self._frames

    def _redrawn(self, clip_id: str, epoch: int | None, phase: float | None) -> tuple[list[Frame], list[Summary]]:
        frames = self._store().frames(clip_id)
        stored = () if self.prompt.context == "none" else self.carrier.word(self.made_summaries(clip_id))
        drawn: dict[str, Any] = {"seed": self.frame_seed, "epoch": epoch or 0, "phase": phase}
        return redrawn(frames, stored, self.count, **drawn, language=self.prompt.language)

    def frames(self, clip_id: str) -> list[Frame]:
        """All stored frames of the clip in time order."""
        return self._store().frames(clip_id)

    def made_summaries(self, clip_id: str) -> Sequence[Summary]:
        """The clip's summaries as they were made, before any control; empty when the summariser could not read it."""
        if self._summaries is None:
            name = summaries_name(self.folder, self.context)
            self._summaries = StoredSummaries(self.folder, name)
            self._wordless = quarantined_ids(summaries_folder(self.folder, name))
        found = self._summaries.of(clip_id)
        if found is None and clip_id not in self._wordless:
            raise ValueError(
                f"{self.folder}/summaries ({self.context.summarizer}): clip {clip_id!r} has neither a summary nor an "
                "entry in a quarantine file; finish data_prep/summarize_frames.py"
            )
        return found or ()

    def _lenders(self) -> Donors | None:
        if (self.controls.needs_donors or self.faults.noise > 0) and self._donors is None:
            index = read_index(self.folder)
            splits: tuple[Split, ...] = ("train", "validation", "test")
            lenders = [
                Lender(clip.clip_id, clip.label, split)
                for split in splits
                for clip in index.select(split, self.fold)
                if self.made_summaries(clip.clip_id)
            ]
            self._donors = Donors(lenders, self.controls.seed)
        return self._donors

    def _count_tokens(self, text: str) -> int:
        if self.tokenizer is None:
            raise ValueError("Examples: the recipe's controls count tokens; pass the processor's tokenizer")
        return text_tokens(self.tokenizer, text)

    def messages(
        self,
        clip_id: str,
        order: Sequence[int] | None = None,
        epoch: int | None = None,
        draw: int | None = None,
        view: View = STORED,
    ) -> tuple[list[dict[str, Any]], list[Frame]]:
        """The chat messages of a clip and the frames that they show, in the order of their placeholders.

        `order` permutes the options that the question names; None keeps the order of the label set. `epoch` is that of
        a training draw; keyframes are drawn anew for it where the recipe says so. `draw` is its place in the manifest,
        by which the faults of its summaries are chosen. `view` moves keyframes and mirrors words, and no pixel.
        """
        anew = epoch if self.redraws else None
        stored = anew is None and view.phase is None
        frames = self.keyframes(clip_id) if stored else self._redrawn(clip_id, anew, view.phase)[0]
        told = self.summaries(clip_id, anew, draw, view)
        frames, told = carried(self.carrier, frames, told, lambda: self.frames(clip_id))
        messages = build_messages(frames, told, self.names, self.prompt, order)
        return messages, frames if self.prompt.images else []


class Collator:
    """Rows of `clip_id` (and `label`, `weight` when training) in, one left-padded batch out.

    Adds `target` (B,) int64, the label's position in the label set, or (B, C) float32, the shares of its votes where
    the rows have them (see targets.py), and `weight` (B,) float32. Rows of a manifest also have `draw`, their place in
    it, by which shuffled options are seeded, and `epoch`, by which keyframes are redrawn.

    With `embeddings` a batch has the features of its keyframes (modeling/image_features.py) in place of their pixels.
    With a `layout` it has all that the device would otherwise be asked for (modeling/prompt_layout.py).
    """

    def __init__(
        self,
        examples: Examples,
        processor: Any,
        embeddings: Features | None = None,
        layout: PromptLayout | None = None,
    ) -> None:
        self.examples = examples
        self.processor = processor
        self.embeddings = embeddings
        self.layout = layout
        if examples.tokenizer is None:
            examples.tokenizer = processor.tokenizer

    def with_layout(self, layout: PromptLayout) -> Collator:
        """The same collator with batches laid out for a model."""
        return Collator(self.examples, self.processor, self.embeddings, layout)

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        examples = self.examples
        orders = [
            option_order(len(examples.labels), f"{examples.seed}/{row['draw']}") if examples.shuffle_options else None
            for row in rows
        ]
        batch = self.inputs(
            [row["clip_id"] for row in rows],
            orders,
            [row.get("epoch") for row in rows],
            [row.get("draw") for row in rows],
        )
        batch["target"] = target_of(rows, examples.labels)
        batch["weight"] = torch.tensor([row["weight"] for row in rows], dtype=torch.float32)
        return batch

    def inputs(
        self,
        clip_ids: Sequence[str],
        orders: Sequence[Sequence[int] | None] | None = None,
        epochs: Sequence[int | None] | None = None,
        draws: Sequence[int | None] | None = None,
        view: View | None = None,
    ) -> dict[str, Any]:
        """The model's own inputs for these clips, prompts ending with the generation prompt.

        `orders` permutes the options of each clip; None keeps the order of the label set. `epochs` and `draws` are
        those of training draws (see `Examples.messages`); `view` shows all of these clips so, in place of their draws'.
        """
        kept = orders if orders is not None else [None] * len(clip_ids)
        drawn = epochs if epochs is not None else [None] * len(clip_ids)
        places = draws if draws is not None else [None] * len(clip_ids)
        views = [view if view is not None else view_of(draw, self.examples.augmentation) for draw in places]
        chats = [self.examples.messages(*asked) for asked in zip(clip_ids, kept, drawn, places, views, strict=True)]
        images = [[seen.picture(picture(frame)) for frame in shown] for seen, (_, shown) in zip(views, chats)]
        texts, with_images = [messages for messages, _ in chats], self.examples.prompt.images
        batch: dict[str, Any] = encode_chats(self.processor, texts, images if with_images else None)
        if self.embeddings is not None:
            # The pixels were needed all the same: processors count the placeholders of an image by them.
            features = [self.embeddings.of(clip_id, chat[1]) for clip_id, chat in zip(clip_ids, chats)]
            batch = with_features(batch, features)
        return batch if self.layout is None else self.layout(batch)


def picture(frame: Frame) -> Image.Image:
    """A stored frame as an RGB image."""
    return picture_of(frame.image)
