"""Where a drawn face lands in a picture: similarities from crop fractions to the picture, and its true landmarks.

A similarity is a (2, 3) matrix, a sequence of them (T, 2, 3). The picture is measured in *widths*: x runs 0..1, y from
0 to height / width, so pixels are square whatever the aspect.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP
from emotrain.synthetic.action_units import INDEX
from emotrain.synthetic.eyes import HEIGHT
from emotrain.synthetic.face import CENTRE, Pose, skin_moves
from emotrain.synthetic.identity import Identity
from emotrain.synthetic.plane import MIDDLE

Doubles = NDArray[np.float64]

LANDMARKS = ("right eye", "left eye", "nose tip", "right mouth corner", "left mouth corner")
"""Order of the five landmarks, as face detectors have it; the subject's right lies at smaller x."""


def similarity(
    scale: float | Doubles, degrees: float | Doubles, pivot: tuple[float, float], to: Doubles | tuple[float, float]
) -> Doubles:
    """Turn clockwise and scale about `pivot`, which lands at `to` (..., 2): matrices (..., 2, 3)."""
    to = np.asarray(to, np.float64)
    angle = np.deg2rad(np.asarray(degrees, np.float64))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)
    turn = np.broadcast_to(turn, (*np.broadcast_shapes(turn.shape[:-2], to.shape[:-1]), 2, 2))
    return np.concatenate([turn, (to - turn @ np.asarray(pivot))[..., None]], -1)


def after(second: Doubles, first: Doubles) -> Doubles:
    """The similarity that does `first`, then `second`; leading dimensions broadcast."""
    turn = second[..., :2] @ first[..., :2]
    return np.concatenate([turn, second[..., :2] @ first[..., 2:] + second[..., 2:]], -1)


def apply(matrices: Doubles, points: Doubles) -> Doubles:
    """Points (..., N, 2) after similarities (..., 2, 3)."""
    return points @ np.swapaxes(matrices[..., :2], -1, -2) + matrices[..., None, :, 2]


def head_motion(poses: tuple[Pose, ...]) -> Doubles:
    """What shift, roll and size of each pose do to the crop, (T, 2, 3); the same movement as `Face.render` makes."""
    shift = np.array([(pose.dx, pose.dy) for pose in poses])
    scale, roll = (np.array([getattr(pose, name) for pose in poses]) for name in ("scale", "roll"))
    return similarity(scale, roll, CENTRE, shift + CENTRE)


def landmarks(identity: Identity, units: NDArray[np.floating], yaw: Doubles) -> Doubles:
    """The five landmarks of heads that do not shift or roll, moved as units (T, 19) and yaw (T,) move the skin.

    Returns (T, 5, 2) crop fractions.
    """
    jaw = np.asarray(units[:, INDEX["26"]], np.float64)
    half = ALIGNED_CROP.mouth_half_width * identity.mouth_width * (1 - 0.24 * jaw)
    # The corners sink with the jaw: the same terms as Mouth.draw.
    mouth = ALIGNED_CROP.mouth[1] + identity.mouth_shift + 0.45 * 0.078 * jaw
    eye = ALIGNED_CROP.left_eye[1] + identity.eye_shift + HEIGHT
    away, tip = ALIGNED_CROP.left_eye[0] - MIDDLE, ALIGNED_CROP.nose_tip
    x = (MIDDLE - away, MIDDLE + away, tip[0], MIDDLE - half, MIDDLE + half)
    y = (eye, eye, tip[1], mouth, mouth)
    rest = np.stack([np.stack(np.broadcast_arrays(*part, jaw)[:5], -1) for part in (x, y)], -1)
    # A pixel shows the skin that lies where it is minus the movement *there*: solve for where the skin is seen.
    seen = rest
    for _ in range(4):
        seen = rest + skin_moves(seen, units, yaw)
    return np.asarray(seen, np.float64)
