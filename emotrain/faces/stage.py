"""The faces stage: from clips to the tracks of the faces in them.

Reads `DATA/clips.parquet` and the videos, writes `DATA/faces/part-*.parquet` (see records.py; one row group a clip) and
`DATA/faces/faces.json` with the settings and the digest of the detector. A clip without a face goes to the quarantine
with its reason: nothing is ever told about it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from emotrain.atomic_files import write_json
from emotrain.clip_errors import ClipError, Damaged
from emotrain.datasets.clips import ClipIndex
from emotrain.datasets.paths import inside
from emotrain.faces.detectors import Detector, KnownFaces, detector_of
from emotrain.faces.find import find_faces
from emotrain.faces.records import FACES, face_rows
from emotrain.faces.settings import FaceSettings
from emotrain.json_files import entry, read_object
from emotrain.records import Clip
from emotrain.stages.parts import part_path
from emotrain.stages.quarantine import quarantine_path, read_records
from emotrain.stages.report import StageReport, TooManyBadClips, check_bad_share
from emotrain.stages.stage import check_engine, check_numbers, run_stage
from emotrain.video.decode import open_clip

CLIP_LIMIT_S = 300.0
"""Seconds after which a clip counts as stuck: some hundred times the usual."""

PART_CLIPS = 4096
"""Clips a part by default: some 10 MB."""

FACELESS = "no face"
"""How the reason of a clip begins in which the person that was asked for is not found."""

MOST_FACELESS = 0.25
"""Share of clips without a face that passes without question. Sets of scenes have some; half would be a mistake."""


def find_faces_stage(
    data: Path,
    settings: FaceSettings | None = None,
    *,
    shards: int | None = None,
    only: tuple[int, int] | None = None,
    workers: int | None = None,
    max_bad_share: float = 0.01,
    max_faceless_share: float = MOST_FACELESS,
    limit_s: float | None = CLIP_LIMIT_S,
    engine: str = "local",
    ray_address: str | None = None,
) -> StageReport:
    """Find the faces of every clip of `data/clips.parquet`; the arguments are those of `run_stage`.

    The report counts clips without a face among the quarantined. Raises TooManyBadClips when more than `max_bad_share`
    of the clips cannot be read, or more than `max_faceless_share` show no face; ValueError for a folder that was begun
    with other settings, another detector or another list of clips.
    """
    settings = settings if settings is not None else FaceSettings()
    if settings.face == "all":
        raise ValueError(
            "face all reads every person of a video and is for `emotrain predict`; a clip's label is about one: say "
            "largest, central, left, right or a number from the left (all faces are stored in any case, and `emotrain "
            "faces people` then makes one clip a person)"
        )
    check_engine(engine, ray_address)
    check_numbers(max_bad_share=max_bad_share)
    check_numbers(max_bad_share=max_faceless_share)
    clips = ClipIndex(data)
    out = data / "faces"
    detector = detector_of(settings)
    _claim(out, settings, detector, clips)
    shards = shards if shards is not None else max(1, -(-len(clips) // PART_CLIPS))
    report = run_stage(
        "faces",
        clips,
        FindClipFaces(clips.root, settings, detector),
        FACES,
        out,
        shards=shards,
        only=only,
        workers=workers,
        max_bad_share=1.0,
        limit_s=limit_s,
        engine=engine,
        ray_address=ray_address,
    )
    mine = range(shards) if only is None else [only[0]]
    _check_shares(
        report, faceless(out, mine, shards if only is None else only[1]), max_bad_share, max_faceless_share, out
    )
    return report


@dataclass(frozen=True, slots=True)
class FindClipFaces:
    """The stage's work on one clip; picklable, raises ClipError when it cannot be read or shows no face."""

    root: Path
    settings: FaceSettings
    detector: Detector | KnownFaces

    def __call__(self, clip: Clip) -> list[dict[str, Any]] | Damaged:
        with open_clip(inside(self.root, clip.path), self.settings.decoder, fps=clip.fps) as reader:
            found = find_faces(reader, _of_clip(self.settings, clip), self.detector, clip)
            damage = reader.damage
        if found.clip.track is None:
            raise ClipError(str(found.clip.reason))
        rows = face_rows(found.clip, found.sightings)
        return rows if damage is None else Damaged(rows, damage)


def _of_clip(settings: FaceSettings, clip: Clip) -> FaceSettings:
    """The settings with the person that the index names for this clip, where it names one."""
    if clip.face is None:
        return settings
    if clip.face == "all":
        raise ClipError("column face of the index: all; a clip is about one person (`emotrain faces people`)")
    try:
        return replace(settings, face=clip.face)
    except ValueError as error:
        raise ClipError(f"column face of the index: {error}") from error


def faceless(out: Path, mine: Iterable[int], shards: int) -> Counter[str]:
    """Clips without a face of each label in the parts `mine`."""
    records = (record for shard in mine for record in read_records(quarantine_path(part_path(out, shard, shards))))
    return Counter(record["label"] for record in records if record["reason"].startswith(FACELESS))


def _check_shares(
    report: StageReport, without: Counter[str], max_bad_share: float, max_faceless_share: float, out: Path
) -> None:
    read = StageReport("faces", report.done + without, report.quarantined - without)
    check_bad_share(read, max_bad_share, out)
    total = read.done.total()
    if total and without.total() > max_faceless_share * total:
        counts = report.done + without
        classes = ", ".join(f"{label} {count} of {counts[label]}" for label, count in sorted(without.items()))
        raise TooManyBadClips(
            f"faces: {without.total()} of {total} clips show no face ({without.total() / total:.0%}, allowed "
            f"{max_faceless_share:.0%}): {classes}. Look at them with `emotrain faces report {out.parent}`. If the "
            "faces are there but small, raise the detection size; if the clips are what they should be, raise "
            "--max-faceless-share and go on without them; the other clips are done and kept"
        )


def _claim(out: Path, settings: FaceSettings, detector: Detector | KnownFaces, clips: ClipIndex) -> None:
    """Write faces.json, or check that the one already there is of the same settings, detector and clips."""
    header: dict[str, Any] = {
        "fingerprint": settings.fingerprint(),
        # Where tracks lie is no setting: what they say is in the digest.
        "settings": asdict(replace(settings, tracks=None)),
        "detector_digest": detector.digest(),
        "clips": len(clips),
        "clips_fingerprint": clips.persons_fingerprint(),
        "root": clips.stated_root,
    }
    path = out / "faces.json"
    if not path.exists():
        write_json(header, path)
        return
    remedy = f"delete {out} to find the faces anew"
    found = read_object(path, remedy)
    entry(found, "settings", dict, path, remedy)
    differs = [
        f"{name} {found.get('settings', {}).get(name)!r} there, {value!r} now"
        for name, value in header["settings"].items()
        if found.get("settings", {}).get(name) != value
    ]
    differs += [
        f"{words} {found.get(name)!r} there, {header[name]!r} now"
        for name, words in (
            ("detector_digest", "detector weights or tracks"),
            ("clips_fingerprint", "clip list"),
            ("root", "video folder"),
        )
        if found.get(name) != header[name]
    ]
    if differs:
        raise ValueError(
            f"{path}: the faces here were begun otherwise: {'; '.join(differs)}; go on as they were begun, or delete "
            f"{out} to find them anew"
        )
    odd = sorted(name for name in found.keys() | header.keys() if found.get(name) != header.get(name))
    if odd:  # nothing but what follows from the above: the faces are those of the settings
        print(f"{path}: {', '.join(odd)} not as it was written; the file is written again", file=sys.stderr)
        write_json(header, path)
