"""A clip that comes as a folder of images: which files are its frames, in which order, and when each was shown.

The index counts with these rules and the decoder reads by them, so a time means the same frame in both.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median_low

from emotrain.clip_errors import ClipError
from emotrain.datasets.frame_names import arranged
from emotrain.datasets.ignored import is_ignored

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
"""How the system says that nothing is there; a name longer than it allows cannot be there either."""
HOLE_S = 1.0
HOLE_FRAMES = 25
"""From how long on a stretch without images is told of; the second where no rate is known."""


@dataclass(frozen=True, slots=True)
class FrameFolder:
    """The images of one folder: file `names` in order, and their `numbers`, empty where those do not tell them apart.

    A number is a place in time. The image numbered n is shown at (n - first) / step / fps, where `step` is the usual
    distance between neighbours: 1 where frames were counted, 33 where they were named by milliseconds at 30 fps. So a
    missing image leaves a hole and shifts nothing. Images without distinct numbers follow each other at 1 / fps.
    """

    names: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    """What is not sure about the order, and what was left out."""

    @property
    def step(self) -> int:
        """Distance between the numbers of neighbouring images (the lower median); 1 without numbers."""
        return median_low([b - a for a, b in pairwise(self.numbers)]) if len(self.numbers) > 1 else 1

    def time_of(self, number: int, fps: float) -> float:
        """Seconds from the first image to `number`, whether it has an image or not."""
        return (number - self.numbers[0]) / self.step / fps

    def times_s(self, fps: float) -> list[float]:
        """Seconds from the first image to each, ascending."""
        return [place / fps for place in self._places()]

    def duration_s(self, fps: float) -> float:
        """Seconds from the first image to the end of the last, which is shown for 1 / fps; 0 without images."""
        return (self._places()[-1] + 1) / fps if self.names else 0.0

    def hole(self, fps: float | None) -> str | None:
        """The longest stretch without images, in words; None where none is long."""
        places = self._places()
        gap, before = max(((b - a - 1, a) for a, b in pairwise(places)), default=(0.0, 0.0))
        if gap < (HOLE_FRAMES if fps is None else max(2.0, HOLE_S * fps)):
            return None
        length = f"{gap:.0f} frames" if fps is None else f"{gap / fps:.2f} s"
        return f"no image for {length} after {self.names[places.index(before)]}"

    def _places(self) -> list[float]:
        """Where each image stands, in frames from the first."""
        if not self.numbers:
            return [float(i) for i in range(len(self.names))]
        first, step = self.numbers[0], self.step
        return [(number - first) / step for number in self.numbers]


def frame_folder(path: Path) -> FrameFolder:
    """List a folder; no images where there is no such folder. Hidden files, folders and devices are no images.

    A link that leads nowhere is one, which cannot be read. Raises ClipError for a folder that cannot be listed.
    """
    try:
        with os.scandir(path) as entries:
            names = [entry.name for entry in entries if _is_image(entry)]
    except OSError as error:
        if error.errno in ABSENT:
            return FrameFolder()
        raise ClipError(f"{path}: the folder cannot be listed ({error.strerror})") from error
    order = arranged(names)
    return FrameFolder(order.names, order.numbers, order.notes)


def _is_image(entry: os.DirEntry[str]) -> bool:
    if is_ignored(entry.name) or Path(entry.name).suffix.lower() not in IMAGE_SUFFIXES:
        return False
    if entry.is_symlink():
        return os.path.isfile(entry.path) or not os.path.exists(entry.path)
    return entry.is_file(follow_symlinks=False)
