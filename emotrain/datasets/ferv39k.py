"""Reader of FERV39k: one fixed split over all scenes, face-crop frame folders.

4_setups/All_scenes/{train,test}_All.csv        "Scene/Emotion/NNNN Emotion", no header
2_ClipsforFaceCrop/Scene/Emotion/NNNN/
"""

from __future__ import annotations

from pathlib import Path

from emotrain.datasets.media import Listing
from emotrain.datasets.reading import Reading, first_existing, joined, media_folder, read_label
from emotrain.datasets.tables import read_list
from emotrain.emotions import canonical, label_set
from emotrain.records import Clip, Split

FRAMES = ("2_ClipsforFaceCrop*/2_ClipsforFaceCrop", "2_ClipsforFaceCrop", "*/2_ClipsforFaceCrop")
_LIST = {
    "clip": ("path", "clip", "video_name", "video", "name", "file", "filename"),
    "label": ("label", "emotion", "class"),
}
_LISTS: tuple[tuple[Split, str], ...] = (("train", "train_All.csv"), ("test", "test_All.csv"))


def read_ferv39k(root: Path, listing: Listing, *, media: str | None = None) -> Reading:
    """All clips with their fixed split. The first row is a clip: the lists have no header.

    A clip in both lists stays in test, one listed with two labels is quarantined; a row whose label differs from its
    folder's is kept, with a warning.
    """
    reading = Reading("ferv39k", label_set("ferv39k"))
    folder = media_folder(root, media, FRAMES)
    clips: dict[str, Clip] = {}
    listed: dict[str, str] = {}
    disputed: dict[str, str] = {}
    for split, name in _LISTS:
        places = [f"{above}All_scenes/{name}" for above in ("4_setups/", "*/4_setups/", "*/*/4_setups/", "")]
        file = first_existing(root, places, name)
        for row in read_list(file, _LIST, reading):
            where = f"{name} row {row.number}"
            path = row.cells.get("clip", "").replace("\\", "/")
            clip = _clip(path, row.cells.get("label", ""), where, split, folder, reading)
            if clip is None:
                continue
            earlier = clips.get(clip.clip_id)
            if earlier is not None and earlier.label != clip.label:
                first = f"{listed[clip.clip_id]} says {earlier.label}"
                disputed.setdefault(clip.clip_id, f"two labels: {first}, {where} says {clip.label}")
                continue
            if earlier is not None:
                again = "again" if earlier.split == split else f"first for {earlier.split}, now for {split}"
                reading.warn("duplicate row", f"{where}: {clip.clip_id} is listed {again}")
            clips[clip.clip_id] = clip
            listed[clip.clip_id] = where
    for clip_id, reason in disputed.items():
        clip = clips.pop(clip_id)
        reading.quarantine(clip_id, clip.label, clip.path, reason)
    for clip in clips.values():
        word = clip.clip_id.split("/")[1]
        if canonical(word) != clip.label:
            message = f"{listed[clip.clip_id]}: label {clip.label!r} but the clip lies in {word!r}: the label counts"
            reading.warn("label and folder", message)
    reading.clips = list(clips.values())
    return reading


def _clip(path: str, word: str, where: str, split: Split, folder: str, reading: Reading) -> Clip | None:
    label = read_label(word, reading.label_set, where)
    parts = path.split("/")
    if len(parts) != 3 or not all(parts):
        reading.quarantine(path, label, path, f"{where}: path {path!r} is not Scene/Emotion/number")
        return None
    return Clip(path, joined(folder, path), label, split=split)
