"""MediaPipe's face landmarker (478 points, 52 blendshapes; Apache-2.0) in OpenCV's network module.

Two networks of `face_landmarker.task`: points from a picture of an upright face, blendshapes from 146 of the points
(Grishchenko et al., "Blendshapes GHUM: Real-time Monocular Facial Blendshape Prediction", 2023). The picture is laid
as MediaPipe's own tracker lays it, 1.5 times the points' square: the eyes `EYES` of its width apart.
"""

from __future__ import annotations

import zipfile
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import FaceLayout
from emotrain.faces.weights import WEIGHTS, DamagedWeights, weights_file

SIZE = 256
EYES, EYES_Y = 0.23, 0.357
"""Distance between the eyes and their height, in fractions of the picture."""

PRESENT = 0.0
"""Logit of the network's own opinion that this is a face."""

POINTS, DETECTOR, SHAPES = 478, "face_landmarks_detector.tflite", "face_blendshapes.tflite"

# fmt: off
BLENDSHAPES = [
    "neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
]
# fmt: on
"""In the network's order; left and right are the subject's own."""

# fmt: off
SUBSET = np.array([
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
    81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153,
    154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251,
    263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318,
    321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386,
    387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, *range(468, 478),
])
# fmt: on
"""The points that the second network takes, in its order."""


class Landmarker:
    """Blendshapes of upright faces; some 13 ms a picture on one core."""

    def __init__(self) -> None:
        """Fetches the weights if they are nowhere here (see weights.py for what it may raise)."""
        self.file = weights_file("landmarker")

    def digest(self) -> str:
        """sha256 of the weights."""
        return WEIGHTS["landmarker"].sha256

    def blendshapes(self, crop: NDArray[np.uint8], layout: FaceLayout) -> NDArray[np.float32] | None:
        """(52,) float32 from 0 to 1 in the order of BLENDSHAPES, of the face that lies in (H, W, 3) RGB `crop` as
        `layout` says; None when the network sees no face there."""
        import cv2

        points_of, shapes_of = _networks(self.file)
        picture = cv2.warpAffine(
            crop,
            _laid(layout, crop.shape[1], crop.shape[0]),
            (SIZE, SIZE),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        points_of.setInput(cv2.dnn.blobFromImage(picture, 1 / 255))
        points, present = points_of.forward(["Identity", "Identity_1"])
        if float(present.ravel()[0]) < PRESENT:
            return None
        chosen = points.reshape(POINTS, 3)[SUBSET, :2]
        shapes_of.setInput(np.ascontiguousarray(chosen[None], np.float32))
        return np.asarray(shapes_of.forward(), np.float32).ravel().copy()


def _laid(layout: FaceLayout, width: int, height: int) -> NDArray[np.float64]:
    """(2, 3) from the pixels of a crop to those of the networks' picture."""
    scale = EYES * SIZE / (layout.inter_ocular * width)
    x = (layout.right_eye[0] + layout.left_eye[0]) / 2 * width
    y = (layout.right_eye[1] + layout.left_eye[1]) / 2 * height
    return np.array([[scale, 0, 0.5 * SIZE - scale * x], [0, scale, EYES_Y * SIZE - scale * y]])


@lru_cache(1)
def _networks(file: Path) -> tuple[Any, Any]:
    import cv2

    # The new engine of OpenCV 5 returns one of the outputs; OpenCV heeds the choice for files only.
    engine = {"engine": cv2.dnn.ENGINE_CLASSIC} if hasattr(cv2.dnn, "ENGINE_CLASSIC") else {}
    try:
        with zipfile.ZipFile(file) as task, TemporaryDirectory() as folder:
            return tuple(  # type: ignore[return-value]
                cv2.dnn.readNetFromTFLite(task.extract(name, folder), **engine) for name in (DETECTOR, SHAPES)
            )
    except (cv2.error, zipfile.BadZipFile, KeyError) as error:
        raise DamagedWeights(
            f"{file}: OpenCV {cv2.__version__} cannot read these networks ({error}); blendshapes need 4.12 or newer: "
            "pip install -U opencv-python-headless"
        ) from error
