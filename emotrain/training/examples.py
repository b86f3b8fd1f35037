"""From a clip to what the model reads: keyframes, summaries and question as one batch of tensors.

Runs inside dataloader workers, so stores are opened where they are used and never travel between processes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from emotrain.balance.drawable import quarantined_ids
from emotrain.context.prompt import PromptSettings, build_messages
from emotrain.context.summarize import load_summaries, summaries_folder
from emotrain.records import Frame, Summary
from emotrain.training.arguments import ContextArguments, DataArguments
from emotrain.video.frame_store import FrameStore


class Examples:
    """Looks up a clip's keyframes and summaries and lays them out as chat messages."""

    def __init__(self, data: DataArguments, context: ContextArguments, labels: Sequence[str]) -> None:
        self.folder = Path(data.data)
        self.labels = tuple(labels)
        self.summarizer = context.summarizer
        self.prompt = PromptSettings(context=context.context)  # type: ignore[arg-type]
        self._frames: FrameStore | None = None
        self._summaries: Mapping[str, Sequence[Summary]] | None = None
        self._wordless: frozenset[str] = frozenset()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_frames": None, "_summaries": None}

    def keyframes(self, clip_id: str) -> list[Frame]:
        """The clip's keyframes in time order."""
        if self._frames is None:
            self._frames = FrameStore(self.folder / "frames")
        return self._frames.keyframes(clip_id)

    def summaries(self, clip_id: str) -> Sequence[Summary]:
        """The clip's gap summaries in time order; empty when the arm has no context or the clip was quarantined."""
        if self.prompt.context == "none":
            return ()
        if self._summaries is None:
            self._summaries = load_summaries(self.folder, self.summarizer)
            self._wordless = quarantined_ids(summaries_folder(self.folder, self.summarizer))
        if clip_id not in self._summaries and clip_id not in self._wordless:
            raise ValueError(
                f"{self.folder}/summaries ({self.summarizer}): clip {clip_id!r} has neither a summary nor an entry in "
                "a quarantine file; finish data_prep/summarize_frames.py"
            )
        return self._summaries.get(clip_id, ())

    def messages(self, clip_id: str) -> tuple[list[dict[str, Any]], list[Image.Image]]:
        """The chat messages of a clip and its images (RGB), in the order of their placeholders."""
        frames = self.keyframes(clip_id)
        messages = build_messages(frames, self.summaries(clip_id), self.labels, self.prompt)
        return messages, [Image.open(io.BytesIO(frame.image)).convert("RGB") for frame in frames]


class Collator:
    """Rows of `clip_id` (and `label`, `weight` when training) in, one left-padded batch out.

    Adds `target` (B,) int64, the label's position in the label set, and `weight` (B,) float32.
    """

    def __init__(self, examples: Examples, processor: Any) -> None:
        self.examples = examples
        self.processor = processor

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        batch = self.inputs([row["clip_id"] for row in rows])
        labels = self.examples.labels
        batch["target"] = torch.tensor([_position(row, labels) for row in rows])
        batch["weight"] = torch.tensor([row["weight"] for row in rows], dtype=torch.float32)
        return batch

    def inputs(self, clip_ids: Sequence[str]) -> dict[str, torch.Tensor]:
        """The model's own inputs for these clips, prompts ending with the generation prompt."""
        chats = [self.examples.messages(clip_id) for clip_id in clip_ids]
        texts = [
            self.processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            for messages, _ in chats
        ]
        images = [pictures for _, pictures in chats]
        return dict(self.processor(text=texts, images=images, padding=True, padding_side="left", return_tensors="pt"))


def _position(row: Mapping[str, Any], labels: Sequence[str]) -> int:
    if row["label"] not in labels:
        raise ValueError(
            f"clip {row['clip_id']!r} has the label {row['label']!r}, which is not in the label set "
            f"({', '.join(labels)}); set label_set in the recipe or index the data again"
        )
    return labels.index(row["label"])
