"""Reader of SMIC-HS (Li et al. 2013): 100 fps, 164 clips, three classes, neither apex nor action units.

smic.xlsx                                      subject, material, emotion, onset, offset
s1/micro/negative/MATERIAL/                    (below HS/ in the original archive)
"""

from __future__ import annotations

from pathlib import Path

from emotrain.datasets.coding_sheets import SUFFIXES, read_coding_sheet
from emotrain.datasets.ignored import found
from emotrain.datasets.media import Listing
from emotrain.datasets.micro_expressions import MicroReader, numbered
from emotrain.datasets.reading import LayoutError, Reading, joined, media_folder, read_label
from emotrain.datasets.splits import leave_one_subject_out
from emotrain.datasets.tables import Row
from emotrain.emotions import label_set

FPS = 100.0
COLUMNS = {
    "subject": ("subject",),
    "file": ("material", "filename"),
    "label": ("emotion",),
    "onset": ("onset",),
    "offset": ("offset",),
}
NAMES = ("smic", "SMIC", "SMIC-HS*", "SMIC_HS*")
FRAMES = ("HS", "*/HS", "SMIC*HS*/HS", "")


def read_smic(root: Path, listing: Listing, *, media: str | None = None, annotation: str | None = None) -> Reading:
    """All high-speed clips, one fold a subject. Without smic.xlsx the folders name subject and class.

    The images of a clip are its micro-expression, cut at onset and offset. `media` is the folder that holds s1, s2, ...
    """
    reading = Reading("smic", label_set("smic"))
    folder = media_folder(root, media, FRAMES)
    micro = MicroReader(reading, listing, FPS)
    official = [file for name in NAMES for suffix in SUFFIXES for file in found(root, name + suffix)]
    if annotation is None and not official:
        rows = _from_folders(root / folder, reading)
    else:
        rows = read_coding_sheet(root, annotation, NAMES, COLUMNS, reading)
    for row in rows:
        subject, name, word = row.text("subject"), row.text("file"), row.text("label")
        number = numbered(subject, 2)
        if subject is None or number is None or name is None or word is None:
            micro.incomplete(row)
            continue
        label = read_label(word, reading.label_set, row.where)
        above = joined(folder, _subject_folder(listing, folder, subject, number), "micro")
        path = joined(above, listing.spelled(above, word.lower()), name)
        micro.add(row, f"s{number}/{name}", path, label, f"s{number}")
    reading.clips = leave_one_subject_out(reading.clips)
    return reading


def _subject_folder(listing: Listing, folder: str, subject: str, number: str) -> str:
    """The subject's folder by the name it really has: s1, s01 or S1."""
    known = listing.folder(listing.root / folder)
    spellings = [subject, f"s{int(number)}", f"s{number}", f"S{int(number)}", f"S{number}"]
    return next((name for name in spellings if name in known), f"s{int(number)}")


def _from_folders(base: Path, reading: Reading) -> list[Row]:
    clips = [clip for letter in "sS" for clip in found(base, f"{letter}*/micro/*/*") if clip.is_dir()]
    if not clips:
        raise LayoutError(f"{base.parent}: neither smic.xlsx nor folders like s1/micro/negative/NAME in {base}")
    reading.warn(
        "annotation", "smic.xlsx is missing: subjects and classes come from the folders, onset and offset are null"
    )
    return [
        Row(clip, number, {"subject": clip.parts[-4], "file": clip.name, "label": clip.parts[-2]})
        for number, clip in enumerate(clips, start=1)
    ]
