"""Reader of MMEW (Ben et al. 2021), the micro-expression part: 90 fps, 300 clips, seven classes.

MMEW_Micro_Exp.xlsx                            Subject, Filename, OnsetFrame, ApexFrame, OffsetFrame, ...
Micro_Expression/disgust/FILENAME/
"""

from __future__ import annotations

from pathlib import Path

from emotrain.datasets.casme2 import COLUMNS
from emotrain.datasets.coding_sheets import read_coding_sheet
from emotrain.datasets.media import Listing
from emotrain.datasets.micro_expressions import MicroReader, numbered
from emotrain.datasets.reading import Reading, joined, media_folder, read_label
from emotrain.datasets.splits import leave_one_subject_out
from emotrain.emotions import label_set

FPS = 90.0
FRAMES = ("Micro_Expression", "*/Micro_Expression", "")


def read_mmew(root: Path, listing: Listing, *, media: str | None = None, annotation: str | None = None) -> Reading:
    """All micro-expression clips, one fold a subject. `media` is the folder that holds one folder a class."""
    reading = Reading("mmew", label_set("mmew"))
    rows = read_coding_sheet(root, annotation, ("MMEW_Micro_Exp*",), COLUMNS, reading)
    folder = media_folder(root, media, FRAMES)
    micro = MicroReader(reading, listing, FPS)
    for row in rows:
        subject, name, word = numbered(row.text("subject"), 2), row.text("file"), row.text("label")
        if subject is None or name is None or word is None:
            micro.incomplete(row)
            continue
        label = read_label(word, reading.label_set, row.where)
        path = joined(folder, listing.spelled(folder, word), name)
        micro.add(row, name, path, label, f"S{subject}")
    reading.clips = leave_one_subject_out(reading.clips)
    return reading
