"""Reader of RAVDESS (Livingstone & Russo 2018): 24 actors speak and sing, the file name is the annotation.

Actor_01/01-01-06-01-02-01-01.mp4        also below a folder an archive (Video_Speech_Actor_01/Actor_01/...)

Seven numbers: modality (01 sound and picture, 02 picture, 03 sound), channel (01 speech, 02 song), emotion, intensity
(01 normal, 02 strong; neutral has no strong one), statement, repetition, actor (odd male, even female).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from emotrain.datasets.ignored import found, is_ignored
from emotrain.datasets.media import VIDEO_SUFFIXES, Listing
from emotrain.datasets.reading import LayoutError, Reading, UnknownLabel, first_existing
from emotrain.emotions import label_set
from emotrain.records import Clip

EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
CHANNELS = {"speech": "01", "song": "02"}
_NAME = re.compile(r"(\d\d)-((\d\d)-(\d\d)-(\d\d)-\d\d-\d\d-(\d\d))")
_ACTOR = re.compile(r"actor_?(\d\d?)", re.IGNORECASE)


def read_ravdess(root: Path, listing: Listing, *, media: str | None = None) -> Reading:
    """Every take that is there, once: a file with sound and its copy without are the same pictures, so 01 goes first.

    `media` is speech or song, both without it. Folds are assigned by actor. Raises LayoutError, and UnknownLabel for
    an emotion that the names of RAVDESS do not have.
    """
    if media is not None and media not in CHANNELS:
        raise LayoutError(f"--media {media!r}: RAVDESS has {', '.join(CHANNELS)}; leave it out for both")
    reading = Reading("ravdess" if media is None else f"ravdess, {media}", label_set("ravdess"))
    first_existing(root, ["Actor_*", "*/Actor_*", "*/*/Actor_*"], "the folders of the actors (Actor_01 ...)")
    takes: dict[str, tuple[str, Clip]] = {}
    for folder, name in _files(root, listing):
        path = f"{folder}/{name}"
        parts = _NAME.fullmatch(Path(name).stem)
        if parts is None:
            reading.warn("not a clip", f"{path}: the name is not seven two-digit numbers joined by -")
            continue
        modality, take, channel, code, intensity, actor = parts.groups()
        if modality == "03" or (media is not None and channel != CHANNELS[media]):
            continue
        if code not in EMOTIONS:
            codes = ", ".join(f"{key} {label}" for key, label in EMOTIONS.items())
            raise UnknownLabel(f"{path}: emotion {code!r} is no code of RAVDESS, expected {codes}; correct the name")
        label = EMOTIONS[code]
        if code == "01" and intensity == "02":
            reading.warn("intensity", f"{path}: neutral with strong intensity, which RAVDESS does not have")
        above = _ACTOR.fullmatch(Path(folder).name)
        if above is not None and int(above[1]) != int(actor):
            reading.warn("actor and folder", f"{path}: actor {actor} by its name, which counts")
        clip = Clip(take, path, label, subject=f"actor {actor}", traits={"sex": "male" if int(actor) % 2 else "female"})
        if take in takes and takes[take][0] == modality:
            reading.quarantine(take, label, path, f"the same take twice: first {takes[take][1].path}; remove one copy")
        elif take not in takes or modality < takes[take][0]:
            takes[take] = modality, clip
    reading.clips = [clip for _, (_, clip) in sorted(takes.items())]
    return reading


def _files(root: Path, listing: Listing) -> Iterator[tuple[str, str]]:
    """Folder (relative to the root) and name of every video in a folder of an actor, hidden files left out."""
    folders = {path for pattern in ("Actor_*", "*/Actor_*", "*/*/Actor_*") for path in found(root, pattern)}
    for folder in sorted(folders):
        for name, is_folder in sorted(listing.folder(folder).items()):
            if not is_folder and not is_ignored(name) and Path(name).suffix.lower() in VIDEO_SUFFIXES:
                yield folder.relative_to(root).as_posix(), name
