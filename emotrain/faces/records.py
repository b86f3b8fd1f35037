"""What the faces stage writes: a row for each face of each looked-at frame, and a row for each clip.

Both lie in `faces/part-*.parquet`, the rows of a clip together: first the clip's own, whose `clip` is filled and whose
`track` is null, then its sightings in order of time. Coordinates are fractions of the upright frame with square pixels
(rotation and sample aspect ratio applied), x to the right, y down. Times are presentation times in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

Point = tuple[float, float]

LANDMARKS = ("right eye", "left eye", "nose tip", "right mouth corner", "left mouth corner")
"""The five points of a face, in order; right and left are the subject's own, as in face_layout.py."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One face in one looked-at frame. `box` is (left, top, right, bottom) and may reach outside the frame,
    `landmarks` are the five of `LANDMARKS`, `yaw_deg` is positive where the nose points to larger x."""

    clip_id: str
    track: int
    shot: int
    time_s: float
    score: float
    box: tuple[float, float, float, float]
    landmarks: tuple[Point, ...]
    yaw_deg: float | None = None
    blendshapes: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class ClipFaces:
    """What was found in one clip.

    `seen_share` is the share of the clip's time in which the chosen face was seen, `faces` the number of faces that
    pass the rule of `rule.py`, `width_px` the median width of the chosen one's box in shown pixels, `track` the chosen
    one, `reason` why it was chosen or why there is none. `cuts_s` are the times at which another shot begins,
    `looks_s` those of the looked-at frames, `end_s` that of the last frame.
    """

    clip_id: str
    seen_share: float
    faces: int
    width_px: float | None
    track: int | None
    reason: str | None
    frame_width: int
    frame_height: int
    cuts_s: tuple[float, ...] = ()
    looks_s: tuple[float, ...] = ()
    end_s: float = 0.0


_text, _int, _real, _time = pa.string(), pa.int32(), pa.float32(), pa.float64()

CLIP_FACES = pa.struct(
    [
        ("seen_share", _real),
        ("faces", _int),
        ("width_px", _real),
        ("track", _int),
        ("reason", _text),
        ("frame_width", _int),
        ("frame_height", _int),
        ("cuts_s", pa.list_(_time)),
        ("looks_s", pa.list_(_time)),
        ("end_s", _time),
    ]
)
# Lists of no fixed size: up to version 24 Arrow cannot read fixed ones with a null among them, as a clip's own row has.
FACES = pa.schema(
    [
        ("clip_id", _text),
        ("track", _int),
        ("shot", _int),
        ("time_s", _time),
        ("score", _real),
        ("box", pa.list_(_real)),
        ("landmarks", pa.list_(pa.list_(_real))),
        ("yaw_deg", _real),
        ("blendshapes", pa.list_(_real)),
        ("clip", CLIP_FACES),
    ]
)


def face_rows(clip: ClipFaces, sightings: Iterable[Sighting]) -> list[dict[str, Any]]:
    """The rows of one clip by the schema `FACES`."""
    own = asdict(clip)
    return [{"clip_id": own.pop("clip_id"), "clip": own}, *(asdict(sighting) for sighting in sightings)]


def from_rows(table: pa.Table) -> tuple[ClipFaces, tuple[Sighting, ...]]:
    """A clip's record and sightings from its rows; ValueError when they are not the rows of one clip."""
    rows = table.to_pylist()
    if not rows or rows[0]["clip"] is None or any(row["clip"] is not None for row in rows[1:]):
        raise ValueError("expected the rows of one clip, its own first and then its sightings")
    own = rows[0]["clip"]
    clip = ClipFaces(rows[0]["clip_id"], **{**own, "cuts_s": tuple(own["cuts_s"]), "looks_s": tuple(own["looks_s"])})
    return clip, tuple(_sighting(row) for row in rows[1:])


def _sighting(row: dict[str, Any]) -> Sighting:
    values = {name: value for name, value in row.items() if name != "clip"}
    values["box"] = tuple(row["box"])
    values["landmarks"] = tuple((x, y) for x, y in row["landmarks"])
    values["blendshapes"] = None if row["blendshapes"] is None else tuple(row["blendshapes"])
    return Sighting(**values)
