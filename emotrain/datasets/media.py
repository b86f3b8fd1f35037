"""Video files and frame folders of a data set: is a clip there, and how many frames does its folder hold?

One directory listing per folder instead of one `stat` per clip: that is what a network file system is fast at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from emotrain.datasets.clips import PathOutsideRoot, resolve
from emotrain.datasets.reading import Reading
from emotrain.progress import track
from emotrain.records import Clip
from emotrain.shards import ClipError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".flv", ".wmv"})
_NUMBER = re.compile(r"\d+(?!.*\d)")

Probe = Callable[[Path], tuple[float | None, int | None, float | None]]
"""Opens a video and answers (fps, number of frames, duration in seconds), None for what it cannot tell.

A video that cannot be opened raises `emotrain.shards.ClipError`.
"""


@dataclass(slots=True)
class Listing:
    """Directory listings below a data root, each read once; frame folders are read but not kept."""

    root: Path
    _folders: dict[Path, dict[str, bool]] = field(default_factory=dict)

    def folder(self, path: Path) -> dict[str, bool]:
        """Names in a folder, with True for those that are folders; empty when the folder does not exist."""
        if path not in self._folders:
            self._folders[path] = _entries(path)
        return self._folders[path]

    def spelled(self, folder: str, name: str) -> str:
        """`name` as it is really spelled in `folder` (relative to the root), whatever its case; else as given."""
        names = self.folder(resolve(self.root, folder) if folder else self.root)
        if name in names:
            return name
        return next((other for other in sorted(names) if other.lower() == name.lower()), name)

    def frames(self, path: str) -> list[str]:
        """Names of the images in a frame folder (relative to the root), in the order of their numbers."""
        names = _entries(resolve(self.root, path))
        images = [(frame_number(name), name) for name in names if Path(name).suffix.lower() in IMAGE_SUFFIXES]
        return [name for _, name in sorted(images, key=lambda image: (-1 if image[0] is None else image[0], image[1]))]


def frame_number(name: str) -> int | None:
    """The last number in an image's stem ("006_05562.jpg" is 5562), or None when there is none."""
    found = _NUMBER.search(Path(name).stem)
    return int(found.group()) if found else None


def check_media(
    reading: Reading, listing: Listing, probe: Probe | None = None, assume_fps: float | None = None
) -> None:
    """Move clips whose file is missing or empty into quarantine; fill `n_frames`, `fps` and `duration_s` of the others.

    Frame folders are counted, their rate is `assume_fps` where the annotation names none. Videos are opened only with
    `probe`; what an annotation already says is kept.
    """
    usable: list[Clip] = []
    with track("checking clip files", len(reading.clips)) as advance:
        for clip in reading.clips:
            try:
                usable.append(_checked(clip, listing, probe, assume_fps))
            except (ClipError, PathOutsideRoot) as error:
                reading.quarantine(clip.clip_id, clip.label, clip.path, str(error))
            advance(1)
    reading.clips = usable


def _entries(path: Path) -> dict[str, bool]:
    try:
        with os.scandir(path) as entries:
            return {entry.name: entry.is_dir() for entry in entries}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _checked(clip: Clip, listing: Listing, probe: Probe | None, assume_fps: float | None) -> Clip:
    path = resolve(listing.root, clip.path)
    siblings = listing.folder(path.parent)
    if path.name not in siblings:
        raise ClipError(f"missing: {path} does not exist")
    fps, n_frames, duration_s = clip.fps, clip.n_frames, clip.duration_s
    if siblings[path.name]:
        n_frames = len(listing.frames(clip.path))
        if n_frames == 0:
            raise ClipError(f"empty frame folder: {path} holds no image")
        fps = fps if fps is not None else assume_fps
    elif not path.exists():
        raise ClipError(f"missing: {path} is a link to a file that does not exist")
    elif path.stat().st_size == 0:
        raise ClipError(f"empty file: {path} has 0 bytes")
    elif probe is not None:
        try:
            seen_fps, seen_frames, seen_s = probe(path)
        except OSError as error:
            raise ClipError(f"unreadable video: {path}: {error}") from error
        fps = fps if fps is not None else seen_fps
        n_frames = n_frames if n_frames is not None else seen_frames
        duration_s = duration_s if duration_s is not None else seen_s
    if duration_s is None and n_frames is not None and fps is not None:
        duration_s = n_frames / fps
    return replace(clip, fps=fps, n_frames=n_frames, duration_s=duration_s)
