"""The time line of one clip as positions in percent: what the report draws, computed apart from how it looks."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from emotrain.records import Clip, Event, Frame, Summary

NARROW = 9.0
"""A gap narrower than this share of the time line (in percent) cannot hold its summary's words."""


@dataclass(frozen=True, slots=True)
class ClipStory:
    """Everything the report tells about one clip: keyframes (JPEG), gap summaries, label probabilities, true events.

    `probabilities` maps an arm's name to (C,) values in the label order of that arm's table. The events that the
    summariser found travel inside the summaries; `events` are the annotated ones, empty where a data set has none.
    """

    clip: Clip
    keyframes: Sequence[Frame] = ()
    summaries: Sequence[Summary] = ()
    probabilities: Mapping[str, Sequence[float] | np.ndarray] = field(default_factory=dict)
    events: Sequence[Event] = ()


def timeline(story: ClipStory) -> dict[str, Any]:
    """Keyframes, gaps, events and axis ticks of a story, horizontal positions in percent of the clip's duration."""
    end = _duration(story)

    def at(time_s: float) -> float:
        return round(100 * min(max(time_s / end, 0.0), 1.0), 2)

    frames = sorted(story.keyframes, key=lambda frame: frame.time_s)
    gaps = [
        {
            "number": number,
            "left": at(s.start_s),
            "width": round(at(s.end_s) - at(s.start_s), 2),
            "start_s": s.start_s,
            "end_s": s.end_s,
            "text": s.text,
            "changed": s.changed,
        }
        for number, s in enumerate(sorted(story.summaries, key=lambda s: s.start_s), start=1)
    ]
    found = [event for summary in story.summaries for event in summary.events]
    return {
        "duration_s": end,
        "frames": [
            {
                "source": _data_uri(frame.image),
                "time_s": frame.time_s,
                "at": at(frame.time_s),
                "centre": round(100 * (i + 0.5) / len(frames), 2),
            }
            for i, frame in enumerate(frames)
        ],
        "gaps": gaps,
        "columns": _columns(gaps),
        "true_events": [_band(event, at) for event in story.events],
        "found_events": [_band(event, at) for event in found],
        "ticks": [{"at": at(second), "text": f"{second:g}"} for second in round_times(end)],
    }


def _duration(story: ClipStory) -> float:
    """Seconds that the time line spans: the clip's duration, or the last thing known to happen in it."""
    if story.clip.duration_s is not None and story.clip.duration_s > 0:
        return story.clip.duration_s
    ends = [f.time_s for f in story.keyframes] + [s.end_s for s in story.summaries] + [e.offset_s for e in story.events]
    last = max(ends, default=0.0)
    return last if last > 0 else 1.0


def _band(event: Event, at: Any) -> dict[str, Any]:
    left, right = at(event.onset_s), at(event.offset_s)
    return {
        "left": left,
        "width": round(max(right - left, 0.6), 2),
        "apex": at(event.apex_s),
        "onset_s": event.onset_s,
        "apex_s": event.apex_s,
        "offset_s": event.offset_s,
        "units": event.action_units,
        "regions": event.regions,
    }


def _columns(gaps: Sequence[Mapping[str, Any]]) -> str | None:
    """CSS grid columns that put each summary under its gap; None when gaps are too narrow or leave holes."""
    if not gaps or min(gap["width"] for gap in gaps) < NARROW:
        return None
    ends = [gap["left"] + gap["width"] for gap in gaps]
    contiguous = all(abs(end - following["left"]) < 1.0 for end, following in zip(ends, gaps[1:]))
    if gaps[0]["left"] > 1.0 or ends[-1] < 99.0 or not contiguous:
        return None
    return " ".join(f"{gap['width']:g}fr" for gap in gaps)


def round_times(end: float) -> list[float]:
    """Round times for an axis from 0 s to the end, about five of them."""
    step = next((s for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0) if end / s <= 6), 300.0)
    return [round(i * step, 2) for i in range(int(end / step + 1e-9) + 1)]


def _data_uri(image: bytes) -> str:
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"
