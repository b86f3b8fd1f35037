"""The contact sheet of one clip: some frames with boxes and eyes drawn in, and a time line of the face seen."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotrain.clip_errors import ClipError
from emotrain.faces.find import FoundFaces
from emotrain.faces.records import Sighting
from emotrain.faces.stretches import shot_at
from emotrain.records import Clip
from emotrain.video.decode import open_clip
from emotrain.video.reader import Pixels

FRAMES = 5
SIDE = 320
QUALITY = 82
CHOSEN, OTHER = (0, 158, 115), (240, 144, 74)
"""Colours (RGB) of the chosen face and of the others."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One clip for the page. `bars` are (left, width, kind) in percent of the clip; kinds: seen, cut."""

    clip_id: str
    label: str
    words: str
    frames: tuple[tuple[str, str], ...]
    bars: tuple[tuple[float, float, str], ...]
    facts: str
    crop: str | None


def sheet_of(video: Path, found: FoundFaces | None, words: str, clip: Clip) -> Sheet:
    """Frames at even distances, in `found`'s boxes; a video that cannot be read any more gives a sheet that says so."""
    try:
        with open_clip(video, fps=clip.fps) as reader:
            times = reader.times_s
            chosen = np.unique(np.linspace(0, len(times) - 1, FRAMES + 2).round().astype(int)[1:-1])
            images = reader.frames(chosen, SIDE)
            crop = _aligned(found, reader.frames(chosen[len(chosen) // 2 : len(chosen) // 2 + 1]), times[chosen])
    except (ClipError, OSError) as error:
        return Sheet(clip.clip_id, clip.label, f"{words}; {error}", (), (), "", None)
    frames = tuple(
        (_jpeg(_marked(image, found, float(times[i]))), f"{times[i]:.2f} s") for i, image in zip(chosen, images)
    )
    if found is None:
        return Sheet(clip.clip_id, clip.label, words, frames, (), f"{times[-1]:.1f} s", None)
    record, path = found.clip, found.path()
    length = max(record.end_s, 1e-9)
    seen = path.seen if path is not None else ()
    bars = [(100 * start / length, max(100 * (end - start) / length, 0.5), "seen") for start, end in seen]
    bars += [(100 * cut / length, 0.4, "cut") for cut in record.cuts_s]
    yaw = float(np.median(np.abs(path.yaw_deg))) if path is not None else 0.0
    facts = (
        f"seen {record.seen_share:.0%} of {record.end_s:.1f} s, {record.width_px:.0f} px wide in "
        f"{record.frame_width} x {record.frame_height}, {record.faces} face{'s' if record.faces != 1 else ''}, turned "
        f"{yaw:.0f} degrees, {len(record.looks_s)} looks"
    )
    return Sheet(clip.clip_id, clip.label, words, frames, tuple(bars), facts, crop)


def _aligned(found: FoundFaces | None, image: Pixels, times: np.ndarray) -> str | None:
    """The middle frame as the aligned crop shows it."""
    import cv2

    path = None if found is None else found.path()
    time = times[len(times) // 2 : len(times) // 2 + 1]
    if path is None or not path.seen_at(time)[0]:
        return None
    height, width = image.shape[1:3]
    matrix = path.matrices(time, width, height, SIDE)[0]
    return _jpeg(cv2.warpAffine(image[0], matrix, (SIDE, SIDE), flags=cv2.INTER_AREA))


def _marked(image: Pixels, found: FoundFaces | None, time_s: float) -> Pixels:
    import cv2

    marked = image.copy()
    if found is None:
        return marked
    height, width = image.shape[:2]
    for track, path in found.paths().items():
        if not path.seen_at(np.array([time_s]))[0]:
            continue
        shot = shot_at(found.clip.cuts_s, time_s)
        near = [one for one in found.sightings if one.track == track and one.shot == shot]
        sighting = min(near, key=lambda one: abs(one.time_s - time_s))
        colour = CHOSEN if track == found.clip.track else OTHER
        left, top, right, bottom = (round(v * s) for v, s in zip(sighting.box, (width, height, width, height)))
        cv2.rectangle(marked, (left, top), (right, bottom), colour, 2)
        for x, y in sighting.landmarks:
            cv2.circle(marked, (round(x * width), round(y * height)), 2, colour, -1)
        _name(marked, sighting, (left, top), colour)
    return marked


def _name(image: Pixels, sighting: Sighting, corner: tuple[int, int], colour: tuple[int, int, int]) -> None:
    import cv2

    text = f"{sighting.track + 1}: {sighting.score:.2f}"
    cv2.putText(
        image, text, (corner[0], max(corner[1] - 4, 10)), cv2.FONT_HERSHEY_SIMPLEX, 0.38, colour, 1, cv2.LINE_AA
    )


def _jpeg(image: Pixels) -> str:
    import cv2

    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return b64encode(data.tobytes()).decode()
