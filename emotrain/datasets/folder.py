"""Reader of people's own videos, one folder a class.

anger/a.mp4, anger/b/ (a folder of frame images), joy/c.mp4 ...        five folds are assigned
anger/anna/a.mp4, anger/anna/b/, joy/ben/c.mp4 ...                     one folder a subject below the classes
train/anger/..., validation/anger/..., test/anger/...                  fixed splits
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from emotrain.datasets.frame_folder import IMAGE_SUFFIXES
from emotrain.datasets.media import VIDEO_SUFFIXES, Listing
from emotrain.datasets.own_labels import own_label_set
from emotrain.datasets.reading import LayoutError, Reading
from emotrain.emotions import LabelSet
from emotrain.records import Clip, Split

DEEPEST = 3
"""Levels of folders between a class and its clips."""
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
    """Every video and every folder of images below a class folder, directly or in folders of subjects.

    A folder in a class that holds videos or folders names the subject of what is in it, unless all are called the same.
    `label_set` names a known set that all folder names must belong to; without it the folders are the classes. Files
    that are neither are left out with a warning.
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
        for name, is_folder in sorted(listing.folder(root / path).items()):
            below = f"{path}/{name}"
            paths = _inside(below, listing, DEEPEST) if is_folder and _holds_clips(below, listing) else [below]
            clips = [_clip(inner, names[word], split, listing, reading) for inner in paths]
            subject = name if paths != [below] else None
            reading.clips += [replace(clip, subject=subject) for clip in clips if clip is not None]
    _name_subjects(reading)
    return reading


def _name_subjects(reading: Reading) -> None:
    subjects = sorted({clip.subject for clip in reading.clips if clip.subject is not None})
    if len(subjects) == 1:
        reading.clips = [replace(clip, subject=None) for clip in reading.clips]
    elif subjects:
        some = ", ".join(subjects[:3]) + (", ..." if len(subjects) > 3 else "")
        reading.warn(
            "subjects",
            f"the folders below the classes are taken for subjects ({len(subjects)}: {some}), whom no fold parts; use "
            "a CSV where they are not",
        )


def _holds_clips(path: str, listing: Listing) -> bool:
    """True for a folder of videos or of folders: not a clip itself, but clips of a subject."""
    inside = listing.folder(listing.root / path)
    return any(is_folder or Path(name).suffix.lower() in VIDEO_SUFFIXES for name, is_folder in inside.items()) and not (
        _is_frames(inside)
    )


def _is_frames(inside: Mapping[str, bool]) -> bool:
    """A folder with more images than anything else is a clip, whatever lies between them."""
    images = sum(not is_folder and Path(name).suffix.lower() in IMAGE_SUFFIXES for name, is_folder in inside.items())
    return 2 * images > len(inside)


def _inside(path: str, listing: Listing, levels: int) -> list[str]:
    """Videos and frame folders below a subject's folder, files that are neither included."""
    found: list[str] = []
    for name, is_folder in sorted(listing.folder(listing.root / path).items()):
        below = f"{path}/{name}"
        deeper = is_folder and levels > 0 and _holds_clips(below, listing)
        found += _inside(below, listing, levels - 1) if deeper else [below]
    return found


def _folders(listing: Listing, path: Path) -> list[str]:
    return sorted(name for name, is_folder in listing.folder(path).items() if is_folder)


def _clip(path: str, label: str, split: Split | None, listing: Listing, reading: Reading) -> Clip | None:
    file = listing.root / path
    is_folder = listing.folder(file.parent)[file.name]
    if is_folder or file.suffix.lower() in VIDEO_SUFFIXES:
        return Clip(path if is_folder else path.removesuffix(file.suffix), path, label, split=split)
    kind = "a single image, no clip" if file.suffix.lower() in IMAGE_SUFFIXES else "neither a video nor a frame folder"
    reading.warn("not a clip", f"{path}: {kind}")
    return None
