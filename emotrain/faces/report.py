"""A page to look at the faces of a data set: shares by class, and contact sheets of the worst and of random clips."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

import pyarrow.compute as pc
import pyarrow.parquet as pq

from emotrain.atomic_files import write_text
from emotrain.datasets.clips import ClipIndex
from emotrain.datasets.paths import inside
from emotrain.faces.find import FoundFaces
from emotrain.faces.sheet import Sheet, sheet_of
from emotrain.faces.stage import FACELESS
from emotrain.faces.store import FaceStore
from emotrain.records import Clip
from emotrain.stages.parts import finished_parts
from emotrain.stages.quarantine import quarantined_in

SMALL_PX = 60
"""Faces narrower than this have their eyes some 24 pixels apart: too few for small movements."""


@dataclass(frozen=True, slots=True)
class Row:
    """One clip with a face, in figures."""

    clip_id: str
    seen_share: float
    faces: int
    width_px: float
    cuts: int

    @property
    def badness(self) -> tuple[float, float]:
        """Worst first: little seen, then narrow."""
        return self.seen_share, self.width_px


@dataclass(frozen=True, slots=True)
class ClassRow:
    """Shares of one class."""

    label: str
    clips: int
    faceless: int
    unreadable: int
    seen_share: float | None
    several: int
    small: int
    width_px: float | None


def write_report(data: Path, out: Path | None = None, *, clips: int = 12, seed: int = 0) -> Path:
    """Write the page for `data/faces` and return its path; `clips` of each kind are drawn.

    Raises FileNotFoundError when the stage has not run.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    store = FaceStore(data / "faces")
    rows = list(_rows(store.folder))
    bad = list(quarantined_in(store.folder))
    index = ClipIndex(data)
    by_id = {clip.clip_id: clip for clip in index}
    # A clip that has left the index since has no video to look at.
    faceless = [record for record in bad if record["reason"].startswith(FACELESS) and record["clip_id"] in by_id]
    worst = sorted(rows, key=lambda row: row.badness)[:clips]
    others = [row for row in rows if row not in worst]
    drawn = random.Random(seed).sample(others, min(clips, len(others)))
    without = random.Random(seed).sample(faceless, min(clips, len(faceless)))
    environment = Environment(
        loader=PackageLoader("emotrain.faces"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("faces.html.jinja").render(
        folder=str(data),
        total=len(rows) + len(bad),
        found=len(rows),
        faceless=len(faceless),
        unreadable=len(bad) - len(faceless),
        classes=_classes(rows, bad, by_id),
        reasons=Counter(record["reason"].rpartition(": ")[2] for record in bad if record not in faceless).most_common(
            5
        ),
        small_px=SMALL_PX,
        seed=seed,
        groups=[
            (
                "Seen least",
                "The clips whose chosen face was seen for the smallest share of the time.",
                _sheets(index, by_id, store, worst),
            ),
            (f"Drawn at random (seed {seed})", "What the rest looks like.", _sheets(index, by_id, store, drawn)),
            (
                "Without a face",
                "Nothing is told about these clips. A face in one of them is a mistake of the detector, or too small.",
                [_faceless_sheet(index, by_id[record["clip_id"]], record["reason"]) for record in without],
            ),
        ],
    )
    out = out if out is not None else store.folder / "report.html"
    write_text(page, out)
    return out


def _rows(folder: Path) -> Iterator[Row]:
    for part in finished_parts(folder):
        table = pq.read_table(part, columns=["clip_id", "clip"])
        table = table.filter(pc.is_valid(table["clip"]))
        for clip_id, clip in zip(table["clip_id"].to_pylist(), table["clip"].to_pylist()):
            yield Row(clip_id, clip["seen_share"], clip["faces"], clip["width_px"], len(clip["cuts_s"]))


def _reasons(bad: Sequence[dict[str, str]]) -> list[tuple[str, int]]:
    """The five commonest reasons, without the paths before them, why clips cannot be read."""
    unread = [record["reason"] for record in bad if not record["reason"].startswith(FACELESS)]
    return Counter(reason.rpartition(": ")[2] for reason in unread).most_common(5)


def _classes(rows: Sequence[Row], bad: Sequence[dict[str, str]], by_id: dict[str, Clip]) -> list[ClassRow]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(by_id[row.clip_id].label if row.clip_id in by_id else "?", []).append(row)
    without = Counter(record["label"] for record in bad if record["reason"].startswith(FACELESS))
    unread = Counter(record["label"] for record in bad if not record["reason"].startswith(FACELESS))
    table = []
    for label in sorted({*found, *without, *unread}):
        mine = found.get(label, [])
        table.append(
            ClassRow(
                label,
                len(mine) + without[label] + unread[label],
                without[label],
                unread[label],
                fmean(row.seen_share for row in mine) if mine else None,
                sum(row.faces > 1 for row in mine),
                sum(row.width_px < SMALL_PX for row in mine),
                median(row.width_px for row in mine) if mine else None,
            )
        )
    return table


def _sheets(index: ClipIndex, by_id: dict[str, Clip], store: FaceStore, rows: Sequence[Row]) -> list[Sheet]:
    sheets = []
    for row in rows:
        if row.clip_id in by_id:
            found: FoundFaces = store.of(row.clip_id)
            clip = by_id[row.clip_id]
            sheets.append(sheet_of(_path(index, clip), found, str(found.clip.reason), clip))
    return sheets


def _faceless_sheet(index: ClipIndex, clip: Clip, reason: str) -> Sheet:
    return sheet_of(_path(index, clip), None, reason, clip)


def _path(index: ClipIndex, clip: Clip) -> Path:
    return inside(index.root, clip.path)
