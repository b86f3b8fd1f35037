"""New keyframes for a clip at every epoch: one at random in each of K equal segments, seeded by (seed, epoch, clip).

Or all of them at one phase of their segments, as a view (context/views.py) wants them. Needs all frames of the clip in
the store (`between: -1`). Summaries follow the keyframes: their events and cuts are told again in the gaps between the
new ones. Over epochs every frame has a chance to be seen, which no fixed policy offers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emotrain.context.gaps import gaps_of
from emotrain.context.retell import retold
from emotrain.records import Clip, Frame, Summary
from emotrain.video.keyframes import choose_keyframes

_EPOCHS = 1_000_003
"""More epochs than anyone trains, and prime: (seed, epoch) pairs give different seeds."""


def redrawn(
    frames: Sequence[Frame],
    summaries: Sequence[Summary],
    count: int,
    *,
    seed: int = 0,
    epoch: int = 0,
    phase: float | None = None,
    language: str = "en",
) -> tuple[list[Frame], list[Summary]]:
    """`count` of the stored frames as keyframes of this epoch, or at this phase, and summaries of the gaps between.

    `frames` are all frames of one clip in time order, `summaries` those of its stored keyframes. Raises ValueError when
    a summary has words but no events, which cannot be told again of other gaps.
    """
    times_s = np.array([frame.time_s for frame in frames])
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    duration_s = max([float(times_s[-1]) + step_s, *(summary.end_s for summary in summaries)])
    clip_id = frames[0].clip_id
    if phase is not None:
        ahead_s = (phase - 0.5) * duration_s / count
        chosen = choose_keyframes("segment_centres", times_s - ahead_s, count, duration_s=duration_s)
    else:
        own = Clip(clip_id, "", "")
        drawn = seed * _EPOCHS + epoch
        chosen = choose_keyframes("stratified", times_s, count, duration_s=duration_s, seed=drawn, clip=own)
    keyframes = [replace(frames[i], role="keyframe", gap=None) for i in chosen]
    return keyframes, _told_again(keyframes, summaries, duration_s, language)


def _told_again(
    keyframes: Sequence[Frame], summaries: Sequence[Summary], duration_s: float, language: str
) -> list[Summary]:
    odd = next((summary for summary in summaries if summary.changed and not summary.events), None)
    if odd is not None:
        raise ValueError(
            f"keyframes drawn anew: clip {odd.clip_id!r} gap {odd.gap} was summarised by {odd.backend!r} in words "
            "without events, which cannot be told of other gaps; use summarizer: motion"
        )
    gaps = gaps_of(keyframes[0].clip_id, [frame.time_s for frame in keyframes], duration_s)
    return retold(summaries, gaps, language)
