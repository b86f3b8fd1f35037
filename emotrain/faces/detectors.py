"""The face detectors by name: a new one is a function from `FaceSettings` to it, and a line in the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from emotrain.faces.settings import FaceSettings
    from emotrain.records import Clip
    from emotrain.video.reader import Pixels, Times


@dataclass(frozen=True)
class Detected:
    """One face in one picture, in fractions of the whole frame: `box` (4,) left, top, right, bottom and `landmarks`
    (5, 2) in the order of `records.LANDMARKS`. `person` is the number that the source itself gave this face."""

    score: float
    box: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    person: int | None = None


class Detector(Protocol):
    """Finds the faces in a picture."""

    def faces_in(self, picture: Pixels) -> list[Detected]:
        """The faces in (H, W, 3) uint8 RGB with square pixels, in fractions of this picture."""

    def digest(self) -> str:
        """What decides its answers: the sha256 of the weights."""


class KnownFaces(Protocol):
    """Faces that somebody has already found; no picture is looked at."""

    def known(
        self, clip: Clip, video: Path, times_s: Times, width: int, height: int
    ) -> list[tuple[int, list[Detected]]]:
        """(frame, faces) of each looked-at frame of a clip, in order; its frames are shown at `times_s`, `width` x
        `height` pixels large. Raises ClipError for a clip that has none."""

    def digest(self) -> str:
        """Hash of the files that they come from."""


def _yunet(settings: FaceSettings) -> Detector:
    from emotrain.faces.yunet import YuNet

    return YuNet()


def _openface(settings: FaceSettings) -> KnownFaces:
    from emotrain.faces.own_tracks import PointTracks

    return PointTracks(_tracks(settings), first_frame=1)


def _py_feat(settings: FaceSettings) -> KnownFaces:
    from emotrain.faces.own_tracks import PointTracks

    return PointTracks(_tracks(settings), first_frame=0)


def _landmarks68(settings: FaceSettings) -> KnownFaces:
    from emotrain.faces.own_tracks import PointFolder

    return PointFolder(_tracks(settings))


def _boxes(settings: FaceSettings) -> KnownFaces:
    from emotrain.faces.own_tracks import OwnBoxes

    return OwnBoxes(_tracks(settings))


DETECTORS: dict[str, Callable[[FaceSettings], Detector | KnownFaces]] = {
    "yunet": _yunet,
    "openface": _openface,
    "py-feat": _py_feat,
    "landmarks68": _landmarks68,
    "boxes": _boxes,
}


def _tracks(settings: FaceSettings) -> Path:
    if settings.tracks is None:
        raise ValueError(f"face detector {settings.detector} reads files that you have; name them in `tracks`")
    return Path(settings.tracks)


def detector_of(settings: FaceSettings) -> Detector | KnownFaces:
    """The detector that the settings name, ready to be used; says what is missing when it is not."""
    return DETECTORS[settings.detector](settings)


def overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return float(shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared))


def distinct(faces: Sequence[Detected], most: float = 0.6) -> list[Detected]:
    """The best scored of those that overlap by `most` or more."""
    kept: list[Detected] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(overlap(face.box, other.box) < most for other in kept):
            kept.append(face)
    return kept
