"""What of a clip is read, by the crop of its settings: where the rooms below hand over to the faces that were found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from emotrain.clip_errors import ClipError
from emotrain.faces.find import FoundFaces
from emotrain.faces.store import FaceStore
from emotrain.json_files import entry, read_object
from emotrain.records import Clip
from emotrain.video.crop import Box
from emotrain.video.face_boxes import FaceBoxes
from emotrain.video.framing import Followed, Framing, View, fixed


class Faces(Protocol):
    """Where the faces of clips are looked up; `FaceStore` is the one on disk."""

    def of(self, clip_id: str) -> FoundFaces:
        """A clip's faces; ClipError says why it has none."""


@dataclass(frozen=True, slots=True)
class FaceFraming:
    """Follows the chosen face of each clip. `mark` stands for the settings and the detector that found the faces."""

    faces: Faces
    view: View
    mark: str

    def of(self, clip: Clip) -> Followed:
        """The path of the clip's face; ClipError for a clip without one."""
        found = self.faces.of(clip.clip_id)
        path = found.path()
        if path is None:
            raise ClipError(str(found.clip.reason))
        return Followed(path, self.view, found.clip.cuts_s)

    def fingerprint(self) -> str:
        """The mark."""
        return self.mark


@dataclass(frozen=True, slots=True)
class BoxFraming:
    """The box that a table names for each clip."""

    boxes: FaceBoxes

    def of(self, clip: Clip) -> Box:
        """The clip's box; ClipError when it has none."""
        return self.boxes.of(clip.clip_id)

    def fingerprint(self) -> str:
        """Of all ids and boxes."""
        return self.boxes.fingerprint()


def framing_of(data: Path, crop: str, view: str = "face") -> Framing:
    """The framing of a prepared data folder; FileNotFoundError names the stage or table that is missing."""
    if crop == "box-from-annotation":
        return BoxFraming(FaceBoxes(data / "boxes.parquet"))
    if crop == "face":
        return FaceFraming(FaceStore(data / "faces"), view, face_mark(read_faces_header(data)))  # type: ignore[arg-type]
    return fixed(crop)


FACES_HEADER = Path("faces") / "faces.json"
_REMEDY = "delete the folder `faces` and run `emotrain prep RECIPE --stage faces`"


def read_faces_header(data: Path) -> dict[str, Any]:
    """What `faces/faces.json` says; FileNotFoundError names the stage that writes it."""
    path = data / FACES_HEADER
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no faces here; run data_prep/find_faces.py --data {data} first")
    header = read_object(path, _REMEDY)
    entry(header, "settings", dict, path, _REMEDY)
    entry(header, "detector_digest", str, path, _REMEDY)
    return header


def face_mark(header: dict[str, Any]) -> str:
    """Sixteen hex digits of the settings and the detector that found faces."""
    told = json.dumps([header["settings"], header["detector_digest"]], sort_keys=True)
    return blake2b(told.encode(), digest_size=8).hexdigest()
