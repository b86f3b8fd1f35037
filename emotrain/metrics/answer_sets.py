"""Scoring of answers that are sets of words: several labels at once, or an open vocabulary.

Words that mean the same are brought together first, by a table that people bring; then precision is the share of a
clip's answered groups that are true, recall the share of its true groups that are answered, and F1 their harmonic mean,
each averaged over clips (example-based; Godbole and Sarawagi 2004. As set metrics of open-vocabulary emotion
recognition: Lian et al. 2024). An empty answer has precision 0.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emotrain.metrics.resampling import LEVEL
from emotrain.metrics.row_files import read_rows

COLUMNS = {"clip_id": ("clip_id", "clip", "id"), "gold": ("gold", "labels", "truth"), "predicted": ("predicted",)}
_BETWEEN = re.compile(r"[,;/|、，；\n]")


def words_of(cell: Any) -> frozenset[str]:
    """The words of a cell: a list, or text with commas, semicolons, slashes or bars between them; case is nothing."""
    parts = _BETWEEN.split(cell) if isinstance(cell, str) else [] if cell is None else list(cell)
    return frozenset(word for part in parts if (word := " ".join(str(part).lower().split()).strip(" .\"'[]")))


def read_synonyms(path: Path) -> dict[str, str]:
    """A table with the columns `word` and `group`: the group that each word belongs to.

    Raises ValueError, naming the row, for one that lacks a cell and for a word in two groups.
    """
    groups: dict[str, str] = {}
    for number, row in enumerate(read_rows(path, lambda column: column in ("word", "group")).rows, start=2):
        word, group = (" ".join(str(row.get(key) or "").lower().split()) for key in ("word", "group"))
        if not word or not group:
            raise ValueError(f"{path}: row {number}: expected a `word` and its `group`, found {dict(row)!r:.120}")
        if groups.setdefault(word, group) != group:
            raise ValueError(f"{path}: row {number}: {word!r} is in {groups[word]!r} already, now {group!r}; keep one")
    return groups


def grouped(words: Collection[str], groups: Mapping[str, str]) -> frozenset[str]:
    """Each word as its group; a word in no group stands for itself."""
    return frozenset(groups.get(word, word) for word in words)


def set_scores(
    gold: Sequence[Collection[str]],
    answered: Sequence[Collection[str]],
    groups: Mapping[str, str] | None = None,
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """`precision`, `recall` and `f1` over clips, each {"value", "low", "high"}; `unknown` words in no group, counted.

    Raises ValueError for clips without a true word, and for sequences of different length or none.
    """
    if len(gold) != len(answered) or not gold or not all(gold):
        raise ValueError(
            f"{len(gold)} true sets, {sum(not words for words in gold)} of them empty, and {len(answered)} answers; "
            "expected a true word for each clip and an answer, which may be empty"
        )
    table = {} if groups is None else groups
    rows = []
    for true, said in zip(gold, answered):
        truth, answer = grouped(true, table), grouped(said, table)
        hits = len(truth & answer)
        precision, recall = hits / len(answer) if answer else 0.0, hits / len(truth)
        rows.append((precision, recall, 2 * precision * recall / (precision + recall) if hits else 0.0))
    figures = np.array(rows)
    weights = np.random.default_rng(seed).exponential(size=(resamples, len(rows)))
    drawn = (weights @ figures) / weights.sum(1, keepdims=True)
    low, high = np.percentile(drawn, [50 * (1 - LEVEL), 50 * (1 + LEVEL)], axis=0)
    unknown = sorted({word for said in answered for word in said if table and word not in table})
    return {
        "clips": len(rows),
        **{
            name: {"value": float(figures[:, i].mean()), "low": float(low[i]), "high": float(high[i])}
            for i, name in enumerate(("precision", "recall", "f1"))
        },
        "unknown": unknown,
    }


def score_answer_sets(path: Path, synonyms: Path | None = None) -> dict[str, Any]:
    """`set_scores` of a file with the columns clip_id, gold and predicted; raises ValueError naming column or row."""
    known = {name: spelling for spelling, names in COLUMNS.items() for name in names}
    rows = [
        {known[key]: value for key, value in row.items() if key in known}
        for row in read_rows(path, lambda column: column in known).rows
    ]
    lacking = sorted(set(COLUMNS) - set(rows[0])) if rows else sorted(COLUMNS)
    if lacking:
        raise ValueError(f"{path}: no column {', '.join(lacking)}; expected {', '.join(COLUMNS)}, sets with commas")
    ids = [str(row["clip_id"]) for row in rows]
    if len(set(ids)) != len(ids):
        twice = next(clip_id for clip_id in ids if ids.count(clip_id) > 1)
        raise ValueError(f"{path}: clip {twice!r} stands twice; keep one row a clip")
    empty = [clip_id for clip_id, row in zip(ids, rows) if not words_of(row["gold"])]
    if empty:
        raise ValueError(f"{path}: clip {empty[0]!r} has no word in `gold` ({len(empty)} such); fill it in or drop it")
    groups = None if synonyms is None else read_synonyms(synonyms)
    return set_scores([words_of(row["gold"]) for row in rows], [words_of(row["predicted"]) for row in rows], groups)
