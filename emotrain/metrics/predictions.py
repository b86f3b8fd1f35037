"""The prediction table of one arm: what was asked, what was answered, and every check before a figure is computed.

Anyone's predictions can be read (parquet, csv, jsonl; see `columns.py` for the names that are understood). Whatever is
wrong with a table is said at once, with the rows: a metric over a silently shortened table is worse than none.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from emotrain.atomic_files import write_table, write_text
from emotrain.emotions import nearest
from emotrain.metrics.columns import (
    AMBIGUOUS,
    COLUMNS,
    OUTCOMES,
    UNPARSED,
    arm_of,
    is_answer,
    is_known,
    labels_of,
    to_predictions,
)
from emotrain.metrics.row_files import read_rows
from emotrain.metrics.row_roles import cast_roles
from emotrain.records import Clip, Prediction, to_table

__all__ = [
    "AMBIGUOUS",
    "OUTCOMES",
    "UNPARSED",
    "PredictionTable",
    "arms_in",
    "check_coverage",
    "check_folds",
    "examples",
    "read_predictions",
    "write_predictions",
]

log = logging.getLogger(__name__)

EXAMPLES = 5
"""How many rows an error message names before it says "and n more"."""


@dataclass(frozen=True)
class PredictionTable:
    """The predictions of one arm and seed, one row a clip; `labels` is the order of every logit vector.

    Raises ValueError naming the rows for a duplicate clip, an unknown label, a logit vector of the wrong length or a
    value that is not finite.
    """

    labels: tuple[str, ...]
    predictions: tuple[Prediction, ...]

    def __post_init__(self) -> None:
        problems = _problems(self.labels, self.predictions)
        if problems:
            raise ValueError("predictions cannot be scored:\n" + "\n".join(f"  - {problem}" for problem in problems))

    def __len__(self) -> int:
        return len(self.predictions)

    @property
    def clip_ids(self) -> list[str]:
        """Clip ids in row order."""
        return [row.clip_id for row in self.predictions]

    @cached_property
    def gold(self) -> np.ndarray:
        """(N,) int64: index of the true label."""
        index = {label: i for i, label in enumerate(self.labels)}
        return np.array([index[row.label] for row in self.predictions], dtype=np.int64)

    @cached_property
    def predicted(self) -> np.ndarray:
        """(N,) int64: index of the predicted label; K stands for ambiguous, K + 1 for unparsed."""
        index = {name: i for i, name in enumerate((*self.labels, *OUTCOMES))}
        return np.array([index[row.predicted] for row in self.predictions], dtype=np.int64)

    @cached_property
    def logits(self) -> np.ndarray | None:
        """(N, K) float64, or None when the rows carry free text or a bare label only."""
        if not self.predictions or not self.predictions[0].logits:
            return None
        return np.array([row.logits for row in self.predictions], dtype=np.float64)

    @property
    def folds(self) -> list[int | None]:
        """Test fold of each row, None where the data set has fixed splits."""
        return [row.fold for row in self.predictions]

    def subset(self, clip_ids: Collection[str]) -> PredictionTable:
        """The rows of these clips, in the table's order."""
        wanted = set(clip_ids)
        return PredictionTable(self.labels, tuple(row for row in self.predictions if row.clip_id in wanted))

    def aligned(self, other: PredictionTable) -> PredictionTable:
        """This table in the row order of `other`; ValueError when clips, true labels or label sets differ."""
        if set(self.labels) != set(other.labels):
            raise ValueError(f"label sets differ: {self.labels} against {other.labels}; two arms need one label set")
        if self.labels != other.labels:
            raise ValueError(f"label orders differ: {self.labels} against {other.labels}; write both in one order")
        rows = {row.clip_id: row for row in self.predictions}
        odd = sorted(set(rows) ^ set(other.clip_ids))
        if odd:
            raise ValueError(f"the two systems must score the same clips; in one table only: {examples(odd)}")
        unlike = [row.clip_id for row in other.predictions if rows[row.clip_id].label != row.label]
        if unlike:
            raise ValueError(f"the true label differs between the two tables: {examples(unlike)}")
        return PredictionTable(self.labels, tuple(rows[clip_id] for clip_id in other.clip_ids))


