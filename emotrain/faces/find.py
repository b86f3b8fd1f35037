"""The faces of one clip, in memory: what the stage stores, and what a new video is read by.

settings = FaceSettings()
with open_clip(Path("clip.mp4")) as reader:
    found = find_faces(reader, settings, detector_of(settings))
path = found.path()                        # None: found.clip.reason says why
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import cast

import numpy as np
from numpy.typing import NDArray

from emotrain.faces.choice import Person, choose
from emotrain.faces.detectors import Detected, Detector, KnownFaces
from emotrain.faces.looking import Looker
from emotrain.faces.path import FacePath, face_path
from emotrain.faces.records import ClipFaces, Sighting
from emotrain.faces.rule import in_words, is_face
from emotrain.faces.settings import FaceSettings
from emotrain.faces.stretches import shot_at, stretches
from emotrain.faces.tracking import tracks_of
from emotrain.faces.views import cuts_and_views
from emotrain.faces.yaw import yaw_deg
from emotrain.records import Clip
from emotrain.video.reader import ClipReader

Look = tuple[float, Sequence[Detected]]


@dataclass(frozen=True)
class FoundFaces:
    """The faces of a clip: its record, and the sightings of all its faces in order of time."""

    clip: ClipFaces
    sightings: tuple[Sighting, ...]

    def path(self, track: int | None = None) -> FacePath | None:
        """The path of the chosen face, or of face `track`; None when the clip has no such face."""
        track = self.clip.track if track is None else track
        mine = [sighting for sighting in self.sightings if sighting.track == track]
        return face_path(self.clip, mine) if mine else None

    def paths(self) -> dict[int, FacePath]:
        """The path of every face by its track."""
        return {track: path for track in range(self.clip.faces) if (path := self.path(track)) is not None}


def find_faces(
    reader: ClipReader, settings: FaceSettings, detector: Detector | KnownFaces, clip: Clip | None = None
) -> FoundFaces:
    """The faces of an open clip, in one decoding pass.

    A clip without a face is no error here: `found.clip.track` is then None and `found.clip.reason` says why. `clip` is
    needed for faces that somebody has already found (`KnownFaces`). Raises ClipError when the video cannot be read,
    ValueError for known faces without `clip`.
    """
    looks_itself = hasattr(detector, "faces_in")
    looker = Looker(cast(Detector, detector) if looks_itself else None, settings.size, reader.stated_fps())
    reader.watch(looker.see)
    times_s = reader.times_s
    height, width = looker.shape
    looks = looker.looks
    if not looks_itself:
        if clip is None:
            raise ValueError(f"detector {settings.detector}: faces of files are looked up by clip; pass the clip too")
        looks = cast(KnownFaces, detector).known(clip, reader.path, times_s, width, height)
    cells = np.stack(looker.cells)
    return told(
        clip.clip_id if clip is not None else reader.path.stem,
        [(float(times_s[index]), faces) for index, faces in looks],
        cells,
        times_s,
        (width, height),
        settings.face,
    )


def told(
    clip_id: str,
    looks: Sequence[Look],
    cells: NDArray[np.uint8],
    times_s: NDArray[np.float64],
    shown: tuple[int, int],
    face: str,
) -> FoundFaces:
    """From what was seen in each look to the clip's faces; `cells` (T, 32, 32) are all its frames in grey."""
    cuts_s, views = cuts_and_views(cells, times_s)
    width, height = shown
    looks_s = tuple(time_s for time_s, _ in looks)
    end_s = float(times_s[-1])
    shots = [shot_at(cuts_s, time_s) for time_s in looks_s]
    blank = ClipFaces(clip_id, 0.0, 0, None, None, None, width, height, tuple(cuts_s), looks_s, end_s)
    kept: list[tuple[list[Sighting], float]] = []
    best = 0.0
    for track in tracks_of([faces for _, faces in looks], looks_s, [views[shot] for shot in shots]):
        sightings = [
            _sighting(clip_id, len(kept), shots[look], looks_s[look], seen, shown) for look, seen in track.seen
        ]
        parts = stretches(blank, sightings)
        looked = sum(_looks_between(looks_s, sightings[part.first], sightings[part.last]) for part in parts)
        scores = [sighting.score for sighting in sightings]
        seen_s = sum(part.end_s - part.start_s for part in parts)
        best = max(best, fmean(scores))
        if is_face(scores, looked, seen_s, _length(cuts_s, end_s, sightings[0].shot)):
            kept.append((sightings, seen_s))
    persons = [_person(sightings, seen_s) for sightings, seen_s in kept]
    chosen, reason = choose(persons, face)
    if not persons:
        reason = f"no face: {in_words(len(looks), best)}"
    record = ClipFaces(
        clip_id,
        0.0 if chosen is None else min(1.0, kept[chosen][1] / end_s if end_s > 0 else 1.0),
        len(kept),
        None if chosen is None else median((seen.box[2] - seen.box[0]) * width for seen in kept[chosen][0]),
        chosen,
        reason,
        width,
        height,
        tuple(cuts_s),
        looks_s,
        end_s,
    )
    rows = sorted((seen for sightings, _ in kept for seen in sightings), key=lambda seen: (seen.time_s, seen.track))
    return FoundFaces(record, tuple(rows))


def _sighting(clip_id: str, track: int, shot: int, time_s: float, seen: Detected, shown: tuple[int, int]) -> Sighting:
    left, top, right, bottom = (float(side) for side in seen.box)
    return Sighting(
        clip_id,
        track,
        shot,
        time_s,
        seen.score,
        (left, top, right, bottom),
        tuple((float(x), float(y)) for x, y in seen.landmarks),
        float(yaw_deg(seen.landmarks * shown)),
    )


def _looks_between(looks_s: Sequence[float], first: Sighting, last: Sighting) -> int:
    return sum(first.time_s <= time_s <= last.time_s for time_s in looks_s)


def _length(cuts_s: Sequence[float], end_s: float, shot: int) -> float:
    edges = [0.0, *cuts_s, end_s]
    return edges[shot + 1] - edges[shot]


def _person(sightings: Sequence[Sighting], seen_s: float) -> Person:
    boxes = np.array([sighting.box for sighting in sightings])
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    score = fmean(sighting.score for sighting in sightings)
    x, y = np.median(middle, axis=0).tolist()
    return Person(sightings[0].track, x, y, float(np.median(area)), seen_s, score)
