"""Reader of the MEGC2019 composite (See et al. 2019): SMIC-HS, CASME II and SAMM mapped to three classes.

    smic/, casme2/, samm/            each set in its own layout (SMIC, CASME2, SAMM are found too)
    combined_3class_gt.csv           the challenge's list: data set, subject, file, 0 negative | 1 positive | 2 surprise

With the list, exactly its clips are taken. Without it the published mapping decides, which gives a few clips more in
CASME II than the 442 of the challenge; the report says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from emotrain.datasets.casme2 import read_casme2
from emotrain.datasets.media import Listing
from emotrain.datasets.reading import Reading, UnknownLabel, first_existing
from emotrain.datasets.samm import read_samm
from emotrain.datasets.smic import read_smic
from emotrain.datasets.splits import leave_one_subject_out
from emotrain.datasets.tables import read_list
from emotrain.emotions import label_set
from emotrain.records import Clip

Key = tuple[str, str, str]
"""What names a clip in every list: data set, subject, file (`clip_key`)."""

CODES = {"0": "negative", "1": "positive", "2": "surprise"}
SETS: dict[str, tuple[Callable[[Path, Listing], Reading], tuple[str, ...]]] = {
    "smic": (read_smic, ("smic", "SMIC*")),
    "casme2": (read_casme2, ("casme2", "CASME2", "CASME*II", "CASME II")),
    "samm": (read_samm, ("samm", "SAMM")),
}
MAPPING: dict[str, dict[str, str]] = {
    "smic": {label: label for label in ("negative", "positive", "surprise")},
    "casme2": {"disgust": "negative", "repression": "negative", "happiness": "positive", "surprise": "surprise"},
    "samm": {
        **dict.fromkeys(("anger", "contempt", "disgust", "fear", "sadness"), "negative"),
        "happiness": "positive",
        "surprise": "surprise",
    },
}
LIST_FILE = "combined_3class_gt.csv"
_LIST = {
    "dataset": ("dataset", "database", "db", "data_set"),
    "subject": ("subject", "sub", "subj"),
    "file": ("file", "filename", "clip", "video", "name", "material", "code"),
    "class": ("class", "label", "gt", "emotion", "ground_truth"),
}


def read_megc2019(root: Path, listing: Listing) -> Reading:
    """The composite, subjects named "casme2:sub01", one fold for each of the 68 subjects."""
    reading = Reading("megc2019", label_set("megc2019"))
    file = root / LIST_FILE
    fill_composite(reading, root, MAPPING, _challenge_list(file, reading) if file.is_file() else None, LIST_FILE)
    return reading


def fill_composite(
    reading: Reading,
    root: Path,
    mapping: Mapping[str, Mapping[str, str]],
    listed: Mapping[Key, str] | None,
    list_file: str,
) -> None:
    """Put the clips of the three sets into `reading`, one fold a subject.

    Labels come from `listed`, and only its clips are taken; without it from `mapping`, by set and by the set's own
    label. What the list names and no set has is quarantined; `list_file` is its name for the reason.
    """
    taken: set[Key] = set()
    for name, (read, candidates) in SETS.items():
        folder = first_existing(root, candidates, f"the folder of {name}")
        part = read(folder, Listing(folder))
        prefix = folder.relative_to(root).as_posix()
        for kind, messages in part.warnings.items():
            for message in messages:
                reading.warn(kind, f"{name}: {message}")
        for row in part.quarantined:
            mapped = mapping[name].get(row["label"], row["label"])
            if mapped in reading.label_set.labels or row["label"] not in part.label_set.labels:
                reading.quarantine(f"{name}/{row['clip_id']}", mapped, f"{prefix}/{row['path']}", row["reason"])
        left_out: Counter[str] = Counter()
        for clip in part.clips:
            key = clip_key(name, clip.subject if clip.subject is not None else "", clip.path.rsplit("/", 1)[-1])
            label = listed.get(key) if listed is not None else mapping[name].get(clip.label)
            if label is None:
                left_out[clip.label] += 1
                continue
            taken.add(key)
            reading.clips.append(_composite(clip, name, prefix, label))
        if left_out:
            counts = ", ".join(f"{label} {count}" for label, count in sorted(left_out.items()))
            reading.warn("not in the composite", f"{name}: {counts}")
    for key, label in sorted(listed.items() if listed is not None else ()):
        if key in taken:
            continue
        reading.quarantine("/".join(key), label, "", f"{list_file} names it, the data set's annotation does not")
    reading.clips = leave_one_subject_out(reading.clips)


def _composite(clip: Clip, name: str, prefix: str, label: str) -> Clip:
    return replace(
        clip,
        clip_id=f"{name}/{clip.clip_id}",
        path=f"{prefix}/{clip.path}",
        label=label,
        subject=f"{name}:{clip.subject}",
        source=name,
    )


def _challenge_list(file: Path, reading: Reading) -> Mapping[Key, str]:
    listed: dict[Key, str] = {}
    for row in read_list(file, _LIST, reading):
        cells = [row.cells.get(name, "") for name in _LIST]
        if cells[3] not in CODES:
            if row.number == 1:
                continue  # a header in other words
            raise UnknownLabel(
                f"{file} row {row.number}: {', '.join(cells)!r}, expected data set, subject, file, class 0, 1 or 2"
            )
        listed[clip_key(cells[0], cells[1], cells[2])] = CODES[cells[3]]
    return listed


def clip_key(name: str, subject: str, file: str) -> Key:
    """Data set, subject number and file name without leading zeros: the list pads SMIC's names, the set does not."""
    digits = re.sub(r"\D", "", subject)
    return name.lower(), digits.lstrip("0"), re.sub(r"0*(\d+)", r"\1", file.lower())
