"""Where the parts of a face lie in an aligned face crop: the prior that motion regions and drawn faces share.

Public face-expression crops (DFEW and MAFW at 224x224 among them) are aligned so that the eyes lie near the upper third
and the mouth near the lower quarter. Coordinates are fractions of the crop's width and height, x to the right, y down;
"left" and "right" are the subject's own, as in FACS, so the subject's left lies at larger x.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaceLayout:
    """Landmarks of a frontal face in crop fractions; the defaults are the aligned-crop prior."""

    right_eye: tuple[float, float] = (0.335, 0.42)
    left_eye: tuple[float, float] = (0.665, 0.42)
    brow_y: float = 0.315
    nose_tip: tuple[float, float] = (0.5, 0.60)
    mouth: tuple[float, float] = (0.5, 0.755)
    mouth_half_width: float = 0.135
    chin_y: float = 0.95

    @property
    def inter_ocular(self) -> float:
        """Distance between the eye centres, as a fraction of the crop's width: the unit of facial motion."""
        return self.left_eye[0] - self.right_eye[0]


ALIGNED_CROP = FaceLayout()
