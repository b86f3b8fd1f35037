"""One person in one style, in any expression, turn of the head and light: two small image warps a frame.

What `face.Face` is for aligned crops, with a head that turns in space: the picture's coarse grid is traced back to the
painted plane (head_turn), the displacement of the muscles is taken off there, and the lamp shines on the turned relief.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP
from emotrain.synthetic.action_units import AUS, INDEX
from emotrain.synthetic.eyes import EYE_UNITS
from emotrain.synthetic.head_turn import HeadPose, seen_from
from emotrain.synthetic.look import FIELD, Image, Look
from emotrain.synthetic.mouth import MOUTH_UNITS
from emotrain.synthetic.muscles import move_weights
from emotrain.synthetic.plane import MIDDLE, Floats, Plane

_LEAST = 0.002
_COARSE = 2
"""So many pixels of a frame share one traced place."""
_EYE_UNITS = [INDEX[name] for name in EYE_UNITS]
_MOUTH_UNITS = [i for i, name in enumerate(AUS) if name.lstrip("LR") in MOUTH_UNITS]


@dataclass(frozen=True, slots=True)
class Lamp:
    """Where the light comes from (towards the lamp; x right, y down, z to the viewer), how much of it there is
    (`gain`), and how much of it is everywhere (`ambient`, 0..1)."""

    x: float = 0.0
    y: float = -0.4
    z: float = 0.9
    gain: float = 1.0
    ambient: float = 0.5


FRONTAL, OVERHEAD = HeadPose(), Lamp()


class Portrait:
    """Renders one look at one size. Holds the drawing state, so use one object per thread."""

    def __init__(self, look: Look, size: int = 128) -> None:
        if size < 48 or size % _COARSE:
            raise ValueError(f"Portrait size {size}: expected an even number of pixels, at least 48")
        self.look, self.size = look, size
        self.canvas: Image = look.canvas.copy()
        count = size // _COARSE + 2
        # One coarse cell more on every side, so that the finest places lie between coarse ones.
        self.coarse = Plane(count, -_COARSE / size, 1 + _COARSE / size)
        self.normals = look.relief.normals
        self.worn = None if look.props is None else np.ascontiguousarray(look.props)
        self._eyes: object = None
        self._mouth: object = None

    def render(self, units: NDArray[np.floating], pose: HeadPose = FRONTAL, lamp: Lamp = OVERHEAD) -> Image:
        """The face with `units` (19,) in 0..1, order AUS: (size, size, 3) uint8 RGB."""
        if units.shape != (len(AUS),):
            raise ValueError(
                f"Portrait.render: units have shape {units.shape}, expected ({len(AUS)},) in the order of AUS"
            )
        self._redraw(units, pose)
        look = self.look
        place, beside = seen_from(pose, look.relief, self.coarse)
        head = self._proportioned(place)
        source = head - self._moved(units, head)
        fine = self._fine(source)
        at = self._pixels(fine, look.plane)
        frame = cv2.remap(self.canvas, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.remap(look.alpha, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        shade, shine = self._light(head, pose, lamp)
        folded = self._folded(units, fine)
        if folded is not None:
            shade = cv2.multiply(shade, folded)
        frame = cv2.multiply(frame, cv2.cvtColor(shade, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_8U)
        if shine is not None:
            frame = cv2.add(frame, cv2.cvtColor(shine, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_8U)
        weight = alpha.astype(np.float32) * np.float32(1 / 255)
        picture = np.asarray(cv2.blendLinear(frame, self._backdrop(pose, lamp), weight, 1 - weight), np.uint8)
        if self.worn is not None:
            self._wear(picture, head + beside.astype(np.float32) * np.float32(look.prop_height), lamp)
        return picture

    def _redraw(self, units: NDArray[np.floating], pose: HeadPose) -> None:
        gaze = (pose.gaze_x, pose.gaze_y)
        eyes = (units[_EYE_UNITS].tobytes(), tuple(round(g * self.look.plane.per_unit) for g in gaze))
        if eyes != self._eyes:
            self.look.eyes.draw(self.canvas, units, gaze)
            self._eyes = eyes
        mouth = units[_MOUTH_UNITS].tobytes()
        if mouth != self._mouth:
            self.look.mouth.draw(self.canvas, units)
            self._mouth = mouth

    def _proportioned(self, place: Floats) -> Floats:
        """From this face's proportions to those of the plane that it is painted on."""
        look = self.look
        eye_y, mouth_y = ALIGNED_CROP.left_eye[1], ALIGNED_CROP.mouth[1]
        below = np.clip((place[..., 1] - eye_y) / (mouth_y - eye_y), 0, 1.4)
        near = np.exp(-0.5 * ((place[..., 1] - eye_y) / 0.16) ** 2) * np.float32(look.eye_spread)
        x = place[..., 0] - (place[..., 0] - MIDDLE) * near
        return np.stack([x, place[..., 1] - np.float32(look.mouth_drop) * below], axis=-1).astype(np.float32)

    def _moved(self, units: NDArray[np.floating], head: Floats) -> Floats:
        weights = move_weights(units)
        total = np.zeros(self.look.fields.shape[1:], np.float32)
        for i in np.flatnonzero(weights > _LEAST):
            cv2.scaleAdd(self.look.fields[i], float(weights[i]), total, total)
        return np.asarray(_at(total, FIELD, head), np.float32)

    def _fine(self, coarse: Floats) -> Floats:
        """A map of the coarse plane at each pixel of the frame."""
        size = self.size
        matrix = np.array([[1 / _COARSE, 0, 0.5 / _COARSE + 0.5], [0, 1 / _COARSE, 0.5 / _COARSE + 0.5]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(coarse, matrix, (size, size), flags=flags), np.float32)

    @staticmethod
    def _pixels(place: Floats, plane: Plane) -> Floats:
        return (place - np.float32(plane.low)) * np.float32(plane.per_unit) - np.float32(0.5)

    def _light(self, head: Floats, pose: HeadPose, lamp: Lamp) -> tuple[Floats, Floats | None]:
        look = self.look
        towards = np.array([lamp.x, lamp.y, lamp.z])
        towards = towards / np.linalg.norm(towards)
        normals = _at(self.normals, FIELD, head)
        turned = pose.rotation.T
        facing = np.clip(normals @ (turned @ towards).astype(np.float32), 0, 1)
        ambient = 1 - (1 - lamp.ambient) * look.lit
        shade = np.float32(lamp.gain) * (np.float32(ambient) + np.float32(1.1 * (1 - ambient)) * facing)
        shine = None
        if look.gloss:
            half = towards + np.array([0, 0, 1])
            glance = np.clip(normals @ (turned @ (half / np.linalg.norm(half))).astype(np.float32), 0, 1)
            shine = self._fine(np.float32(look.gloss * lamp.gain) * glance**24)
        return self._fine(shade.astype(np.float32)), shine

    def _folded(self, units: NDArray[np.floating], fine: Floats) -> Floats | None:
        active = [i for i in range(len(AUS)) if units[i] > _LEAST]
        if not active:
            return None
        fold = self.look.folds[active[0]] * np.float32(units[active[0]])
        for i in active[1:]:
            cv2.scaleAdd(self.look.folds[i], float(units[i]), fold, fold)
        at = self._pixels(fine, Plane(len(fold), 0.0, 1.0))
        return 1 + np.asarray(cv2.remap(fold, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.float32)

    def _backdrop(self, pose: HeadPose, lamp: Lamp) -> Image:
        """What is behind the head moves with the camera, a third as far as the head does."""
        wide = self.look.backdrop.shape[0]
        per = wide / (1.4 * self.size)
        shift = (0.2 * self.size * per - np.array([pose.dx, pose.dy]) / 3 * self.size * per).astype(np.float32)
        matrix = np.array([[per, 0, shift[0]], [0, per, shift[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(
            self.look.backdrop, matrix, (self.size, self.size), flags=flags, borderMode=cv2.BORDER_REFLECT_101
        )
        return np.asarray(cv2.convertScaleAbs(seen, alpha=lamp.gain), np.uint8)

    def _wear(self, picture: Image, place: Floats, lamp: Lamp) -> None:
        at = self._pixels(self._fine(place), self.look.plane)
        worn = cv2.remap(self.worn, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        *colour, alpha = cv2.split(worn)
        behind = cv2.multiply(picture, cv2.merge([255 - alpha] * 3), scale=1 / 255)
        picture[:] = cv2.add(behind, cv2.convertScaleAbs(cv2.merge(colour), alpha=lamp.gain))


def _at(values: Floats, plane: Plane, place: Floats) -> Floats:
    at = (place - np.float32(plane.low)) * np.float32(plane.per_unit) - np.float32(0.5)
    return np.asarray(cv2.remap(values, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
