"""A clip that comes as a folder of images: which files are its frames, in which order, and when each was shown.

The index counts with these rules and the decoder reads by them, so a time means the same frame in both.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median_low

from emotrain.clip_errors import ClipError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
"""How the system says that nothing is there; a name longer than it allows cannot be there either."""
_NUMBER = re.compile(r"\d+(?!.*\d)")


@dataclass(frozen=True, slots=True)
class FrameFolder:
    """The images of one folder: file `names` in order, and their `numbers`, empty where those do not tell them apart.

    A number is a place in time. The image numbered n is shown at (n - first) / step / fps, where `step` is the usual
    distance between neighbours: 1 where frames were counted, 33 where they were named by milliseconds at 30 fps. So a
    missing image leaves a hole and shifts nothing. Images without distinct numbers follow each other at 1 / fps.
    """

    names: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()

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
    found = {name: frame_number(name) for name in names}
    ordered = sorted(names, key=lambda name: (-1 if (number := found[name]) is None else number, name))
    numbers = tuple(number for name in ordered if (number := found[name]) is not None)
    return FrameFolder(tuple(ordered), numbers if len(set(numbers)) == len(names) else ())


def frame_number(name: str) -> int | None:
    """The last number in an image's stem ("006_05562.jpg" is 5562), or None when there is none."""
    found = _NUMBER.search(Path(name).stem)
    return int(found.group()) if found else None


def _is_image(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or Path(entry.name).suffix.lower() not in IMAGE_SUFFIXES:
        return False
    if entry.is_symlink():
        return os.path.isfile(entry.path) or not os.path.exists(entry.path)
    return entry.is_file(follow_symlinks=False)
