"""Reader of MAFW: five official folds of 11 single or 43 compound classes, captions in Chinese and English.

data/clips/NNNNN.mp4                                          (or data/frames/NNNNN/)
Train & Test Set/single/no_caption/set_1/test.txt             "NNNNN.mp4 anger"
Train & Test Set/single/with_caption/set_1/test.txt           TAB: file, label, Chinese, English; gb18030
Train & Test Set/compound/...                                 labels like anger_disgust
Labels/annotation.xlsx                                        clip, invalid, a share for each class
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from emotrain.datasets.fold_lists import FoldLists, Listed
from emotrain.datasets.ignored import found
from emotrain.datasets.media import Listing
from emotrain.datasets.reading import LayoutError, Reading, first_existing, joined, media_folder, read_label
from emotrain.datasets.tables import read_list
from emotrain.datasets.votes import read_votes
from emotrain.emotions import LabelSet, label_set
from emotrain.records import Clip

_NAME = re.compile(r"(?P<stem>\d{1,7})(?:\.mp4)?", re.ASCII | re.IGNORECASE)
_LIST = {
    "clip": ("video_name", "clip_name", "name", "clip", "video", "file", "filename", "file_name"),
    "label": ("label", "emotion", "class"),
    "caption_zh": ("caption_zh", "chinese", "zh"),
    "caption_en": ("caption_en", "english", "en"),
}
_CAPTIONS = ("caption_zh", "caption_en")
_CAPTION_COLUMN = {"zh": "caption_zh", "en": "caption_en"}


def read_mafw(
    root: Path,
    listing: Listing,
    *,
    media: str | None = None,
    labels: str = "single",
    caption: str | None = None,
) -> Reading:
    """The clips of the single or compound task (`labels`) with their test fold and 11-way distribution.

    `caption` ("en" or "zh") fills the caption column from the with_caption lists, which lack every neutral clip: the
    clips themselves always come from the no_caption lists where those exist.
    """
    if labels not in ("single", "compound"):
        raise LayoutError(f"--labels {labels!r}: expected single or compound")
    if caption is not None and caption not in _CAPTION_COLUMN:
        raise LayoutError(f"--caption {caption!r}: expected en or zh")
    single = label_set("mafw")
    reading = Reading("mafw", single)
    lists_folder = first_existing(
        root, [f"Train & Test Set/{labels}", f"*/Train & Test Set/{labels}", f"Train*Test*/{labels}"], "the split lists"
    )
    base = lists_folder.parent.parent.relative_to(root).as_posix().removeprefix(".")
    folder = media_folder(root / base, media, ["data/clips", "data/frames", "clips", "frames"])
    source = "no_caption" if (lists_folder / "no_caption").is_dir() else "with_caption"
    lists = FoldLists(reading)
    captions: dict[str, str] = {}
    for fold in range(1, 6):
        for part in ("train", "test"):
            file = lists_folder / source / f"set_{fold}" / f"{part}.txt"
            if file.is_file():
                lists.add(part, fold, _listed(file, reading, single))
            captioned = lists_folder / "with_caption" / f"set_{fold}" / f"{part}.txt"
            if caption is not None and captioned.is_file():
                captions.update(_captions(captioned, _CAPTION_COLUMN[caption], reading))
    votes = _votes(root / base, reading, list(single.labels))
    below = joined(base, folder)
    names = listing.folder(root / below)
    merged = list(lists.merged(f"{lists_folder}/no_caption/set_1/test.txt"))
    for name, label, test_fold in merged:
        path = joined(below, name if name in names else listing.spelled(below, f"{name}.mp4"))
        parts = tuple(label.split("_")) if labels == "compound" else ()
        reading.clips.append(Clip(name, path, label, parts, votes.get(name), test_fold, caption=captions.get(name)))
    if labels == "compound":
        present = {label for _, label, _ in merged}
        reading.label_set = LabelSet("mafw_compound", tuple(sorted(present, key=lambda label: _rank(label, single))))
    _warn_captions(reading, source, caption, captions)
    return reading


def _rank(label: str, single: LabelSet) -> tuple[int, list[int]]:
    parts = [single.index(part) for part in label.split("_")]
    return len(parts), parts


def _listed(file: Path, reading: Reading, single: LabelSet) -> list[Listed]:
    listed = []
    for row in read_list(file, _LIST, reading, optional=_CAPTIONS):
        where = f"{_short(file)} row {row.number}"
        name, words = row.cells.get("clip", ""), row.cells.get("label", "").split("_")
        label = "_".join(sorted({read_label(word, single, where) for word in words}, key=single.index))
        stem = _stem(name)
        if stem is None:
            reading.quarantine(name, label, "", f"{where}: {name!r} is no clip name like 00001.mp4")
        else:
            listed.append(Listed(stem, label, where))
    return listed


def _captions(file: Path, column: str, reading: Reading) -> dict[str, str]:
    captions: dict[str, str] = {}
    for row in read_list(file, _LIST, reading, optional=_CAPTIONS):
        stem, text = _stem(row.cells.get("clip", "")), row.cells.get(column)
        where = f"{_short(file)} row {row.number}"
        if stem is None or text is None:
            reading.warn("captions", f"{where}: {len(row.cells)} columns, expected 4 (file, label, Chinese, English)")
            continue
        if "\ufffd" in text:
            reading.warn("captions", f"{where}: characters that are neither UTF-8 nor gb18030 were replaced")
        if text:
            captions[stem] = text
    return captions


def _votes(base: Path, reading: Reading, labels: list[str]) -> dict[str, Mapping[str, float]]:
    files = [file for name in ("Labels", "labels", "Annotation") for file in found(base, f"{name}/annotation.xlsx")]
    columns = {"clip": ("clip", "name", "video"), **{label: (label,) for label in labels}}
    return read_votes(files, columns, _stem, reading)


def _stem(name: str) -> str | None:
    match = _NAME.fullmatch(name.strip())
    return match["stem"].zfill(5) if match is not None else None


def _warn_captions(reading: Reading, source: str, caption: str | None, captions: Mapping[str, str]) -> None:
    counts = Counter(clip.label for clip in reading.clips)
    if source == "with_caption":
        gone = [label for label in reading.label_set.labels if counts[label] == 0]
        reading.warn(
            "captions",
            "only the with_caption lists are here: they omit every neutral clip, so this is a "
            f"{len(reading.label_set) - len(gone)}-class task without {', '.join(gone) if gone else 'any gap'}",
        )
    if caption is None:
        return
    without = Counter(clip.label for clip in reading.clips if clip.caption is None)
    for label, count in sorted(without.items()):
        reading.warn("captions", f"{label}: {count} of {counts[label]} clips have no caption and are kept without")


def _short(file: Path) -> str:
    return "/".join(file.parts[-4:])
