"""What a batch is told before it reaches the device: positions, the order of windows, padding, the type of its pixels.

All of it follows from token ids and image sizes, which are on the host when a batch is put together. On the device it
would take a thousand small operations and a hundred waits for it a batch; in the workers of a data loader it is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from emotrain.modeling.families import family_of
from emotrain.modeling.image_features import FEATURES, LEFT_PADDED, TOLD
from emotrain.modeling.label_tree import kinds_of, positions_of
from emotrain.modeling.wrapped_model import unwrapped

_PER_TOKEN = ("input_ids", "attention_mask", "mm_token_type_ids", "token_type_ids")


@dataclass(frozen=True, slots=True)
class PromptLayout:
    """How batches for one model are laid out; travels to loader workers, and holds no weights.

    `counting` gives positions of a model that counts axes apart (None: positions are a row). `pixels` is the type that
    the vision side computes in, None to leave them as they are: the tower rounds them to it anyway, and half as many
    bytes travel. Prompts are padded so that with `behind` tokens after them they are a multiple of `multiple`.
    `resampled` says how a tower fits its table of positions to an image (Qwen3-VL), None where it has none.
    """

    config: Any
    counting: Any = None
    pixels: torch.dtype | None = None
    multiple: int = 1
    behind: int = 0
    resampled: Mapping[str, Any] | None = None

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """The batch, padded on the left, with all that follows from it; raises ValueError for what fits no model."""
        laid = dict(batch)
        length = laid["input_ids"].shape[1]
        more = -(length + self.behind) % self.multiple
        # Any token does that stands for no image: nobody sees it.
        text = 0 if not more else int(laid["input_ids"][0, -1])
        for name in _PER_TOKEN:
            if more and name in laid:
                laid[name] = pad(laid[name], (more, 0), value=text if name == "input_ids" else 0)
        self._check(laid)
        if "pixel_values" in laid:
            if self.pixels is not None:
                laid["pixel_values"] = laid["pixel_values"].to(self.pixels)
            if self.counting is not None:
                laid |= told_tower(self.config.vision_config, laid["image_grid_thw"], self.resampled)
        laid["position_ids"] = positions_of(self.counting, self.config, laid)
        return laid | {LEFT_PADDED: True}

    def _check(self, batch: Mapping[str, Any]) -> None:
        if not bool(batch["attention_mask"][:, -1].all()):
            raise ValueError("a prompt is padding only or padded on the right; expected prompts padded on the left")
        found = None
        if FEATURES in batch:
            found = batch[FEATURES].shape[1]
        elif self.counting is not None and "image_grid_thw" in batch:
            found = int(batch["image_grid_thw"].prod(-1).sum()) // self.config.vision_config.spatial_merge_size**2
        places = int((kinds_of(self.config, batch["input_ids"]) == 1).sum())
        if found is not None and places != found:
            raise ValueError(
                f"the prompts have places for {places} visual tokens and their pictures or stored features give "
                f"{found}; is the processor the model's? For stored features run `emotrain prep` with this recipe"
            )


def layout_of(model: nn.Module, *, multiple: int = 1, behind: int = 0) -> PromptLayout:
    """The layout of a loaded model's batches, before it is wrapped."""
    inner = unwrapped(model)
    counting = None
    if family_of(model).positions == "axes":
        # The method needs the class and its config; the module itself would take its weights to every worker.
        kind: Any = type(inner.model)
        counting = kind.__new__(kind)
        counting.__dict__["config"] = inner.config
    half = inner.dtype if inner.dtype in (torch.bfloat16, torch.float16) else None
    tower: Any = getattr(inner.model, "visual", None)
    resampled = None
    if hasattr(tower, "interpolation_mode"):
        resampled = {
            "num_grid_per_side": tower.num_grid_per_side,
            "mode": tower.interpolation_mode,
            "align_corners": tower.interpolation_align_corners,
        }
    return PromptLayout(inner.config, counting, half, multiple, behind, resampled)


def told_tower(vision: Any, grid: Tensor, resampled: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a Qwen vision tower would work out of the image sizes `grid (N, 3)`, under the names that it takes.

    Empty for a transformers that takes none of it.
    """
    try:
        from transformers import vision_utils
    except ImportError:
        return {}
    bounds = vision_utils.get_vision_cu_seqlens(grid)
    told = {
        "position_ids": vision_utils.get_vision_position_ids(grid, vision.spatial_merge_size),
        "cu_seqlens": bounds,
        "max_seqlen": _largest(bounds),
    }
    if hasattr(vision, "window_size"):
        index, windows = vision_utils.get_vision_window_index(
            grid, vision.spatial_merge_size, vision.window_size, vision.patch_size
        )
        told |= {"window_index": index, "cu_window_seqlens": windows, "max_window_seqlen": _largest(windows)}
    if resampled is not None:
        places, weights = vision_utils.get_vision_interpolation_indices_and_weights(
            grid, spatial_merge_size=vision.spatial_merge_size, **resampled
        )
        told |= {"interp_indices": places, "interp_weights": weights}
    return {TOLD + name: value for name, value in told.items()}


def _largest(bounds: Tensor) -> int:
    return int((bounds[1:] - bounds[:-1]).max())
