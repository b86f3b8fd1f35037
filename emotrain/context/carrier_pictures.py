"""Pictures that carry the time between keyframes in place of words: a contact sheet, and an onset-apex difference.

Both cost what one further keyframe costs, so arms of equal tokens are a keyframe more, a picture, or as many words.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from emotrain.pictures import picture_of
from emotrain.records import Frame, Summary

MOST_TILES = 16


def contact_sheet(frames: Sequence[Frame], summaries: Sequence[Summary]) -> Frame:
    """The in-between frames, evenly chosen, row by row in time order on a square grid, as one picture at the end."""
    between = _between(frames, "contact_sheet")
    side = max(min(math.isqrt(len(between)), math.isqrt(MOST_TILES)), 1)
    chosen = [between[(2 * i + 1) * len(between) // (2 * side * side)] for i in range(side * side)]
    width, height = picture_of(frames[0].image).size
    sheet = Image.new("RGB", (width, height))
    for number, frame in enumerate(chosen):
        row, column = divmod(number, side)
        left, top = column * width // side, row * height // side
        size = ((column + 1) * width // side - left, (row + 1) * height // side - top)
        sheet.paste(picture_of(frame.image).resize(size, Image.Resampling.BOX), (left, top))
    return _frame(frames, sheet, frames[-1].time_s)


def difference(frames: Sequence[Frame], summaries: Sequence[Summary]) -> Frame:
    """What changed from the onset to the apex of the strongest event: 128 is no change, brighter is brighter.

    Of the stored frames the nearest to the two times are taken. A clip without events has a grey picture.
    """
    _between(frames, "difference")
    width, height = picture_of(frames[0].image).size
    events = [event for summary in summaries for event in summary.events]
    if not events:
        return _frame(frames, Image.new("RGB", (width, height), (128, 128, 128)), frames[-1].time_s)
    event = max(events, key=lambda event: (event.strength, -event.onset_s))
    before, after = (min(frames, key=lambda frame: abs(frame.time_s - t)) for t in (event.onset_s, event.apex_s))
    first, second = (np.asarray(picture_of(frame.image), np.int16) for frame in (before, after))
    changed = np.clip(128 + 2 * (second - first), 0, 255).astype(np.uint8)
    return _frame(frames, Image.fromarray(changed), event.apex_s)


def _between(frames: Sequence[Frame], carrier: str) -> list[Frame]:
    found = [frame for frame in frames if frame.role == "between"]
    if not found:
        raise ValueError(
            f"carrier: {carrier}: clip {frames[0].clip_id!r} has no stored frame between its keyframes; extract frames "
            "with `between: 4` into another data folder"
        )
    return found


def _frame(frames: Sequence[Frame], picture: Image.Image, time_s: float) -> Frame:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=95, subsampling=0)
    # A moment later than any keyframe at that time, so that the order of the pictures is one.
    return Frame(frames[0].clip_id, -1, time_s + 1e-6, "keyframe", None, written.getvalue())
