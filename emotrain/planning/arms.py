"""The arms of a comparison side by side: what sparse, enriched and dense prompts of the same clips cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from emotrain.context.prompt import PromptSettings
from emotrain.planning.chats import BETWEEN, Clips, chat, dense_times
from emotrain.planning.flops import ClipTokens, StepFlops
from emotrain.planning.prompts import Counter
from emotrain.recipe.recipe import Recipe

SAMPLE = 256
"""Clips that the means are taken over when there are more: evenly spaced ones, in the order of their ids."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Means over clips; `ratio` is its training operations over those of the sparse arm."""

    name: str
    frames: float
    visual: float
    text: float
    tree: int
    flops: float
    ratio: float


@dataclass(frozen=True, slots=True)
class ArmTable:
    """All arms, and how many summary tokens a clip may have before enriched training costs 1.25 x sparse."""

    arms: tuple[Arm, ...]
    summary_tokens: float
    summary_tokens_at_limit: float


LIMIT = 1.25
"""What the enriched arm may cost, in units of the sparse arm's training operations."""


def compare(
    recipe: Recipe, clips: Clips, counter: Counter, cost: Callable[[ClipTokens], StepFlops], ids: Sequence[str]
) -> ArmTable:
    """The table of arms over the clips `ids`."""
    own = recipe.context.prompt_settings()
    sparse = replace(own, context="none", images=True, trajectory=False)
    enriched = replace(own, context="summaries", images=True)
    chosen = [ids[i] for i in np.unique(np.linspace(0, len(ids) - 1, SAMPLE).astype(int))]
    per_gap = recipe.data.between if recipe.data.between > 0 else BETWEEN

    def count(times_s: Sequence[float], clip_id: str, settings: PromptSettings) -> ClipTokens:
        return counter.count(chat(recipe, times_s, clips.summaries[clip_id], settings))

    few = {clip_id: count(clips.times_s[clip_id], clip_id, sparse) for clip_id in chosen}
    told = {clip_id: count(clips.times_s[clip_id], clip_id, enriched) for clip_id in chosen}
    many, matched = {}, {}
    for clip_id in chosen:
        times_s = clips.times_s[clip_id]
        end_s = times_s[-1] + times_s[0]
        every = dense_times(times_s, end_s, per_gap)
        many[clip_id] = count(every, clip_id, sparse)
        each = (many[clip_id].prompt - few[clip_id].prompt) / max(len(every) - len(times_s), 1)
        extra = round((told[clip_id].prompt - few[clip_id].prompt) / each)
        # Where the frames lie costs nothing; how many there are does.
        matched[clip_id] = count([*np.linspace(0, end_s, len(times_s) + extra)], clip_id, sparse)
    base = float(np.mean([cost(tokens).total for tokens in few.values()]))

    def arm(name: str, counted: dict[str, ClipTokens]) -> Arm:
        values = list(counted.values())
        flops = float(np.mean([cost(tokens).total for tokens in values]))
        return Arm(
            name=name,
            frames=float(np.mean([len(tokens.grids) for tokens in values])) / _tiles(few, clips),
            visual=float(np.mean([tokens.visual for tokens in values])),
            text=float(np.mean([tokens.text for tokens in values])),
            tree=values[0].tree,
            flops=flops,
            ratio=flops / base,
        )

    typical = few[chosen[len(chosen) // 2]]
    rows = (
        arm("sparse", few),
        arm("enriched", told),
        arm(f"dense ({per_gap} a gap)", many),
        arm("dense (as enriched)", matched),
    )
    return ArmTable(rows, rows[1].text - rows[0].text, _limit(typical, cost))


def _tiles(few: dict[str, ClipTokens], clips: Clips) -> float:
    """Tiles that the processor makes of one frame: 1 unless it cuts frames up."""
    tiles = sum(len(tokens.grids) for tokens in few.values())
    return tiles / sum(len(clips.times_s[clip_id]) for clip_id in few)


def _limit(sparse: ClipTokens, cost: Callable[[ClipTokens], StepFlops]) -> float:
    """Summary tokens at which training costs LIMIT times `sparse`: bisection, for attention makes it curved."""
    goal = LIMIT * cost(sparse).total
    low, high = 0.0, 65536.0
    while high - low > 0.5:
        middle = (low + high) / 2
        more = replace(sparse, text=sparse.text + round(middle))
        low, high = (middle, high) if cost(more).total <= goal else (low, middle)
    return round(low)
