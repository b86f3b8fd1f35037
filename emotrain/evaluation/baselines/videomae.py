"""Vision only, video: VideoMAE on 16 frames at the centres of equal segments, fine-tuned on the recipe's draws.

The frames are decoded from the video for every draw, with the recipe's decoder and crop: they are other frames than the
stored keyframes, and twelve thousand clips of 16 frames would not fit into memory. `dataloader_num_workers` spreads the
decoding. VideoMAE: Tong et al. 2022; MAE-DFER (Sun et al. 2023) is the same idea pre-trained on faces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn

from emotrain.datasets.clips import CLIPS_FILE, ClipIndex
from emotrain.emotions import label_set
from emotrain.evaluation.baselines.vision import classify, fit_classifier
from emotrain.examples.base_model import check_device
from emotrain.examples.manifests import usable_clips
from emotrain.faces.framing import framing_of
from emotrain.load_result import loaded_whole
from emotrain.pictures import picture_of
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip
from emotrain.video.extract import ExtractClip
from emotrain.video.frame_settings import FrameSettings


def videomae(recipe: Recipe, clips: Sequence[Clip], folder: Path) -> npt.NDArray[np.float64]:
    """Label log-probabilities (N, C) of `clips`; training goes on from a checkpoint in `folder`.

    The recipe's `baseline_model` names the pre-trained checkpoint and `baseline_trains` what of it learns.
    """
    from transformers import AutoImageProcessor

    check_device(recipe)
    name = recipe.evaluation.baseline_model
    names = label_set(recipe.data.label_set).labels
    every = [clip for split in ("train", "validation") for clip in usable_clips(recipe, split)[0]]
    inputs = VideoInputs(recipe, [*every, *clips], AutoImageProcessor.from_pretrained(name), frames_of(name))
    head_only = recipe.evaluation.baseline_trains == "head"
    model = fit_classifier(recipe, lambda: load_video_classifier(name, names, head_only=head_only), inputs, folder)
    return classify(recipe, model, inputs, [clip.clip_id for clip in clips])


class VideoClassifier(nn.Module):
    """(B, T, 3, H, W) frames to log-probabilities (B, C) float32."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixel_values: Tensor) -> Tensor:
        logits: Tensor = self.network(pixel_values=pixel_values).logits
        return logits.float().log_softmax(-1)


def load_video_classifier(name: str, labels: Sequence[str], *, head_only: bool) -> VideoClassifier:
    """VideoMAE from the Hub or a folder with a new head for `labels`; with `head_only` nothing else learns.

    Only safetensors weights are read.
    """
    from transformers import VideoMAEForVideoClassification

    network = loaded_whole(
        VideoMAEForVideoClassification,
        name,
        fresh="classifier.",
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: position for position, label in enumerate(labels)},
        ignore_mismatched_sizes=True,
        use_safetensors=True,
        dtype=torch.float32,
    )
    if head_only:
        network.videomae.requires_grad_(False)
    return VideoClassifier(network)


def frames_of(name: str) -> int:
    """How many frames a checkpoint reads; ValueError when it is no VideoMAE."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(name)
    if config.model_type != "videomae":
        raise ValueError(f"baseline_model {name!r} is a {config.model_type}, not a VideoMAE; try MCG-NJU/videomae-base")
    return int(config.num_frames)


class VideoInputs:
    """Decodes clips into what VideoMAE reads; travels to data-loader workers."""

    def __init__(self, recipe: Recipe, clips: Sequence[Clip], processor: Any, frame_count: int) -> None:
        data = Path(recipe.data.data)
        self.clips = {clip.clip_id: clip for clip in clips}
        self.processor = processor
        self.frame_count = frame_count
        settings = FrameSettings(
            keyframes=frame_count,
            between=0,
            size=None if recipe.data.frame_size is None else max(recipe.data.frame_size, _side(processor)),
            quality=recipe.data.frame_quality,
            decoder=recipe.data.decoder,
            crop=recipe.data.crop,  # type: ignore[arg-type]
            view=recipe.data.view,  # type: ignore[arg-type]
        )
        framing = framing_of(data, settings.crop, settings.view)
        self.decode = ExtractClip(ClipIndex(data / CLIPS_FILE).root, settings, framing)

    def __call__(self, clip_ids: Sequence[str]) -> dict[str, Tensor]:
        videos = [self.pictures(clip_id) for clip_id in clip_ids]
        return {"pixel_values": self.processor(videos, return_tensors="pt")["pixel_values"]}

    def pictures(self, clip_id: str) -> list[Image.Image]:
        """The clip's frames in time order; a clip with fewer than are read shows some of them twice."""
        found = self.decode(self.clips[clip_id])
        rows: Sequence[Mapping[str, Any]] = found if isinstance(found, list) else found.rows
        places = np.floor((np.arange(self.frame_count) + 0.5) * len(rows) / self.frame_count).astype(int)
        return [picture_of(rows[place]["image"]["bytes"]) for place in places]


def _side(processor: Any) -> int:
    size = processor.crop_size if getattr(processor, "do_center_crop", False) else processor.size
    return int(max(value for value in dict(size).values() if value is not None))