def read_predictions(
    path: Path,
    *,
    labels: Sequence[str] | None = None,
    arm: str | None = None,
    seed: int | None = None,
) -> PredictionTable:
    """Read a prediction table from any file of `row_files.py`; what had to be guessed of it is logged as a warning.

    `labels` names the label set; without it the file's own order counts (parquet metadata `labels`, or its score
    columns). A file with several arms or seeds needs `arm` or `seed`. Raises ValueError that names file and rows.
    """
    file = read_rows(path, is_known)
    rows, metadata = file.rows, file.metadata
    try:
        own = labels_of(rows, metadata)
        chosen = tuple(labels) if labels is not None else own
        if chosen is None:
            raise ValueError("nothing names the label set (no `labels` metadata, no score columns); pass one")
        if labels is not None and "labels" in metadata and set(own or ()) != set(chosen):
            raise ValueError(f"written for labels {own}, asked to score {chosen}; pass the label set of the file")
        rows, notes = cast_roles(rows, COLUMNS, None if own else lambda value: is_answer(value, chosen))
        for note in (*file.notes, *notes):
            _warn(f"{path}: {note}")
        predictions = to_predictions(rows, chosen, order=own)
        predictions = _one(predictions, "arm", arm)
        predictions = _one(predictions, "seed", seed)
        return PredictionTable(chosen, tuple(predictions))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def arms_in(path: Path) -> list[str]:
    """Names of the arms in a prediction file, in the order in which they first occur; [""] where it names none."""
    rows = read_rows(path, is_known).rows
    return list(dict.fromkeys(arm_of(row) for row in rows)) if rows else [""]


@cache
def _warn(message: str) -> None:
    """Once, though a file of several arms is read once for each."""
    log.warning(message)


