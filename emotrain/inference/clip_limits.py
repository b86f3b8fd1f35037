"""What a prediction takes on: how long a clip may be, and how much of it is kept in memory or shown to a model.

Memory does not grow with a clip's length below these limits, for motion is looked at in windows
(motion/long_clips.py) and the text of a prompt is bounded (context/text_bounds.py); time does.
"""

from __future__ import annotations

from dataclasses import replace

from emotrain.clip_errors import ClipError
from emotrain.inference.asked_summaries import AskedSummaries
from emotrain.video.frame_settings import FrameSettings
from emotrain.video.keyframes import frames_at, parse_policy
from emotrain.video.reader import ClipReader

LONGEST_S = 4 * 3600.0
"""Seconds of a clip that `emotrain predict` reads."""

PAGE_LONGEST_S = 600.0
"""Seconds of a clip that the page reads: nobody waits longer in front of it, and others wait behind them."""

MOST_KEYFRAMES = 256
"""Keyframes of a prompt; every one is an image that the model sees, and attention grows with the square of them."""

MOST_PIXELS = 1 << 24
"""Pixels of all images of a prompt as the model sees them: some 20,000 visual tokens, whose mask is their square."""

MOST_ASKED = 2048
"""Frames of a clip that a model or a server is shown to describe the gaps."""


def check_clip(
    reader: ClipReader,
    settings: FrameSettings,
    summarizer: object,
    longest_s: float = LONGEST_S,
    image_size: int | None = None,
) -> None:
    """Raise ClipError, with a sentence that says what to do, for a clip past these limits.

    `image_size` is the side in pixels that every image is brought to, None where images keep their own.
    """
    if not reader.ends_within(longest_s):
        raise ClipError(
            f"{reader.path}: the clip is longer than {longest_s / 60:g} minutes, more than is read at a time; cut out "
            "the part with the expression, as `ffmpeg -ss 60 -t 10 -i CLIP PART.mp4` does"
        )
    rate = parse_policy(settings.policy).rate
    count = settings.keyframes if rate is None else frames_at(rate, reader.duration_s)
    if min(count, reader.n_frames) > MOST_KEYFRAMES:
        raise ClipError(
            f"{reader.path}: {settings.policy} takes {count} keyframes of {reader.duration_s:.0f} s, and a prompt "
            f"holds at most {MOST_KEYFRAMES}; cut the clip, or choose --keyframe-policy segment_centres"
        )
    taken = min(count, reader.n_frames)
    pixels = image_size**2 if image_size is not None else _pixels(reader, settings.size)
    if taken * pixels > MOST_PIXELS:
        raise ClipError(
            f"{reader.path}: {taken} keyframes of {pixels:,} pixels are more than the {MOST_PIXELS:,} that a prompt "
            "holds; choose fewer with --keyframes, or smaller ones with --image-size and --frame-size"
        )
    shown = reader.n_frames if settings.between is None else settings.between * (count + 1)
    shown = min(shown, reader.n_frames)
    if isinstance(summarizer, AskedSummaries) and shown > MOST_ASKED:
        raise ClipError(
            f"{reader.path}: {summarizer.backend.name} would be shown {shown} frames of one clip, and at most "
            f"{MOST_ASKED} are; cut the clip"
        )


def kept(settings: FrameSettings, summarizer: object) -> FrameSettings:
    """The frames to keep of a clip: those between the keyframes only where a model is asked about them."""
    return settings if isinstance(summarizer, AskedSummaries) else replace(settings, between=0)


def _pixels(reader: ClipReader, longer_side: int | None) -> int:
    """Pixels of a stored frame, at most."""
    if longer_side is not None and longer_side**2 * MOST_KEYFRAMES <= MOST_PIXELS:
        return longer_side**2
    height, width = reader.shape()
    scale = 1.0 if longer_side is None else longer_side / max(height, width)
    return round(height * scale) * round(width * scale)
