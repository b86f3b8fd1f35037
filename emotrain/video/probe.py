"""Rate, number of frames and length of a video, counted by decoding it: what an annotation rarely says."""

from __future__ import annotations

from pathlib import Path

from emotrain.video.decode import open_clip


def probe(path: Path) -> tuple[float | None, int | None, float | None]:
    """(frames a second, frames, seconds) of what can be decoded; raises ClipError with the reason when nothing can."""
    with open_clip(path) as clip:
        return clip.fps, clip.n_frames, clip.duration_s
