"""What decides which frames are stored and how they look, and the `frames.json` that keeps a folder to one answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from emotrain.atomic_files import write_json
from emotrain.damaged_files import DamagedFile
from emotrain.datasets.clips import ClipIndex
from emotrain.emotions import nearest
from emotrain.json_files import entry, read_object
from emotrain.video.decode import DECODERS
from emotrain.video.framing import CROPS, VIEWS, Crop, Framing, View
from emotrain.video.keyframes import parse_policy
from emotrain.video.miss import EVENT_S, miss_table

FRAMES = Path("frames") / "frames.json"
_REMEDY = "delete the folder `frames` and run `emotrain prep RECIPE --stage frames`"


@dataclass(frozen=True, slots=True)
class FrameSettings:
    """Everything that decides which frames are stored and how they look.

    `between` is the number of in-between frames a gap, None for all of them. `size` is the longer side in pixels, None
    for native resolution. `quality` is the JPEG quality. `crop` reads the whole frame, its largest centred square, the
    box that `boxes.parquet` names for the clip, or the face that the faces stage found; `view` is then what a keyframe
    shows: the face, the scene or both, on a square of `size` each.
    """

    policy: str = "segment_centres"
    keyframes: int = 8
    between: int | None = 4
    size: int | None = 224
    quality: int = 95
    decoder: str = "auto"
    crop: Crop = "none"
    seed: int = 0
    view: View = "face"

    def __post_init__(self) -> None:
        parse_policy(self.policy)
        if self.decoder not in DECODERS:
            raise ValueError(f"unknown decoder {self.decoder!r}; {nearest(self.decoder, DECODERS)}")
        if self.crop not in CROPS:
            raise ValueError(f"unknown crop {self.crop!r}; {nearest(self.crop, CROPS)}")
        if self.view not in VIEWS:
            raise ValueError(f"unknown view {self.view!r}; {nearest(self.view, VIEWS)}")
        if self.view != "face" and self.crop != "face":
            raise ValueError(f"view: {self.view} is of crop: face, found crop: {self.crop}; remove one of the two")
        for name, value, low, high in (
            ("keyframes", self.keyframes, 1, 1024),
            ("between", self.between, 0, 1024),
            ("size", self.size, 16, 8192),
            ("quality", self.quality, 1, 100),
        ):
            if value is not None and not low <= value <= high:
                raise ValueError(f"{name}: expected {low} to {high}, found {value}")

    def fingerprint(self) -> str:
        """Twelve hex digits that change with any setting."""
        return _fingerprint(asdict(self))


def _fingerprint(settings: Mapping[str, Any]) -> str:
    return blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=6).hexdigest()


OLD = {"view": "face"}
"""What a frames.json from before a setting existed means by its absence."""


def policy_p_miss(clips: ClipIndex, settings: FrameSettings) -> dict[str, float] | None:
    """Mean P(miss) of the policy by event length in seconds, over the durations in the index; None if it has none."""
    durations_s = clips.durations_s()
    if not durations_s.size:
        return None
    by_event = miss_table(durations_s, [settings.policy], EVENT_S, settings.keyframes)[settings.policy]
    return {f"{event:g}": round(miss, 4) for event, miss in by_event.items()}


def read_frames_header(data: Path) -> dict[str, Any] | None:
    """What `frames/frames.json` of a data folder says, None before the frames stage.

    `settings` in it is an object with the keyframes as a number; DamagedFile says so where it is not.
    """
    path = data / FRAMES
    if not path.is_file():
        return None
    found = read_object(path, _REMEDY)
    settings = entry(found, "settings", dict, path, _REMEDY)
    entry(settings, "keyframes", int, path, _REMEDY)
    if found.get("fingerprint", (was := _fingerprint(settings))) != was:
        raise DamagedFile(path, "settings that its own fingerprint does not fit", "them as they were", _REMEDY)
    return found


def claim(out: Path, settings: FrameSettings, clips: ClipIndex, framing: Framing) -> None:
    """Write frames.json, or check that the one already there names the same settings, clips and times.

    Raises ValueError that names the difference; what merely follows from those is written again where it was changed.
    """
    header = {
        "fingerprint": settings.fingerprint(),
        "settings": asdict(settings),
        "clips": len(clips),
        "clips_fingerprint": clips.fingerprint(),
        "times_fingerprint": clips.times_fingerprint(),
        "root": clips.stated_root,
        "boxes_fingerprint": framing.fingerprint(),
        "p_miss": policy_p_miss(clips, settings),
    }
    path = out / "frames.json"
    if not path.exists():
        write_json(header, path)
        return
    found = read_object(path, f"delete {out} to extract anew")
    lacking = [name for name in header if name not in found]
    if lacking:
        raise ValueError(
            f"{path}: written by another version of emotrain, without {', '.join(lacking)}, so the frames here may be "
            f"of other clips or times; delete {out} to extract anew"
        )
    if found["clips_fingerprint"] != header["clips_fingerprint"]:
        raise ValueError(
            f"{path}: the frames here were begun for another list of clips ({found['clips']}, now {len(clips)}); "
            f"delete {out} to extract anew, or keep the new index in another folder"
        )
    if found["root"] != header["root"]:
        raise ValueError(
            f"{path}: the frames here were taken from {found['root']}, the clips of the index lie in {header['root']}; "
            f"delete {out} to extract anew, or correct `root` in that file where the same videos have only moved"
        )
    if found["times_fingerprint"] != header["times_fingerprint"]:
        raise ValueError(
            f"{path}: the index now has other frame rates (of image folders) or other annotated onsets, apexes or "
            f"offsets than these frames were taken by; delete {out} to extract anew, or keep the new index in another "
            "folder"
        )
    entry(found, "settings", dict, path, f"delete {out} to extract anew")
    differs = [
        f"{name} {found['settings'].get(name)!r} there, {value!r} now"
        for name, value in asdict(settings).items()
        if found["settings"].get(name, OLD.get(name)) != value
    ]
    if differs:
        raise ValueError(
            f"{path}: the frames here were made with other settings: {'; '.join(differs)}; "
            f"use those settings, or delete {out} to extract anew"
        )
    if found["boxes_fingerprint"] != header["boxes_fingerprint"]:
        raise ValueError(
            f"{path}: the faces or face boxes have changed since the frames were begun; delete {out} to extract anew"
        )
    follows = {**header, "settings": found["settings"], "fingerprint": _fingerprint(found["settings"])}
    odd = sorted(name for name in found.keys() | follows.keys() if found.get(name) != follows.get(name))
    if odd:  # nothing but what follows from the above: the frames are those of the settings
        print(f"{path}: {', '.join(odd)} not as it was written; the file is written again", file=sys.stderr)
        write_json(header, path)
