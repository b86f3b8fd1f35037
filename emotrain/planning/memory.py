"""GPU memory of a training step, computed: an upper estimate by part, in bytes.

With B clips of T tokens (prompt and label tree) a device, activations of s bytes (2 under bf16, else 4), and per block
d the width, W and KV heads x head width, I the width of the MLP, E the widths that norms work on, A_in the sum of
inputs of adapted layers, V the vocabulary, P = patches:

    weights       parameters x their bytes (4-bit: 0.55 a parameter in the linear layers of the blocks)
    training      adapters x (4 weight + 4 gradient + 8 AdamW), all in float32
    one block     B T (4 E + s d + 4 s W + 4 heads + 3 s I + A_in (s or 4, + s + 1 under dropout))
    activations   layers x one block; a checkpointed layer only B T s d, and one block in all
    tower         B P s (pixels + 4 W_v + 3 I_v): one layer at a time, for nothing is kept of it
    pixels        G B P pixels x (2 where weights have 2 bytes, else 4): all G micro-batches of a step are on the
                  device before the first is read; a batch of stored features G B visual tokens x d x s
    logits        B x scored places x V x 20: logits, their float32 copy and the gradients of both
    rest          4-D mask B T^2 (1 + s), embeddings 3 B T s d, allocator and CUDA context

A block is an upper bound: kept are norms' float32 inputs, queries, keys and values after repetition, the output of
attention, the MLP's gate, its activation and product, and a copy of every adapter's input. `eager` attention keeps its
B x heads x T^2 weights twice as well. The saved tensors of a real step sum to no more than this (tested).

Per rank: ddp keeps everything on every rank; zero2 shards gradients and AdamW's state; zero3 and fsdp2 the weights,
too, and hold two blocks whole while they compute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from emotrain.planning.flops import ClipTokens
from emotrain.planning.shapes import Shapes

Strategy = Literal["ddp", "zero2", "zero3", "fsdp2"]
STRATEGIES: tuple[Strategy, ...] = ("ddp", "zero2", "zero3", "fsdp2")
GIB = 2**30
CONTEXT_BYTES = 2.0 * GIB
"""CUDA context, cuBLAS workspaces and fragments of the allocator: assumed."""

_BYTES = {"bfloat16": 2.0, "float16": 2.0, "float32": 4.0}


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """What a recipe says that memory hangs on. `dtype` is the weights', `bits` those of a quantised base.

    With `checkpointing` every `every`-th block is computed again and the others keep all.
    """

    dtype: str = "bfloat16"
    bf16: bool = True
    bits: int | None = None
    rank: int = 16
    dropout: bool = True
    checkpointing: bool = True
    eager: bool = False
    every: int = 1

    @property
    def weight_bytes(self) -> float:
        """Bytes of a weight; raises ValueError for a dtype that is not known here."""
        if self.dtype not in _BYTES:
            raise ValueError(f"dtype: {self.dtype!r}; expected one of {', '.join(_BYTES)} to plan memory")
        return _BYTES[self.dtype]

    @property
    def activation_bytes(self) -> float:
        """Bytes of an activation: 2 in half precision or under autocast."""
        return 2.0 if self.bf16 or self.weight_bytes == 2.0 else 4.0


@dataclass(frozen=True, slots=True)
class StepMemory:
    """Bytes on one device, by part; `total` is their sum."""

    weights: float
    training: float
    activations: float
    tower: float
    logits: float
    rest: float
    pixels: float = 0.0

    @property
    def total(self) -> float:
        """All bytes of the device."""
        return self.weights + self.training + self.activations + self.tower + self.logits + self.rest + self.pixels


def step_memory(
    shapes: Shapes,
    tokens: ClipTokens,
    settings: MemorySettings,
    *,
    batch: int,
    padded_to: int | None = None,
    strategy: Strategy = "ddp",
    gpus: int = 1,
    accumulation: int = 1,
    stored_vision: bool = False,
) -> StepMemory:
    """Memory of one device for `batch` clips that are padded to prompts of `padded_to` tokens.

    A step has `accumulation` such micro-batches. With `stored_vision` the tower's output is read from a disk.
    """
    language, vision, size = shapes.language, shapes.vision, settings.activation_bytes
    prompt = tokens.prompt if padded_to is None else padded_to
    length = prompt + tokens.tree
    rows = float(batch * length)
    block = block_bytes(shapes, settings, batch, length)
    again = -(-language.layers // settings.every) if settings.checkpointing else 0
    stored = again * rows * size * language.hidden + (language.layers - again) * block
    patches = batch * tokens.patches
    tower = patches * size * (vision.pixels + 4 * vision.width + 3 * vision.intermediate)
    pixels = accumulation * patches * vision.pixels * min(settings.weight_bytes, 4.0)
    if stored_vision:
        tower, pixels = 0.0, accumulation * batch * tokens.visual * language.hidden * settings.weight_bytes
    weights, training = _model_bytes(shapes, settings, strategy, gpus)
    return StepMemory(
        weights=weights,
        training=training,
        activations=stored + (block if settings.checkpointing else 0.0),
        tower=tower,
        logits=20.0 * batch * tokens.scored * language.vocabulary,
        rest=batch * length**2 * (1 + size) + 3 * rows * size * language.hidden + CONTEXT_BYTES,
        pixels=pixels,
    )


def block_bytes(shapes: Shapes, settings: MemorySettings, batch: int, length: int) -> float:
    """What one decoder block keeps for its backward pass, at most."""
    language, size = shapes.language, settings.activation_bytes
    heads = language.heads
    copies = (size if settings.bf16 else 4.0) + ((size + 1) if settings.dropout else 0.0)
    a_token = (
        4.0 * language.normed
        + size * language.hidden
        + 4 * size * language.attention
        + 4.0 * heads
        + 3 * size * language.intermediate
        + copies * language.adapted_in / language.layers
    )
    attention = 2 * size * batch * heads * length**2 if settings.eager else 0.0
    return batch * length * a_token + attention


def largest_batch(shapes: Shapes, tokens: ClipTokens, settings: MemorySettings, room_gib: float, **more: object) -> int:
    """The largest number of clips a device that fits into `room_gib` GiB; 0 when not even one does."""

    def fits(batch: int) -> bool:
        return step_memory(shapes, tokens, settings, batch=batch, **more).total <= room_gib * GIB  # type: ignore[arg-type]

    low, high = 0, 1
    while fits(high) and high < 4096:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _model_bytes(shapes: Shapes, settings: MemorySettings, strategy: Strategy, gpus: int) -> tuple[float, float]:
    blocks = shapes.language.weights + shapes.vision.block_weights
    quantised = 0.0 if settings.bits is None else {4: 0.55, 8: 1.05}[settings.bits]
    whole = (
        shapes.parameters * settings.weight_bytes
        if settings.bits is None
        else blocks * quantised + (shapes.parameters - blocks) * settings.weight_bytes
    )
    adapters = shapes.language.adapter_parameters(settings.rank)
    if strategy == "ddp" or gpus == 1:
        return whole, 16.0 * adapters
    if strategy == "zero2":
        return whole, (4 + 12 / gpus) * adapters
    gathered = 2 * shapes.language.weights / shapes.language.layers * settings.weight_bytes
    return whole / gpus + gathered, 16.0 * adapters / gpus
