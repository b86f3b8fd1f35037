"""First stage of the tiny base: vision tower and merger learn to read action-unit intensities from stills.

Two linear readouts are trained with it and thrown away afterwards. One reads all merged tokens of a frame side by side,
which is learned fast; the other reads their *mean*, so that any attention head of the language model that looks at a
frame has the units in linear reach.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emotrain.modeling.tiny_stills import Stills
from emotrain.progress import track
from emotrain.synthetic.action_units import AUS
from emotrain.synthetic.styles import for_fitting

BATCH = 32


class Readouts(nn.Module):
    """Linear maps from merged tokens (N, tokens, width) to units (N, 19): of all tokens, and of their mean."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.all_tokens = nn.Linear(tokens * width, len(AUS))
        self.mean_token = nn.Linear(width, len(AUS))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return self.all_tokens(tokens.flatten(1)), self.mean_token(tokens.mean(1))


def frame_patches(images: Tensor, image_processor: Any) -> tuple[Tensor, Tensor]:
    """`pixel_values (N * patches, D)` and `image_grid_thw (N, 3)` of resized frames (N, H, W, 3) uint8."""
    pixels = image_processor.rescale_and_normalize(
        images.permute(0, 3, 1, 2),
        True,
        image_processor.rescale_factor,
        True,
        tuple(image_processor.image_mean),
        tuple(image_processor.image_std),
    )
    patches, height, width = image_processor.patchify(
        pixels, image_processor.patch_size, image_processor.merge_size, image_processor.temporal_patch_size
    )
    return patches.flatten(0, 1), torch.tensor([[1, height, width]]).repeat(len(images), 1)


def frame_tokens(visual: nn.Module, images: Tensor, image_processor: Any) -> Tensor:
    """Merged tokens of resized frames, (N, tokens, width) float32."""
    patches, grid = frame_patches(images, image_processor)
    return visual(patches, grid_thw=grid).pooler_output.unflatten(0, (len(images), -1))


def train_eyesight(
    visual: nn.Module, stills: Stills, image_processor: Any, epochs: int, seed: int, peak_rate: float = 1.5e-3
) -> Readouts:
    """Train tower and merger on the stills; returns the readouts. Flipped frames double the people.

    Raises HeldBack for stills that show the style which nothing is fitted to.
    """
    for_fitting(*stills.styles)
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 1])
    images, units = torch.from_numpy(stills.images), torch.from_numpy(stills.units)
    with torch.no_grad():
        readout = Readouts(*frame_tokens(visual, images[:1], image_processor).shape[1:])
    parameters = [*visual.parameters(), *readout.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=peak_rate, weight_decay=0.05, betas=(0.9, 0.98))
    steps, step = epochs * (len(stills) // BATCH), 0
    with track("learn to see", steps * BATCH, "frames") as advance:
        for _ in range(epochs):
            order = torch.from_numpy(rng.permutation(len(stills)))
            for rows in order.split(BATCH)[: len(stills) // BATCH]:
                for group in optimiser.param_groups:
                    group["lr"] = peak_rate * one_cycle(step / steps)
                shown, wanted = _flipped(images[rows], units[rows], rng)
                read = readout(frame_tokens(visual, shown, image_processor))
                loss = sum((units_read - wanted).square().mean() for units_read in read)
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(parameters, 1.0)
                optimiser.step()
                step += 1
                advance(BATCH)
    return readout


def unit_correlations(visual: nn.Module, readout: Readouts, stills: Stills, image_processor: Any) -> dict[str, float]:
    """Pearson correlation of true intensity and the reading of all tokens, for each unit."""
    with torch.no_grad():
        read = torch.cat(
            [
                readout(frame_tokens(visual, images, image_processor))[0]
                for images in torch.from_numpy(stills.images).split(BATCH)
            ]
        )
    return correlations(read.numpy(), stills.units)


def correlations(read: NDArray[np.floating], true: NDArray[np.floating]) -> dict[str, float]:
    """Pearson correlation for each column of two (N, 19) arrays, by unit name."""
    return {name: float(np.corrcoef(read[:, i], true[:, i])[0, 1]) for i, name in enumerate(AUS)}


def one_cycle(done: float, warm: float = 0.08) -> float:
    """Learning-rate factor after the share `done` of training: linear warm-up, then a cosine to zero."""
    return done / warm if done < warm else 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))


_MIRRORED = [AUS.index(name.translate(str.maketrans("LR", "RL"))) for name in AUS]


def _flipped(images: Tensor, units: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Each frame mirrored or not; the subject's left and right change places with it."""
    flip = torch.from_numpy(rng.random(len(images)) < 0.5)
    images = torch.where(flip[:, None, None, None], images.flip(2), images)
    return images, torch.where(flip[:, None], units[:, _MIRRORED], units)
