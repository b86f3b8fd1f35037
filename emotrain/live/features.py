"""What the vision side made of keyframes, kept while they are in a window: only the newest passes through it again.

A vision side that sees the images of a prompt together (LLaVA-OneVision) cannot be asked for one of them. So the first
window is asked both ways, and where the answers differ by more than rounding nothing is reused.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import torch
from torch import Tensor

from emotrain.examples.examples import picture
from emotrain.modeling.chats import encode_chats
from emotrain.modeling.image_features import image_features
from emotrain.modeling.in_batches import on_device
from emotrain.modeling.prompt_layout import layout_of
from emotrain.records import Frame

KEPT = 256
"""Keyframes whose features are kept, of all streams together; the one used longest ago is given up."""

ROUNDING = 2e-2
"""Largest difference between an image alone and among others, as a share of the largest feature, that is rounding: half
precision has no more than three digits."""

_ASK = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "?"}]}]


@dataclass
class KeyframeFeatures:
    """In place of stored embeddings for `Recogniser.read`: `of` gives a window's features, `computed` counts passes.

    `apart` is the largest difference that was found, as a share of the largest feature; None before the first window.
    """

    model: Any
    processor: Any
    computed: int = 0
    reused: int = 0
    apart: float | None = None
    _kept: OrderedDict[bytes, Tensor] = field(default_factory=OrderedDict)

    def usable(self, frames: Sequence[Frame]) -> bool:
        """Whether images of this model can be asked for one by one; tried on the first window of two keyframes."""
        if self.apart is None and len(frames) > 1:
            together = self._pass(frames[:2])
            alone = torch.cat([self._pass([frame]) for frame in frames[:2]], dim=1)
            same = together.shape == alone.shape
            largest = float(together.abs().max())
            self.apart = float((together - alone).abs().max()) / max(largest, 1e-9) if same else float("inf")
        return self.apart is not None and self.apart <= ROUNDING

    def of(self, clip_id: str, frames: Sequence[Frame]) -> Tensor:
        """Features (F, T, D) of a window that shows these keyframes."""
        parts = []
        for frame in frames:
            key = blake2b(frame.image, digest_size=16).digest()
            found = self._kept.get(key)
            if found is None:
                found = self._kept[key] = self._pass([frame])
                self.computed += 1
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(key)
                self.reused += 1
            parts.append(found)
        return torch.cat(parts, dim=1)

    def _pass(self, frames: Sequence[Frame]) -> Tensor:
        asked = [{"role": "user", "content": [*([{"type": "image"}] * len(frames)), _ASK[0]["content"][1]]}]
        batch = encode_chats(self.processor, [asked], [[picture(frame) for frame in frames]])
        return image_features(self.model, on_device(self.model, layout_of(self.model)(batch)))


@dataclass
class WithReuse:
    """A recogniser that reads windows by the features that are kept, where its model allows that."""

    recogniser: Any
    features: KeyframeFeatures

    def read(self, clips: Sequence[Any]) -> list[Any]:
        """One reading a clip, as `Recogniser.read`."""
        usable = bool(self.recogniser.contract.prompt["images"]) and self.features.usable(clips[0].frames)
        readings: list[Any] = self.recogniser.read(clips, self.features if usable else None)
        return readings
