"""Do training and test clips show the same pictures, people or films? What does makes a test part easier than it looks.

Three keyframes of each clip (first, middle, last) are hashed by which of neighbouring cells of a 17 x 16 grid is
brighter (dHash, 256 bits). Copies that were compressed again, made smaller or brighter differ in at most about a tenth
of the bits, drawn faces of different people in a sixth and more; a crop or a mirrored copy is not found. Clips of one
film or person with the camera at rest look alike too, and are rightly named. People and films that the index names are
compared by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from emotrain.datasets.clips import read_index
from emotrain.records import Clip
from emotrain.video.frame_store import FrameStore

ALIKE = 26
"""Bits of 256 in which two frames may differ and be the same picture."""
FLAT = 4.0
"""Standard deviation in grey levels below which a frame shows nothing to be known by."""
_SIDE, _AT_ONCE, _SHOWN = 16, 64, 10

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Twins:
    """Two clips of different parts of a data set, and in how many of 256 bits their most similar frames differ."""

    first: str
    second: str
    parts: tuple[str, str]
    bits: int


@dataclass(frozen=True, slots=True)
class Across:
    """What two parts have in common: clips that look alike, the most similar first, subjects and sources by name."""

    clips: int
    twins: tuple[Twins, ...]
    shared: dict[str, tuple[str, ...]]

    def lines(self) -> list[str]:
        """What was found as lines of text; the ten most similar pairs are named."""
        said = f"{len(self.twins)} pairs of {self.clips} clips in different parts show nearly the same picture"
        lines = [said + (": one of each pair should go, or both into one part" if self.twins else "")]
        lines += [
            f"  {one.first} ({one.parts[0]}) and {one.second} ({one.parts[1]}): {one.bits} of 256 bits"
            for one in self.twins[:_SHOWN]
        ]
        lines += [f"  and {len(self.twins) - _SHOWN} more"] if len(self.twins) > _SHOWN else []
        for what, names in self.shared.items():
            lines.append(f"{len(names)} {what}s stand in more than one part: {', '.join(names[:_SHOWN])}")
        return lines


def across_parts(data: Path) -> Across:
    """What is alike in different test folds, or in test and train, of a data folder with extracted frames.

    Raises FileNotFoundError where there is no index or no frames, naming the command that makes them.
    """
    clips = read_index(data).clips
    store = FrameStore(data / "frames")
    stored = set(store.clip_ids())
    parts = _parts(clips)
    of_frames, hashes = [], []
    for place, clip in enumerate(clips):
        if clip.clip_id in stored:
            found = [frame.image for frame in store.keyframes(clip.clip_id)]
            mine = [h for i in sorted({0, len(found) // 2, len(found) - 1}) if (h := frame_hash(found[i])) is not None]
            of_frames += [place] * len(mine)
            hashes += mine
    twins = []
    if hashes:
        codes = np.unique(parts, return_inverse=True)[1]
        for (first, second), bits in _alike(np.stack(hashes), np.array(of_frames), codes).items():
            pair = clips[first].clip_id, clips[second].clip_id
            twins.append(Twins(*pair, (parts[first], parts[second]), bits))
    shared: dict[str, tuple[str, ...]] = {}
    for what in ("subject", "source"):
        inside: dict[str, set[str]] = {}
        for clip, part in zip(clips, parts):
            if getattr(clip, what) is not None:
                inside.setdefault(getattr(clip, what), set()).add(part)
        names = tuple(sorted(name for name, of_name in inside.items() if len(of_name) > 1))
        shared |= {what: names} if names else {}
    return Across(len(stored), tuple(sorted(twins, key=lambda one: (one.bits, one.first, one.second))), shared)


def frame_hash(image: bytes) -> Hashes | None:
    """(4,) uint64 dHash of an encoded image; None for one that is flat or cannot be read."""
    grey = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None or grey.std() < FLAT:
        return None
    small = cv2.resize(grey, (_SIDE + 1, _SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(small[:, 1:] > small[:, :-1]).view(np.uint64)


def _parts(clips: Sequence[Clip]) -> list[str]:
    """The part of each clip that another must not look into: its test fold, or test and what is not test."""
    if any(clip.test_fold is not None for clip in clips):
        return [f"fold {clip.test_fold}" for clip in clips]
    return ["test" if clip.split == "test" else "train" for clip in clips]


def _alike(hashes: Hashes, places: npt.NDArray[np.int64], codes: npt.NDArray[np.int64]) -> dict[tuple[int, int], int]:
    """Places of clips in different parts with frames at most ALIKE bits apart, and how many the nearest are."""
    found: dict[tuple[int, int], int] = {}
    of_frame = codes[places]
    for start in range(0, len(hashes), _AT_ONCE):
        block = slice(start, start + _AT_ONCE)
        bits = np.bitwise_count(hashes[block, None] ^ hashes[None, start:]).sum(-1, dtype=np.int64)
        rows, columns = np.nonzero((bits <= ALIKE) & (of_frame[block, None] != of_frame[None, start:]))
        for row, column in zip(rows.tolist(), columns.tolist()):
            first, second = sorted((int(places[start + row]), int(places[start + column])))
            pair = first, second
            found[pair] = min(found.get(pair, 256), int(bits[row, column]))
    return found
