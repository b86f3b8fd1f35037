"""The last seconds of a stream as a clip, put to the model as `emotrain predict` would put it."""

from __future__ import annotations

from dataclasses import replace

from emotrain.context.gaps import gaps_of
from emotrain.context.motion_backend import MotionSummarizer, seen_share
from emotrain.context.retell import told
from emotrain.inference.clip_input import SeenClip
from emotrain.live.keyframe_grid import Grid
from emotrain.live.watcher import Known
from emotrain.records import Event, Frame, Unread

LEAST_SHARE = 0.5
"""A window in which fewer of the keyframes show the face is not put to the model."""


def window_clip(
    name: str, grid: Grid, cell: int, known: Known, summarizer: MotionSummarizer | None
) -> tuple[SeenClip, float] | None:
    """The window that ends with `cell` as a clip, and the time at which it begins; None where the face is hardly seen.

    Before the stream has run for a window's length the clip is as much shorter. Events are those that the stream knows
    by now, those at the window's end not yet whole, as at the end of a clip.
    """
    keys = grid.last(cell)
    end_s = (cell + 1) * grid.step_s
    start_s = max(end_s - grid.window_s, 0.0)
    expected = min(grid.count, cell + 1)
    if not keys or len(keys) < LEAST_SHARE * expected:
        return None
    clip_id = f"{name}@{end_s:.3f}"
    length_s = end_s - start_s
    frames = tuple(
        Frame(clip_id, number, min(max(key.time_s - start_s, 0.0), length_s), "keyframe", None, key.image)
        for number, key in enumerate(keys)
    )
    if summarizer is None:
        return SeenClip(name, length_s, frames, ()), start_s
    events = [*known.events, *(known.blinks if summarizer.blinks else ())]
    inside = [_shifted(event, start_s, length_s) for event in events if start_s <= event.apex_s < end_s]
    hidden = [
        Unread(max(part.start_s - start_s, 0.0), min(part.end_s - start_s, length_s), part.why)
        for part in known.unread
        if part.end_s - part.start_s > 1e-3 and part.end_s > start_s and part.start_s < end_s
    ]
    gaps = gaps_of(clip_id, [frame.time_s for frame in frames], length_s)
    summaries = told(inside, (), gaps, summarizer.name, summarizer.language, unread=hidden)
    if summarizer.crop == "face":
        summaries = [replace(summary, seen_share=seen_share(hidden, summary)) for summary in summaries]
    return SeenClip(name, length_s, frames, tuple(summaries)), start_s


def _shifted(event: Event, start_s: float, length_s: float) -> Event:
    onset_s, apex_s, offset_s = (
        min(max(time_s - start_s, 0.0), length_s) for time_s in (event.onset_s, event.apex_s, event.offset_s)
    )
    return replace(event, onset_s=onset_s, apex_s=apex_s, offset_s=offset_s)
