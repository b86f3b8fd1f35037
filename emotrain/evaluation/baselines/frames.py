"""Vision only, light: frozen embeddings of the keyframes, pooled over time, and a linear head.

The embeddings are those of the recipe's own vision tower, as its language model gets them: what is left of a VLM when
nothing is read. Each frame is the mean and the maximum of its visual tokens. Over time, learned queries attend to the
frames: an expression that lasts half a second is in one keyframe of eight, which a mean would thin to an eighth, while
a maximum takes each channel from another frame. Order is not seen; that is what `videomae` is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from emotrain.emotions import label_set
from emotrain.evaluation.baselines.vision import classify, fit_classifier
from emotrain.examples.base_model import check_device, load_base
from emotrain.examples.examples import Collator, Examples
from emotrain.examples.manifests import usable_clips
from emotrain.modeling.image_features import image_features
from emotrain.progress import track
from emotrain.recipe.arguments import ContextArguments
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip

WIDTH = 256
HEADS = 4


def frames(recipe: Recipe, clips: Sequence[Clip], folder: Path) -> npt.NDArray[np.float64]:
    """Label log-probabilities (N, C) of `clips`; training goes on from a checkpoint in `folder`."""
    check_device(recipe)
    seen = {clip.clip_id for split in ("train", "validation") for clip in usable_clips(recipe, split)[0]}
    embeddings = embed_frames(recipe, sorted(seen | {clip.clip_id for clip in clips}))
    inputs = Padded(embeddings)
    features = next(iter(embeddings.values())).shape[1]
    model = fit_classifier(
        recipe, lambda: FrameClassifier(features, len(label_set(recipe.data.label_set))), inputs, folder
    )
    return classify(recipe, model, inputs, [clip.clip_id for clip in clips])


class FrameClassifier(nn.Module):
    """(B, K, D) frame embeddings with their (B, K) mask to log-probabilities (B, C) float32."""

    def __init__(self, features: int, classes: int, width: int = WIDTH, heads: int = HEADS) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.LayerNorm(features), nn.Linear(features, width), nn.GELU())
        self.relevance = nn.Linear(width, heads)
        self.leave = nn.Linear(width * heads, classes)

    def forward(self, embeddings: Tensor, there: Tensor) -> Tensor:
        hidden = self.enter(embeddings)
        relevance = self.relevance(hidden).masked_fill(~there.unsqueeze(-1), -torch.inf)
        pooled = torch.einsum("bkh,bkw->bhw", relevance.softmax(1), hidden)
        return self.leave(pooled.flatten(1)).float().log_softmax(-1)


class Padded:
    """Looks embeddings up by clip id and pads them to the longest clip of the batch."""

    def __init__(self, embeddings: Mapping[str, Tensor]) -> None:
        self.embeddings = embeddings

    def __call__(self, clip_ids: Sequence[str]) -> dict[str, Tensor]:
        parts = [self.embeddings[clip_id].float() for clip_id in clip_ids]
        return {
            "embeddings": nn.utils.rnn.pad_sequence(parts, batch_first=True),
            "there": nn.utils.rnn.pad_sequence(
                [torch.ones(len(part), dtype=torch.bool) for part in parts], batch_first=True
            ),
        }


def embed_frames(recipe: Recipe, clip_ids: Sequence[str]) -> dict[str, Tensor]:
    """(K, 2 D) embeddings of each clip's keyframes on the CPU, each frame once; half precision on a GPU recipe.

    12,000 clips of 8 frames at D = 2048 take about 0.8 GB. Raises ValueError when the model does not give every frame
    as many tokens.
    """
    model, processor = load_base(recipe)
    if torch.cuda.is_available() and not recipe.sft.use_cpu:
        model = model.to("cuda")
    names = label_set(recipe.data.label_set).labels
    collator = Collator(Examples(recipe.data, ContextArguments(context="none"), names), processor)
    kept = torch.float32 if recipe.sft.use_cpu else torch.float16
    found = {}
    with track("embed frames", len(clip_ids)) as advance:
        for clip_id in clip_ids:
            frame_count = len(collator.examples.keyframes(clip_id))
            tokens = visual_tokens(model, collator.inputs([clip_id]), frame_count)
            found[clip_id] = torch.cat([tokens.mean(1), tokens.amax(1)], dim=1).to("cpu", kept)
            advance(1)
    return found


def visual_tokens(model: Any, batch: Mapping[str, Tensor], frame_count: int) -> Tensor:
    """(K, T, D) visual tokens of the K frames of a batch, as the language model reads them."""
    tokens = image_features(model, batch)[0]
    if len(tokens) % frame_count:
        raise ValueError(
            f"baseline frames: {len(tokens)} visual tokens for {frame_count} frames; set image_size in the recipe, so "
            "that every frame has as many"
        )
    return tokens.unflatten(0, (frame_count, -1)).float()
