"""One person's face through a clip: dense, smoothed, and silent about the time in which it was not seen.

A detector places each landmark a few percent of the eye distance off, differently in every frame. What is wanted is the
motion of the head, so the point between the eyes, their distance and their direction are smoothed over time by a
local straight line (a kernel of `SMOOTH_S`), never across a cut or a loss, and in between interpolated by the cubic
that has those values and slopes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import FaceLayout
from emotrain.faces.alignment import measured_layout, similarity
from emotrain.faces.records import ClipFaces, Sighting
from emotrain.faces.stretches import stretches
from emotrain.faces.yaw import yaw_deg

SMOOTH_S = 0.25
"""Standard deviation of the kernel in seconds. A shorter one follows a fast head more closely, and the detector's
scatter as well, which flow then takes for the motion of a face: the onset of a real smile that is rolled by 20 degrees
was told 0.2 s early at 0.09 s and rightly from 0.15 s on."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class FacePath:
    """`times_s` (N,) float64, `landmarks` (N, 5, 2) float32 in fractions of the frame, smoothed, `yaw_deg` (N,) and
    `eye_distance_px` (N,) float32 of the N sightings; `seen` the stretches (start_s, end_s) in which the face was seen,
    none of which bridges a cut or a loss; `layout` where the parts of the face lie in the aligned crop."""

    track: int
    times_s: Values
    landmarks: NDArray[np.float32]
    yaw_deg: NDArray[np.float32]
    eye_distance_px: NDArray[np.float32]
    seen: tuple[tuple[float, float], ...]
    layout: FaceLayout
    _stretches: tuple[_Piece, ...]

    def matrices(self, times_s: NDArray[np.float64], width: int, height: int, size: int) -> NDArray[np.float32]:
        """(T, 2, 3) float32 similarities from the pixels of a `width` x `height` frame to those of the aligned crop.

        `width` and `height` are of the shown frame, at any scale; pixels are square. At times in which the face was not
        seen (see `seen_at`) the nearest stretch's end is held.
        """
        times = np.asarray(times_s, np.float64)
        state = np.empty((len(times), 4))
        near = self._nearest(times)
        for number, piece in enumerate(self._stretches):
            mine = near == number
            state[mine] = piece.at(times[mine])
        scale = np.array([width, height], np.float64)
        across = state[:, 2:] * scale
        return similarity(
            state[:, :2] * scale, np.arctan2(across[:, 1], across[:, 0]), np.hypot(across[:, 0], across[:, 1]), size
        )

    def seen_at(self, times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(T,) whether the face was seen at each time."""
        times = np.asarray(times_s, np.float64)
        inside = [(start <= times) & (times <= end) for start, end in self.seen]
        return np.logical_or.reduce(inside) if inside else np.zeros(len(times), bool)

    def _nearest(self, times: Values) -> NDArray[np.intp]:
        away = [np.maximum(start - times, times - end).clip(0) for start, end in self.seen]
        return np.argmin(np.stack(away), axis=0)


@dataclass(frozen=True)
class _Piece:
    """The eyes in one stretch: `values` and `slopes` (N, 4) of their middle and of the way from right to left."""

    times_s: Values
    values: Values
    slopes: Values

    def at(self, times: Values) -> Values:
        """(T, 4); constant outside the sightings."""
        if len(self.times_s) == 1:
            return np.repeat(self.values, len(times), axis=0)
        times = np.clip(times, self.times_s[0], self.times_s[-1])
        right = np.clip(np.searchsorted(self.times_s, times, side="right"), 1, len(self.times_s) - 1)
        step = self.times_s[right] - self.times_s[right - 1]
        u = ((times - self.times_s[right - 1]) / step)[:, None]
        # The cubic through both ends with their slopes (Hermite's basis).
        return (
            (1 + 2 * u) * (1 - u) ** 2 * self.values[right - 1]
            + u**2 * (3 - 2 * u) * self.values[right]
            + step[:, None] * u * (1 - u) * ((1 - u) * self.slopes[right - 1] - u * self.slopes[right])
        )


def face_path(clip: ClipFaces, sightings: Sequence[Sighting]) -> FacePath:
    """The path through `sightings` of one track of `clip`, in order of time; ValueError for none."""
    if not sightings:
        raise ValueError(f"clip {clip.clip_id!r}: a face path needs at least one sighting")
    times = np.array([sighting.time_s for sighting in sightings])
    raw = np.array([sighting.landmarks for sighting in sightings], np.float64)
    shown = np.array([clip.frame_width, clip.frame_height], np.float64)
    parts = stretches(clip, sightings)
    smooth = np.empty_like(raw)
    pieces: list[_Piece] = []
    for part in parts:
        inside = slice(part.first, part.last + 1)
        values, slopes = smoothed(times[inside], raw[inside].reshape(part.last + 1 - part.first, 10))
        smooth[inside] = values.reshape(-1, 5, 2)
        pieces.append(_Piece(times[inside], *(_eyes(field.reshape(-1, 5, 2)) for field in (values, slopes))))
    pixels = smooth * shown
    return FacePath(
        sightings[0].track,
        times,
        smooth.astype(np.float32),
        yaw_deg(pixels).astype(np.float32),
        np.linalg.norm(pixels[:, 1] - pixels[:, 0], axis=1).astype(np.float32),
        tuple((part.start_s, part.end_s) for part in parts),
        measured_layout(pixels),
        tuple(pieces),
    )


def _eyes(points: Values) -> Values:
    return np.concatenate([(points[:, 0] + points[:, 1]) / 2, points[:, 1] - points[:, 0]], axis=1)


def smoothed(times_s: Values, values: Values) -> tuple[Values, Values]:
    """Values and slopes (N, C) of local straight lines through `values` (N, C) at `times_s` (N,), a Gaussian kernel of
    `SMOOTH_S` wide; of a single value, itself and 0."""
    out, slopes = np.empty_like(values), np.zeros_like(values)
    reach = 4 * SMOOTH_S
    first = np.searchsorted(times_s, times_s - reach)
    last = np.searchsorted(times_s, times_s + reach, side="right")
    for i, time in enumerate(times_s.tolist()):
        near = slice(first[i], last[i])
        apart = times_s[near] - time
        weight = np.exp(-0.5 * (apart / SMOOTH_S) ** 2)
        weight /= weight.sum()
        mean_t, mean = weight @ apart, weight @ values[near]
        spread = weight @ (apart - mean_t) ** 2
        if spread > 1e-12:
            slopes[i] = (weight * (apart - mean_t)) @ (values[near] - mean) / spread
        out[i] = mean - slopes[i] * mean_t
    return out, slopes
