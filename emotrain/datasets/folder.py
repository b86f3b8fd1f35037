"""Reader of people's own videos, one folder a class.

anger/a.mp4, anger/b/ (a folder of frame images), joy/c.mp4 ...        five folds are assigned
train/anger/..., validation/anger/..., test/anger/...                  fixed splits
"""

from __future__ import annotations

from pathlib import Path

from emotrain.datasets.frame_folder import IMAGE_SUFFIXES
from emotrain.datasets.media import VIDEO_SUFFIXES, Listing
from emotrain.datasets.own_labels import own_label_set
from emotrain.datasets.reading import LayoutError, Reading
from emotrain.emotions import LabelSet
from emotrain.records import Clip, Split

SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


def read_folder(root: Path, listing: Listing, *, label_set: str | None = None) -> Reading:
    """Every video and every folder of images two levels (three with splits) below the root.

    `label_set` names a known set that all folder names must belong to; without it the folders are the classes. Files
    that are neither are left out with a warning; hidden files are not looked at.
    """
    if not root.is_dir():
        raise LayoutError(f"{root}: no such folder; expected one folder a class below --root")
    reading = Reading("folder", LabelSet("own", ()))
    top = _folders(listing, root)
    split_names = [name for name in top if name.lower() in SPLIT_NAMES]
    places: list[tuple[Split | None, str, str]]
    if split_names and len(split_names) == len(top):
        places = [(SPLIT_NAMES[n.lower()], f"{n}/{c}", c) for n in top for c in _folders(listing, root / n)]
    else:
        places = [(None, name, name) for name in top]
    if not places:
        raise LayoutError(f"{root}: no folder here; expected one folder a class, for example {root}/anger/clip.mp4")
    names = own_label_set([(word, f"{root}/{path}") for _, path, word in places], label_set, reading)
    for split, path, word in places:
        for name in sorted(listing.folder(root / path)):
            clip = _clip(f"{path}/{name}", names[word], split, listing, reading)
            if clip is not None:
                reading.clips.append(clip)
    return reading


def _folders(listing: Listing, path: Path) -> list[str]:
    return sorted(n for n, is_folder in listing.folder(path).items() if is_folder and not n.startswith("."))


def _clip(path: str, label: str, split: Split | None, listing: Listing, reading: Reading) -> Clip | None:
    file = listing.root / path
    is_folder = listing.folder(file.parent)[file.name]
    if file.name.startswith("."):
        return None
    if is_folder or file.suffix.lower() in VIDEO_SUFFIXES:
        return Clip(path if is_folder else path.removesuffix(file.suffix), path, label, split=split)
    kind = "a single image, no clip" if file.suffix.lower() in IMAGE_SUFFIXES else "neither a video nor a frame folder"
    reading.warn("not a clip", f"{path}: {kind}")
    return None
