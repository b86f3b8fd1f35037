"""What meets in one batch: the micro-batches of a manifest, the longest of them, and what padding costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from emotrain.balance.manifest import Manifest
from emotrain.planning.flops import ClipTokens
from emotrain.training.steps import steps_of


@dataclass(frozen=True, slots=True)
class Batches:
    """The micro-batches of a run.

    `longest` is the longest prompt of any, `at` the position of its first draw in the manifest, `clip_id` the clip that
    makes it long. `padding` is the share of all prompt positions that hold nothing; `flops` is the sum over all clips.
    """

    count: int
    optimizer_steps: int
    longest: int
    at: int
    clip_id: str
    padding: float
    flops: float


def walk(
    manifest: Manifest,
    tokens: Mapping[str, ClipTokens],
    cost: Callable[[ClipTokens, int], float],
    *,
    batch: int,
    accumulation: int,
    gpus: int,
    max_steps: int = -1,
) -> Batches:
    """Walk the manifest as the trainer does: consecutive draws make a micro-batch, the last incomplete step is dropped.

    `cost(tokens, padded_to)` gives the operations of one clip. Raises ValueError when a drawn clip has no prompt, and
    where training would refuse the number of steps (`steps_of`).
    """
    order = [draw.clip_id for draw in manifest.draws]
    missing = [clip_id for clip_id in order if clip_id not in tokens]
    if missing:
        raise ValueError(f"the manifest draws clip {missing[0]!r}, which has no frames; run `emotrain prep` again")
    each = batch * accumulation * gpus
    steps = steps_of(len(order), each, max_steps)
    chunks = [order[start : start + batch] for start in range(0, steps * each, batch)]
    lengths = [max(tokens[clip_id].prompt for clip_id in chunk) for chunk in chunks]
    at = max(range(len(chunks)), key=lambda i: lengths[i])
    padded = sum(length * batch for length in lengths)
    # Clips of one length in batches of one length cost the same, and there are few such pairs.
    known = cache(cost)
    real = sum(tokens[clip_id].prompt for chunk in chunks for clip_id in chunk)
    return Batches(
        count=len(chunks),
        optimizer_steps=steps,
        longest=lengths[at],
        at=at * batch,
        clip_id=_longest(chunks[at], tokens),
        padding=1 - real / padded,
        flops=sum(known(tokens[clip_id], length) for chunk, length in zip(chunks, lengths) for clip_id in chunk),
    )


def _longest(chunk: Sequence[str], tokens: Mapping[str, ClipTokens]) -> str:
    return max(chunk, key=lambda clip_id: tokens[clip_id].prompt)
