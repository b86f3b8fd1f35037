"""Reader of the question-answer lists of MEGC 2025 and 2026 (ME-VQA): three micro-expression sets, four coarse classes.

    smic/, casme2/, samm/                       each set in its own layout, as for megc2019
    me_vqa_samm_casme2_smic_v2.jsonl            one question a line: dataset, subject, filename, question, answer

Of a clip's questions the one for its coarse expression class is the label. Action units and the description in words
are left where they are: both give the label away. Clips of the test lists have no answers and are not read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emotrain.datasets.media import Listing
from emotrain.datasets.megc2019 import MAPPING, Key, clip_key, fill_composite
from emotrain.datasets.reading import LayoutError, Reading, first_existing, read_label
from emotrain.emotions import label_set

LISTS = ("me_vqa_*_v2.jsonl", "me_vqa_*.jsonl")
COARSE = "what is the coarse expression class?"
_OTHERS = {
    "smic": {},
    "casme2": {"others": "others", "fear": "negative", "sadness": "negative"},
    "samm": {"others": "others"},
}


def read_megc_vqa(root: Path, listing: Listing) -> Reading:
    """The clips that the list asks for, subjects named "casme2:sub01", one fold for each.

    A clip with two coarse answers is quarantined. Raises LayoutError without a list and for a line that is no question
    of one, UnknownLabel for an answer that is no coarse class.
    """
    reading = Reading("megc_vqa", label_set("megc_vqa"))
    file = first_existing(root, LISTS, "the list of questions and answers")
    mapping = {name: {**MAPPING[name], **more} for name, more in _OTHERS.items()}
    fill_composite(reading, root, mapping, _answers(file, reading), file.name)
    return reading


def _answers(file: Path, reading: Reading) -> dict[Key, str]:
    answers: dict[Key, str] = {}
    first: dict[Key, str] = {}
    disputed: dict[Key, str] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{file.name} line {number}"
        row = _question(line, where)
        if " ".join(row["question"].split()).lower() != COARSE:
            continue
        key = clip_key(row["dataset"], row["subject"], row["filename"])
        label = read_label(row["answer"].strip().rstrip("."), reading.label_set, where)
        if answers.setdefault(key, label) != label:
            disputed[key] = f"two answers: {first[key]} says {answers[key]}, {where} says {label}"
        first.setdefault(key, where)
    if not answers:
        raise LayoutError(f"{file}: no line asks {COARSE!r}; is it a test list, whose answers are not public?")
    for key, reason in disputed.items():
        reading.quarantine("/".join(key), answers.pop(key), "", reason)
    return answers


def _question(line: str, where: str) -> dict[str, str]:
    """One line's fields as text; subject and file also out of an image_id like sub01_EP02_01f."""
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise LayoutError(f"{where}: not JSON ({error}); download the list again") from error
    if not isinstance(row, dict):
        raise LayoutError(f"{where}: expected an object with dataset, subject, filename, question and answer")
    subject, _, name = str(row.get("image_id", "")).partition("_")
    values = {"subject": subject, "filename": str(row.get("image_id", "")) if row.get("dataset") == "samm" else name}
    values |= {key: str(value) for key, value in row.items() if value not in (None, "")}
    lacking = [key for key in ("dataset", "subject", "filename", "question", "answer") if not values.get(key)]
    if lacking:
        raise LayoutError(f"{where}: no {', '.join(lacking)}; found {', '.join(map(str, row))}")
    return values
