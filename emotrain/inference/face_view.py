"""Where the face of a new video is, and what of the frames its model must therefore see.

An adapter was trained on aligned crops, on faces that were followed, or on whole frames; a new video is brought to the
same. A video without a face is refused: whatever were told of it would be invented.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from emotrain.clip_errors import ClipError
from emotrain.examples.input_contract import InputContract
from emotrain.faces.check import ENOUGH
from emotrain.faces.detectors import Detector, KnownFaces, detector_of
from emotrain.faces.find import FoundFaces, find_faces
from emotrain.faces.path import FacePath
from emotrain.faces.prior_path import PriorPath, in_place
from emotrain.faces.settings import FaceSettings
from emotrain.records import Clip
from emotrain.video.crop import WHOLE, Box
from emotrain.video.decode import open_clip
from emotrain.video.framing import Followed, Look, View

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FaceState:
    """What is known of the face that a reading is about.

    `seen` is the share of the clip's time in which it was seen, `faces` the number of faces in the clip, `width_px` its
    median width, `yaw` the median turn of the head in degrees, `track` its number from the left, counted from 1, `box`
    its median box in fractions of the frame, `read` what the model was shown. `picture` is a JPEG of a frame with the
    boxes of all faces, the chosen one drawn strong.
    """

    seen: float
    faces: int
    width_px: float
    yaw: float
    track: int
    box: tuple[float, float, float, float]
    read: str
    picture: bytes = b""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values, without the picture."""
        values = {name: getattr(self, name) for name in ("seen", "faces", "width_px", "yaw", "track", "read")}
        return {**values, "box": list(self.box)}


class FaceView:
    """Finds faces the way an adapter's training did; weights are looked for when the first video comes."""

    def __init__(self, contract: InputContract) -> None:
        known = dict(contract.faces)
        self.settings = FaceSettings(
            known.get("detector", "yunet"), known.get("size", 640), str(known.get("face", "largest"))
        )
        self.trained_with = known.get("digest")
        self.aligned = known.get("in_place") is None or float(known["in_place"]) >= ENOUGH
        self.crop = str(contract.frames.get("crop", "none"))
        self.view: View = contract.frames.get("view", "face")
        self._lock = Lock()

    @cached_property
    def detector(self) -> Detector | KnownFaces:
        """The detector; raises what its weights raise when they cannot be had."""
        made = detector_of(self.settings)
        if self.trained_with is not None and made.digest() != self.trained_with:
            log.warning(
                "the face detector here (%.12s) is not that of the adapter's training (%.12s): faces may be found "
                "a little elsewhere",
                made.digest(),
                self.trained_with,
            )
        return made

    def find(self, video: Path, clip: Clip) -> FoundFaces:
        """The faces of a video; ClipError for one in which the asked-for face is not seen."""
        with self._lock, open_clip(video, self.settings.decoder) as reader:
            found = find_faces(reader, replace(self.settings, face=self._one()), self.detector, clip)
        if found.clip.track is None:
            raise ClipError(f"{video}: {found.clip.reason}")
        return found

    @property
    def everybody(self) -> bool:
        """Whether each person of a video is read."""
        return self.settings.face == "all"

    def _one(self) -> str:
        return "largest" if self.everybody else self.settings.face

    def look(self, found: FoundFaces, track: int) -> tuple[Look, str]:
        """What is read of every frame for one face, and that in words."""
        path = found.path(track)
        assert path is not None
        cuts_s = found.clip.cuts_s
        if self.crop == "face":
            shown = {"face": "the face", "scene": "the whole frame", "both": "the whole frame and the face"}[self.view]
            return Followed(path, self.view, cuts_s), f"{shown}, followed by the eyes"
        if self.crop == "box-from-annotation":
            return _box_of(found, track), "the face's own box, in place of an annotated one"
        if self.crop == "none" and self.aligned and not in_place(path):
            return Followed(PriorPath(path), "face", cuts_s), "the face, aligned by the eyes as in training"
        return ("centre" if self.crop == "centre" else WHOLE), "the frames as they are"

    def state(self, video: Path, found: FoundFaces, track: int, read: str) -> FaceState:
        """What there is to say of one face."""
        path = found.path(track)
        assert path is not None
        mine = [sighting for sighting in found.sightings if sighting.track == track]
        seen_s = sum(end - start for start, end in path.seen)
        boxes = np.array([sighting.box for sighting in mine])
        middle = np.median(boxes, axis=0)
        return FaceState(
            seen=round(min(1.0, seen_s / found.clip.end_s) if found.clip.end_s > 0 else 1.0, 3),
            faces=found.clip.faces,
            width_px=round(float(middle[2] - middle[0]) * found.clip.frame_width, 1),
            yaw=round(float(np.median(path.yaw_deg)), 1),
            track=places(found)[track],
            box=tuple(round(float(side), 4) for side in middle),  # type: ignore[arg-type]
            read=read,
            picture=_picture(video, found, track, path),
        )


def places(found: FoundFaces) -> dict[int, int]:
    """The number of each face from the left, counted from 1, by its track."""
    left = {
        track: float(np.median([(s.box[0] + s.box[2]) / 2 for s in found.sightings if s.track == track]))
        for track in sorted({sighting.track for sighting in found.sightings} & set(range(found.clip.faces)))
    }
    return {track: place for place, track in enumerate(sorted(left, key=lambda track: left[track]), start=1)}


def _box_of(found: FoundFaces, track: int) -> Box:
    boxes = np.array([sighting.box for sighting in found.sightings if sighting.track == track])
    left, top, right, bottom = np.clip(np.median(boxes, axis=0), 0.0, 1.0)
    return Box(float(left), float(top), float(right), float(bottom))


def _picture(video: Path, found: FoundFaces, track: int, path: FacePath) -> bytes:
    import cv2

    mine = [sighting for sighting in found.sightings if sighting.track == track]
    at = max(mine, key=lambda sighting: sighting.score).time_s
    with open_clip(video) as reader:
        image = reader.frames([int(np.abs(reader.times_s - at).argmin())], 480)[0]
    canvas = np.ascontiguousarray(image[..., ::-1])
    size = np.array([canvas.shape[1], canvas.shape[0]] * 2)
    numbers = places(found)
    for sighting in (s for s in found.sightings if abs(s.time_s - at) < 1e-6):
        chosen = sighting.track == track
        left, top, right, bottom = (int(side) for side in np.array(sighting.box) * size)
        colour = (80, 200, 40) if chosen else (190, 190, 190)
        cv2.rectangle(canvas, (left, top), (right, bottom), colour, 3 if chosen else 1, cv2.LINE_AA)
        if sighting.track in numbers:
            place = (left, max(top - 6, 14))
            cv2.putText(
                canvas, str(numbers[sighting.track]), place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, 2, cv2.LINE_AA
            )
    return bytes(cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, 85])[1])
