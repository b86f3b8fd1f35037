"""Reader of DFEW: five official folds, original videos or face-crop frames, the votes of ten annotators.

Annotation/annotation.xlsx                               seven vote columns, clip name, annotation
EmoLabel_DataSplit/test(single-labeled)/set_1.csv        video_name,label with label 1..7
Clip/original/1.mp4, Clip/clip_224x224/00001/, Clip/clip_224x224_16f/00001/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from emotrain.datasets.fold_lists import FoldLists, Listed
from emotrain.datasets.ignored import found
from emotrain.datasets.media import Listing
from emotrain.datasets.reading import LayoutError, Reading, UnknownLabel, first_existing, joined, read_label
from emotrain.datasets.tables import read_list
from emotrain.datasets.votes import read_votes
from emotrain.emotions import canonical, label_set
from emotrain.records import Clip

CODES = {"1": "happiness", "2": "sadness", "3": "neutral", "4": "anger", "5": "surprise", "6": "disgust", "7": "fear"}
MEDIA = {
    "original": "{0}.mp4",
    "clip_224x224": "{0:05d}",
    "clip_224x224_16f": "{0:05d}",
    "clip_224x224_avi": "{0:05d}.avi",
}
_NAME = re.compile(r"0*(?P<number>\d{1,7})(?:\.0+)?(?:\.(?:mp4|avi))?", re.ASCII | re.IGNORECASE)
_LIST = {
    "clip": ("video_name", "clip_name", "name", "clip", "video", "file", "filename"),
    "label": ("label", "emotion", "class", "annotation"),
}
_VOTES = {
    name: (f"{code}{word}", word, name)
    for code, (name, word) in enumerate(
        zip(CODES.values(), ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")), start=1
    )
}


def read_dfew(root: Path, listing: Listing, *, media: str | None = None) -> Reading:
    """The single-labelled clips with their test fold and, where annotation.xlsx is there, the shares of the votes.

    `media` is a folder of Clip/ (see MEDIA); by default the first that exists, original videos before face crops.
    """
    known = label_set("dfew")
    reading = Reading("dfew", known)
    splits = first_existing(root, ["EmoLabel_DataSplit", "*/EmoLabel_DataSplit"], "the split lists")
    base = splits.parent.relative_to(root).as_posix().removeprefix(".")
    folder = _media_folder(root / base, media)
    lists = FoldLists(reading)
    for fold in range(1, 6):
        for part in ("train", "test"):
            file = _split_file(splits, part, fold)
            if file is not None:
                lists.add(part, fold, _listed(file, reading))
    votes = _votes(root / base, reading)
    below = joined(base, "Clip", folder)
    names = listing.folder(root / below)
    for number, label, test_fold in lists.merged(f"{splits}/test(single-labeled)/set_1.csv"):
        name = MEDIA[folder].format(int(number))
        path = joined(below, name if name in names else listing.spelled(below, name))
        reading.clips.append(Clip(number, path, label, votes=votes.get(number), test_fold=test_fold))
    return reading


def _listed(file: Path, reading: Reading) -> list[Listed]:
    listed = []
    for at, row in enumerate(read_list(file, _LIST, reading)):
        name, code = row.cells.get("clip", ""), row.cells.get("label", "")
        where = f"{file.parent.name}/{row.where}"
        clip = _number(name)
        plain = code.removesuffix(".0")
        if at == 0 and clip is None and plain not in CODES and canonical(code) is None:
            continue  # a header in other words
        if plain.isdigit() and plain not in CODES:
            codes = ", ".join(f"{key} {label}" for key, label in CODES.items())
            raise UnknownLabel(f"{where}: label {code!r} is no code of DFEW, expected {codes}; correct the list")
        label = CODES[plain] if plain in CODES else read_label(code, reading.label_set, where)
        if clip is None:
            reading.quarantine(name, label, "", f"{where}: {name!r} is no clip number")
        else:
            listed.append(Listed(clip, label, where))
    return listed


def _number(name: str) -> str | None:
    match = _NAME.fullmatch(name)
    return match["number"].zfill(5) if match is not None else None


def _split_file(splits: Path, part: str, fold: int) -> Path | None:
    for folder in (f"{part}(single-labeled)", part):
        for name in (f"set_{fold}.csv", f"{part}_set_{fold}.csv"):
            if (splits / folder / name).is_file():
                return splits / folder / name
    return None


def _media_folder(base: Path, media: str | None) -> str:
    if media is None:
        return first_existing(base, [f"Clip/{name}" for name in MEDIA], "the folder of the clips").name
    if media not in MEDIA:
        raise LayoutError(f"--media {media!r}: DFEW has {', '.join(MEDIA)}")
    if not (base / "Clip" / media).is_dir():
        raise LayoutError(f"--media {media!r}: no folder {base / 'Clip' / media}")
    return media


def _votes(base: Path, reading: Reading) -> dict[str, Mapping[str, float]]:
    columns = {"clip": ("clip name", "order", "video_name", "name", "clip"), **_VOTES}
    files = [file for name in ("annotation", "annotation*") for file in found(base, f"Annotation/{name}.xlsx")]
    return read_votes(list(dict.fromkeys(files)), columns, _number, reading)
