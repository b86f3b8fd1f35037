"""A face followed into the crop that public sets are aligned to, for models that were trained on such crops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP, FaceLayout
from emotrain.faces.alignment import EYE_Y, EYES
from emotrain.faces.path import FacePath

LARGER = ALIGNED_CROP.inter_ocular / EYES
"""How much larger a face is in that crop than in the one that faces are followed into here."""

IN_PLACE = 0.08
"""Eyes that lie this close to the prior, in fractions of the crop, are where crops of public sets have them; detectors
and aligners differ by half of it."""


@dataclass(frozen=True)
class PriorPath:
    """`path` with its eyes where the prior has them; everything else is the path's."""

    path: FacePath

    def __getattr__(self, name: str) -> object:
        return getattr(self.path, name)

    @property
    def layout(self) -> FaceLayout:
        """The prior."""
        return ALIGNED_CROP

    def matrices(self, times_s: NDArray[np.float64], width: int, height: int, size: int) -> NDArray[np.float32]:
        """(T, 2, 3) similarities, as those of the path."""
        found = self.path.matrices(times_s, width, height, size) * np.float32(LARGER)
        # The point between the eyes goes from (.5, EYE_Y) to the prior's, both counted from pixel centres.
        eyes_x = (ALIGNED_CROP.right_eye[0] + ALIGNED_CROP.left_eye[0]) / 2
        goal = np.array([eyes_x, ALIGNED_CROP.right_eye[1]]) * size - 0.5
        start = (np.array([0.5, EYE_Y]) * size - 0.5) * LARGER
        found[:, :, 2] += (goal - start).astype(np.float32)
        return found


def in_place(path: FacePath) -> bool:
    """Whether the face lies in the whole frame as in an aligned crop."""
    eyes = np.median(path.landmarks[:, :2], axis=0)
    return bool(np.abs(eyes - np.array([ALIGNED_CROP.right_eye, ALIGNED_CROP.left_eye])).max() <= IN_PLACE)
