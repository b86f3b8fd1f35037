"""What of a clip's frames is read: a fixed part of all of them, or a face that is followed from frame to frame.

The room above finds faces; here is only what a reader needs of one: a similarity a frame into the aligned crop, and
when the face was seen at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from emotrain.records import Clip
from emotrain.video.crop import WHOLE, Box

View = Literal["face", "scene", "both"]
VIEWS: tuple[View, ...] = get_args(View)
"""What a keyframe of a followed face shows: the aligned face, the whole frame, or the one below the other."""

Crop = Literal["none", "centre", "box-from-annotation", "face"]
CROPS: tuple[Crop, ...] = get_args(Crop)
"""The whole frame, its largest centred square, a box from a table, or the face that the faces stage found."""


class Path(Protocol):
    """One face through a clip; `faces.path.FacePath` is one."""

    def matrices(self, times_s: NDArray[np.float64], width: int, height: int, size: int) -> NDArray[np.float32]:
        """(T, 2, 3) similarities from the pixels of a `width` x `height` frame to those of the aligned crop."""

    def seen_at(self, times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(T,) whether the face was seen at each time."""


@dataclass(frozen=True)
class Followed:
    """Read along `path`; keyframes are shown as `view` says, motion always looks at the face. `cuts_s` are the times at
    which the whole picture is cut."""

    path: Any
    view: View = "face"
    cuts_s: tuple[float, ...] = ()


Look = Box | Literal["centre"] | Followed
"""What a `ClipReader` reads of every frame."""


class Framing(Protocol):
    """Says for each clip what of it is read. It travels to worker processes, so it must pickle."""

    def of(self, clip: Clip) -> Look:
        """What is read of this clip; ClipError when that cannot be told."""

    def fingerprint(self) -> str | None:
        """Hex digits of everything beside the settings that decides it; None for nothing."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same part of every clip."""

    look: Look = WHOLE

    def of(self, clip: Clip) -> Look:
        """That part."""
        return self.look

    def fingerprint(self) -> None:
        """Nothing beside the settings."""
        return None


def fixed(crop: str) -> Fixed:
    """The framing of a crop that depends on no clip; ValueError for one that does."""
    if crop not in ("none", "centre"):
        raise ValueError(f"crop: {crop} is of the clip; open it with faces.framing.framing_of(data, ...)")
    return Fixed("centre" if crop == "centre" else WHOLE)
