"""Reader of SAMM (Davison et al. 2018): 200 fps, 159 clips, grey frames; the table lies under 13 rows of preamble.

SAMM_Micro_FACS_Codes_v2.xlsx, sheet MICRO_ONLY
SSS/FILENAME/SSS_00123.jpg (three-digit subject)
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
    "onset": ("Onset Frame", "Onset"),
    "apex": ("Apex Frame", "Apex"),
    "offset": ("Offset Frame", "Offset"),
    "action_units": ("Action Units",),
    "label": ("Estimated Emotion",),
}


def read_samm(root: Path, listing: Listing, *, media: str | None = None, annotation: str | None = None) -> Reading:
    """All clips, one fold a subject. `media` is the folder that holds one folder a subject

    The subject is a number in some copies and text in others; both are read as three digits.
    """
    reading = Reading("samm", label_set("samm"))
    rows = read_coding_sheet(root, annotation, ("SAMM*FACS_Codes*",), COLUMNS, reading, sheet="MICRO_ONLY")
    folder = media_folder(root, media, ["SAMM", "SAMM_CROP", ""])
    micro = MicroReader(reading, listing, FPS)
    for row in rows:
        subject, name, word = numbered(row.text("subject"), 3), row.text("file"), row.text("label")
        if subject is None or name is None or word is None:
            micro.incomplete(row)
            continue
        clip_id = f"{subject}/{name}"
        micro.add(row, clip_id, joined(folder, clip_id), read_label(word, reading.label_set, row.where), subject)
    reading.clips = leave_one_subject_out(reading.clips)
    return reading
