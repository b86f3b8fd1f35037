"""Which clips of a prepared data folder can be drawn: those of the split that the frame stage could read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from emotrain.datasets.clips import read_index
from emotrain.records import Clip, Split
from emotrain.stages.quarantine import quarantined_in

FRAMES = "frames"


def drawable_clips(data: Path, fold: int | None = None, split: Split = "train") -> tuple[list[Clip], Counter[str]]:
    """The clips of a split, and how many of each label were left out because the frame stage quarantined them.

    Before frames are extracted nothing is left out. A clip without frames must not be drawn: training would stop at it.
    """
    bad = quarantined_ids(data / FRAMES)
    clips = read_index(data).select(split, fold)
    left_out = Counter(clip.label for clip in clips if clip.clip_id in bad)
    return [clip for clip in clips if clip.clip_id not in bad], left_out


def quarantined_ids(stage: Path) -> frozenset[str]:
    """Clip ids in the quarantine files of a stage's output folder; empty when the folder is not there yet.

    Raises ValueError that names the file and line when a line is no quarantine record.
    """
    return frozenset(record["clip_id"] for record in quarantined_in(stage))