def write_predictions(table: PredictionTable, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a table atomically: parquet (label order in the metadata), or jsonl with one logit per label name."""
    if path.suffix == ".parquet":
        extra = {**(metadata or {}), "labels": json.dumps(list(table.labels), ensure_ascii=False)}
        write_table(to_table(table.predictions, Prediction, extra), path)
    elif path.suffix == ".jsonl":
        write_text(
            "".join(json.dumps(_plain(table.labels, row), ensure_ascii=False) + "\n" for row in _rows(table)), path
        )
    else:
        raise ValueError(f"{path}: predictions are written as .parquet or .jsonl")


def check_coverage(table: PredictionTable, clips: Mapping[str, Clip]) -> None:
    """Raise ValueError unless the table scores every clip it should, no other, with the index's labels and folds.

    Expected are the clips whose test fold occurs in the table, or, in a table without folds, the test split (all
    clips when the index has neither). A table of a few folds is therefore complete when those folds are.
    """
    folds = {fold for fold in table.folds if fold is not None}
    if folds:
        expected = {name for name, clip in clips.items() if clip.test_fold in folds}
    else:
        expected = {name for name, clip in clips.items() if clip.split == "test"}
        expected = expected if expected else set(clips)
    found, problems = set(table.clip_ids), []
    if expected - found:
        problems.append(f"{len(expected - found)} clips have no prediction: {examples(sorted(expected - found))}")
    if found - set(clips):
        problems.append(f"clips that the index does not know: {examples(sorted(found - set(clips)))}")
    known = [(row, clips[row.clip_id]) for row in table.predictions if row.clip_id in clips]
    outside = sorted((found & set(clips)) - expected)
    if outside:
        problems.append(f"clips of another split or fold: {examples(outside)}")
    wrong = [f"{row.clip_id} ({row.label}, index says {clip.label})" for row, clip in known if row.label != clip.label]
    if wrong:
        problems.append(f"true label differs from the index: {examples(wrong)}")
    moved = [
        f"{row.clip_id} (fold {row.fold}, index says {clip.test_fold})"
        for row, clip in known
        if row.fold is not None and row.fold != clip.test_fold
    ]
    if moved:
        problems.append(f"fold differs from the index: {examples(moved)}")
    if problems:
        raise ValueError("predictions do not match the clip index:\n" + "\n".join(f"  - {item}" for item in problems))


def examples(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - EXAMPLES} more" if len(names) > EXAMPLES else ""
    return ", ".join(names[:EXAMPLES]) + more


def check_folds(table: PredictionTable, path: Path) -> None:
    """Raise ValueError when some clips of a file have a fold and others none: a mean over folds would lose these."""
    without = [row.clip_id for row in table.predictions if row.fold is None]
    if 0 < len(without) < len(table):
        raise ValueError(
            f"{path}: {len(without)} of {len(table)} clips have no fold, such as {examples(without)}; fill in their "
            "test fold, or leave the fold column out to pool all clips"
        )


def _problems(labels: tuple[str, ...], rows: Sequence[Prediction]) -> list[str]:
    problems = []
    if len(set(labels)) != len(labels) or len(labels) < 2:
        problems.append(f"a label set needs two or more different labels, found {labels}")
    if set(labels) & set(OUTCOMES):
        problems.append(f"{AMBIGUOUS!r} and {UNPARSED!r} are outcomes of scoring and cannot be labels")
    if not rows:
        problems.append("no row")
    repeated = [clip_id for clip_id, n in Counter(row.clip_id for row in rows).items() if n > 1]
    if repeated:
        problems.append(f"{len(repeated)} clips occur more than once: {examples(repeated)}")
    strange = [
        f"{row.clip_id} ({row.label!r}, {nearest(row.label, labels)})" for row in rows if row.label not in labels
    ]
    if strange:
        problems.append(f"true label outside the set: {examples(strange)}")
    allowed = {*labels, *OUTCOMES}
    strange = [f"{row.clip_id} ({row.predicted!r})" for row in rows if row.predicted not in allowed]
    if strange:
        problems.append(f"predicted label outside the set {labels}: {examples(strange)}")
    lengths = {len(row.logits) for row in rows}
    if lengths - {0, len(labels)}:
        short = [f"{row.clip_id} ({len(row.logits)})" for row in rows if len(row.logits) not in (0, len(labels))]
        problems.append(f"expected {len(labels)} scores a clip, found: {examples(short)}")
    elif len(lengths) > 1:
        problems.append(f"clips without scores: {examples([row.clip_id for row in rows if not row.logits])}")
    broken = [row.clip_id for row in rows if not np.isfinite(row.logits).all()]
    if broken:
        problems.append(f"scores that are NaN or infinite: {examples(broken)}")
    return problems


def _one(rows: list[Prediction], key: str, wanted: str | int | None) -> list[Prediction]:
    """The rows of one arm or one seed."""
    found = sorted({getattr(row, key) for row in rows})
    if wanted is not None:
        if wanted not in found:
            raise ValueError(f"no rows of {key} {wanted!r}; found: {', '.join(map(str, found))}")
        return [row for row in rows if getattr(row, key) == wanted]
    if len(found) > 1:
        raise ValueError(f"holds {key}s {', '.join(map(str, found))}; score one at a time with {key}=")
    return rows


def _rows(table: PredictionTable) -> list[dict[str, object]]:
    return pa.Table.to_pylist(to_table(table.predictions, Prediction))


def _plain(labels: tuple[str, ...], row: dict[str, object]) -> dict[str, object]:
    scores = row.pop("logits")
    return {**row, "logits": dict(zip(labels, scores))} if scores else row  # type: ignore[call-overload]
