"""Are the clips what `crop: none` says they are, aligned face crops? A sample of them is looked at, and a warning says
when they are not: motion in a whole scene would be told as the motion of brows and lips."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from emotrain.atomic_files import write_json
from emotrain.clip_errors import ClipError
from emotrain.datasets.clips import ClipIndex
from emotrain.faces.detectors import Detector, KnownFaces, detector_of
from emotrain.faces.find import find_faces
from emotrain.faces.prior_path import in_place
from emotrain.faces.settings import FaceSettings
from emotrain.faces.weights import WeightsMissing, weights_file
from emotrain.json_files import entry, read_object
from emotrain.records import Clip
from emotrain.stable_hash import stable_hash
from emotrain.video.decode import open_clip

CHECKED = "faces_check.json"
SAMPLE = 24
ENOUGH = 0.5
"""Share of the sampled clips whose face must be in place."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InPlace:
    """Of `looked` clips that could be read, `seen` show a face, `in_place` where an aligned crop has it; `faceless` and
    `astray` name one of each kind of the others."""

    looked: int
    seen: int
    in_place: int
    faceless: str | None = None
    astray: str | None = None

    @property
    def share(self) -> float | None:
        """Share of the clips whose face is in place; None for no clips."""
        return self.in_place / self.looked if self.looked else None


def check_crops(data: Path) -> InPlace | None:
    """Look at a sample of an indexed data folder once and keep the result in `faces_check.json`.

    None where the detector's weights are not on this machine (nothing is fetched for a check). Warns when fewer than
    half of the clips show a face where an aligned crop has it.
    """
    try:
        weights_file("yunet", fetch=False)
    except WeightsMissing:
        log.warning(
            "%s: crop: none takes the clips for aligned face crops, and nobody has looked: run `emotrain faces fetch` "
            "once to have a sample checked, or say crop: face for whole scenes",
            data,
        )
        return None
    index = ClipIndex(data)
    chosen = sorted(index, key=lambda clip: stable_hash(clip.clip_id))[:SAMPLE]
    found = look_at(index, chosen, detector_of(FaceSettings()))
    write_json(asdict(found), data / CHECKED)
    if found.share is not None and found.share < ENOUGH:
        log.warning(
            "%s: crop: none takes the clips for aligned face crops, but of %d looked at only %d show a face where such "
            "crops have it (%d show none%s%s); say crop: face in the recipe, or index the aligned crops of the set",
            data,
            found.looked,
            found.in_place,
            found.looked - found.seen,
            f", such as {found.faceless}" if found.faceless else "",
            f"; elsewhere in {found.astray}" if found.astray else "",
        )
    return found


def read_check(data: Path) -> InPlace | None:
    """What was kept of the look at a data folder; None where nobody has looked."""
    path = data / CHECKED
    remedy = "delete it: `emotrain prep RECIPE` looks again"
    if not path.is_file():
        return None
    found = read_object(path, remedy)
    counts = [entry(found, name, int, path, remedy) for name in ("looked", "seen", "in_place")]
    return InPlace(*counts)


def look_at(index: ClipIndex, clips: Sequence[Clip], detector: Detector | KnownFaces) -> InPlace:
    """Where the faces of these clips are; clips that cannot be read do not count."""
    looked = seen = placed = 0
    faceless = astray = None
    for clip in clips:
        try:
            with open_clip(index.path(clip), fps=clip.fps) as reader:
                path = find_faces(reader, FaceSettings(), detector, clip).path()
        except ClipError:
            continue
        looked += 1
        if path is None:
            faceless = faceless or clip.clip_id
        elif in_place(path):
            placed += 1
        else:
            astray = astray or clip.clip_id
        seen += path is not None
    return InPlace(looked, seen, placed, faceless, astray)
