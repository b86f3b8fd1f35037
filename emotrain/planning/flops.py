"""Floating-point operations of one clip in one LoRA training step, written out.

A multiply-add counts as two, the convention of torch's FlopCounterMode, against which the sum is tested. With

    T = prompt tokens + label-tree tokens    N = weights of the language model's linear layers    W = heads x head width
    r = LoRA rank    A = sum of in + out over the adapted layers    d, V = width, vocabulary    S = scored places

| part | forward | backward |
|-|-|-|
| language linears | 2 N T | 2 N T: gradients of activations only, for the weights are frozen |
| attention | 4 W T^2 a layer | 10 W T^2: scores again, then gradients of scores, queries, keys and values |
| LoRA | 2 r A T | 4 r A T: activations and its own weights |
| LM head | 2 d V S | 2 d V S |
| vision tower | 2 N_v patches + 2 N_m tokens + 4 W_v sum(window^2) a layer | none: it is frozen |

Nothing before the first block needs a gradient, so its query, key and value layers pass none on. With gradient
checkpointing every block of the language model is run forward a second time, and the embedded tokens are made to
require a gradient. The vision tower is spared both (emotrain/modeling/frozen.py). Element-wise work is left out, as
usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emotrain.planning.shapes import Shapes, Vision


@dataclass(frozen=True, slots=True)
class ClipTokens:
    """What one clip costs in tokens. `grids` are (rows, columns) of patches, one for every image the tower reads."""

    text: int
    visual: int
    tree: int
    scored: int
    grids: tuple[tuple[int, int], ...]

    @property
    def prompt(self) -> int:
        """Tokens of the prompt, visual ones included."""
        return self.text + self.visual

    @property
    def patches(self) -> int:
        """Patches that the vision tower reads."""
        return sum(rows * columns for rows, columns in self.grids)


@dataclass(frozen=True, slots=True)
class StepFlops:
    """Operations of one clip in one training step, by part; `total` is their sum."""

    language_forward: float
    language_backward: float
    recomputed: float
    vision: float

    @property
    def total(self) -> float:
        """All operations of the clip."""
        return self.language_forward + self.language_backward + self.recomputed + self.vision


def step_flops(
    shapes: Shapes,
    tokens: ClipTokens,
    rank: int,
    *,
    checkpointing: bool = False,
    every: int = 1,
    stored_vision: bool = False,
    padded_to: int | None = None,
) -> StepFlops:
    """Operations of one clip; `padded_to` is the prompt length of its batch, for padding is computed like the rest.

    With `checkpointing` every `every`-th block is run a second time. With `stored_vision` the tower's output is read
    from a disk.
    """
    language = shapes.language
    prompt = tokens.prompt if padded_to is None else padded_to
    total = prompt + tokens.tree
    attention = 4.0 * language.attention * total**2 * language.layers
    adapters = 2.0 * rank * language.adapted * total
    head = 2.0 * language.hidden * language.vocabulary * tokens.scored
    blocks = 2.0 * language.weights * total + attention + adapters
    stopped = 0.0 if checkpointing else 2.0 * (language.entry_weights + rank * language.entry_in) * total
    return StepFlops(
        language_forward=blocks + head,
        language_backward=2.0 * language.weights * total + 2.5 * attention + 2 * adapters + head - stopped,
        recomputed=blocks * -(-language.layers // every) / language.layers if checkpointing else 0.0,
        vision=0.0 if stored_vision else vision_flops(shapes.vision, tokens.grids, tokens.visual),
    )


def vision_flops(vision: Vision, grids: Sequence[tuple[int, int]], visual_tokens: int) -> float:
    """Forward operations of the vision tower; images attend to themselves, in windows where the layer has them."""
    patches = sum(rows * columns for rows, columns in grids)
    linear = vision.embedding_weights + vision.block_weights
    return 2.0 * (linear * patches + vision.merged_weights * visual_tokens) + _vision_attention(vision, grids)


def _vision_attention(vision: Vision, grids: Sequence[tuple[int, int]]) -> float:
    full = sum((rows * columns) ** 2 for rows, columns in grids)
    windowed = full if vision.window is None else sum(_windows(grid, vision.window) for grid in grids)
    return 4.0 * vision.width * (vision.full_layers * full + (vision.layers - vision.full_layers) * windowed)


def _windows(grid: tuple[int, int], window: int) -> int:
    """Sum over the windows of an image of their patches squared; those at the edge are smaller."""
    sides = [[min(window, length - start) ** 2 for start in range(0, length, window)] for length in grid]
    return sum(sides[0]) * sum(sides[1])
