"""Reader of CASME II (Yan et al. 2014): 200 fps, about 255 clips, apex "/" where it was not coded.

CASME2-coding-20140508.xlsx             Subject, Filename, OnsetFrame, ApexFrame, OffsetFrame, Action Units,
                                        Estimated Emotion
CASME2_RAW_selected/subSS/FILENAME/     img46.jpg ...
"""

from __future__ import annotations

from pathlib import Path

from emotrain.datasets.coding_sheets import read_coding_sheet
from emotrain.datasets.media import Listing
from emotrain.datasets.micro_expressions import MicroReader, numbered
from emotrain.datasets.reading import Reading, joined, media_folder, read_label
from emotrain.datasets.splits import leave_one_subject_out
from emotrain.emotions import label_set

FPS = 200.0
COLUMNS = {
    "subject": ("Subject",),
    "file": ("Filename",),
    "onset": ("OnsetFrame", "Onset Frame", "Onset"),
    "apex": ("ApexFrame", "Apex Frame", "Apex"),
    "offset": ("OffsetFrame", "Offset Frame", "Offset"),
    "action_units": ("Action Units", "AU"),
    "label": ("Estimated Emotion", "Emotion"),
}
FRAMES = (
    "CASME2_RAW_selected/CASME2_RAW_selected",
    "CASME2_RAW_selected",
    "CASME2-RAW",
    "CASME2_RAW",
    "RAW_selected",
    "Cropped",
    "*/CASME2_RAW_selected",
    "",
)


def read_casme2(root: Path, listing: Listing, *, media: str | None = None, annotation: str | None = None) -> Reading:
    """All coded clips, one fold a subject. `media` is the folder that holds sub01, sub02, ..."""
    reading = Reading("casme2", label_set("casme2"))
    rows = read_coding_sheet(root, annotation, ("CASME2-coding*", "CASME2*"), COLUMNS, reading)
    folder = media_folder(root, media, FRAMES)
    micro = MicroReader(reading, listing, FPS)
    for row in rows:
        subject, name, word = numbered(row.text("subject"), 2), row.text("file"), row.text("label")
        if subject is None or name is None or word is None:
            micro.incomplete(row)
            continue
        clip_id = f"sub{subject}/{name}"
        label = read_label(word, reading.label_set, row.where)
        micro.add(row, clip_id, joined(folder, clip_id), label, f"sub{subject}")
    reading.clips = leave_one_subject_out(reading.clips)
    return reading
