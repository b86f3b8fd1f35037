"""Reader of CAS(ME)^3 part A (Li et al. 2023), the micro-expression clips: 30 fps, seven classes.

annotation/cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx, sheet label
Part_A_ME_clip/frame/SUBJECT_FILENAME_ONSET/120.jpg
"""

from __future__ import annotations

from pathlib import Path

from emotrain.datasets.coding_sheets import read_coding_sheet
from emotrain.datasets.media import Listing
from emotrain.datasets.micro_expressions import MicroReader
from emotrain.datasets.reading import Reading, joined, media_folder, read_label
from emotrain.datasets.splits import leave_one_subject_out
from emotrain.emotions import label_set

FPS = 30.0
COLUMNS = {
    "subject": ("Subject",),
    "file": ("Filename",),
    "onset": ("Onset",),
    "apex": ("Apex",),
    "offset": ("Offset",),
    "action_units": ("AU", "Action Units"),
    "label": ("emotion",),
}
FRAMES = ("Part_A_ME_clip/frame", "*/Part_A_ME_clip/frame", "Part_A_ME_clip/Part_A_ME_clip/frame", "ME_A", "frame", "")


def read_casme3(root: Path, listing: Listing, *, media: str | None = None, annotation: str | None = None) -> Reading:
    """The micro-expression clips of part A, one fold a subject. `media` is the folder that holds one folder a clip

    Labels say spNO where some copies' folders say spNo: folder names are matched without case.
    """
    reading = Reading("casme3", label_set("casme3"))
    rows = read_coding_sheet(root, annotation, ("*part_A_ME_label*",), COLUMNS, reading, sheet="label")
    folder = media_folder(root, media, FRAMES)
    micro = MicroReader(reading, listing, FPS)
    for row in rows:
        subject, name, word = row.text("subject"), row.text("file"), row.text("label")
        if subject is None or name is None or word is None or row.text("onset") is None:
            micro.incomplete(row)
            continue
        clip_id = f"{subject}_{name}_{row.text('onset')}"
        path = joined(folder, listing.spelled(folder, clip_id))
        micro.add(row, clip_id, path, read_label(word, reading.label_set, row.where), subject)
    reading.clips = leave_one_subject_out(reading.clips)
    return reading
