"""Dense optical flow of small grey frames, and what is done to them so that changes of the light are no motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrain.motion.face_regions import Floats

FLOW_GRID = 64
"""Flow is computed at 64 x 64: finer than that it follows noise."""

_SMOOTH: Floats = np.array([0.125, 0.75, 0.125], np.float32)
"""Flow is smoothed as if it had been doubled in size and halved again, which takes off the seams between patches."""

UNEVEN = 6.0
"""Mean change of 8 x 8 places, in grey levels, from which light has come to fall from elsewhere or burns out."""

GAIN_RANGE = 1.15
"""From this ratio of the brightest frame to the darkest on, the flow sees frames brought to one brightness."""


def halved(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(T, 64, 64) uint8 block means of (T, 128, 128) frames."""
    import cv2

    return np.stack([cv2.resize(frame, (FLOW_GRID, FLOW_GRID), interpolation=cv2.INTER_AREA) for frame in grey])


def evened(small: NDArray[np.uint8], like: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """The frames at one brightness and contrast where these change much; as they are where they hardly do.

    They are those of the frame `like`, or the medians over all frames. Flow compares patches less their mean: a slow
    drift is harmless, a lamp that goes on is not.
    """
    flat = small.reshape(len(small), -1)
    level = np.maximum(flat.mean(1), 1.0)
    goal = level if like is None else np.maximum(like.mean(keepdims=True).reshape(1), 1.0)
    if max(level.max(), goal.max()) < GAIN_RANGE * min(level.min(), goal.min()):
        return small
    spread = np.maximum(flat.std(1), 1.0)
    gain = np.median(spread if like is None else np.maximum(like.std(), 1.0)) / spread
    even = (flat - level[:, None]) * gain[:, None] + np.median(goal)
    return np.clip(np.rint(even), 0, 255).astype(np.uint8).reshape(small.shape)


def lit_unevenly(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether light still differs by place between two (64, 64) frames of the same brightness and contrast."""
    change = (after.astype(np.float32) - before).reshape(8, 8, 8, 8).mean((1, 3))
    return float(np.abs(change).mean()) > UNEVEN


def flattened(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The frames less their light, wherever it comes from: each place less its surroundings, in units of the contrast
    there."""
    import cv2

    flat = np.empty_like(small)
    for t, frame in enumerate(small):
        log = np.log(frame.astype(np.float32) + 8)
        detail = log - cv2.GaussianBlur(log, (0, 0), 6)
        scaled = detail / np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 12) + 0.02**2)
        flat[t] = np.clip(128 + 42 * scaled, 0, 255)
    return flat


class FlowFromFirst:
    """Displacement from the first frame that it is given to all others; they may come in parts."""

    def __init__(self) -> None:
        import cv2

        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._dis.setFinestScale(0)
        self._first: NDArray[np.uint8] | None = None
        self._flow: Floats | None = None

    def to(self, small: NDArray[np.uint8]) -> Floats:
        """(2, T, 64, 64) displacement to the next T frames, in fractions of the crop."""
        import cv2

        flows = np.zeros((2, len(small), FLOW_GRID, FLOW_GRID), np.float32)
        for t, frame in enumerate(small):
            if self._first is None:
                self._first = frame
                continue
            flow = self._dis.calc(self._first, frame, self._flow)
            self._flow = cv2.sepFilter2D(flow, -1, _SMOOTH, _SMOOTH, borderType=cv2.BORDER_REPLICATE)
            flows[:, t] = self._flow.transpose(2, 0, 1)
        flows /= FLOW_GRID
        return flows
