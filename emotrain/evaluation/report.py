"""The report of an experiment: one self-contained page (`report.html`) with its figures and differences beside it.

The page needs no network and no server: style, script and images are inside it. It reads at phone and desktop width, in
light and dark, and its clip filters live in the address (`report.html#class=disgust&kind=micro&arm0=wrong&arm2=right`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emotrain.atomic_files import write_json, write_text
from emotrain.evaluation.figures import COLOURS, write_figures
from emotrain.evaluation.headline import (
    METRICS,
    ArmResult,
    chance,
    check_arms,
    differences,
    is_strawman,
    percent,
    points,
    shown_metrics,
)
from emotrain.evaluation.timeline import ClipStory, timeline
from emotrain.metrics.columns import OUTCOMES
from emotrain.metrics.conformal import SHOWN
from emotrain.metrics.published import Published
from emotrain.metrics.verdict import Verdict
from emotrain.metrics.verdict import table as verdict_rows
from emotrain.records import Clip

__all__ = ["ArmResult", "ClipStory", "write_report"]

TEMPLATE = "report.html.jinja"
PER_CLASS = (("recall", "Recall"), ("precision", "Precision"), ("f1", "F1"))


def write_report(
    out: Path,
    arms: Sequence[ArmResult],
    *,
    title: str,
    clips: Mapping[str, Clip],
    stories: Sequence[ClipStory] = (),
    published: Sequence[Published] = (),
    notes: Sequence[str] = (),
    compared: Sequence[dict[str, Any] | None] | None = None,
    found: Sequence[Verdict] = (),
    resamples: int = 10_000,
    seed: int = 0,
) -> Path:
    """Write `out/report.html`, `out/differences.json` and `out/figures/*.{png,svg}`; returns the page's path.

    All arms must score the same clips; differences are against the first, and `compared` are those where the caller has
    them already; `found` are the verdicts on declared contrasts. `clips` (by id) says which clips are macro
    and micro. `stories` become clip pages, in the order given. `notes` are sentences printed under the title. Raises
    ValueError for arms that cannot be compared and for a story whose probabilities fit no arm.
    """
    check_arms(arms)
    _check_stories(arms, stories)
    kinds = {clip_id: clip.kind for clip_id, clip in clips.items()}
    if compared is None:
        compared = differences(arms, kinds, resamples=resamples, seed=seed)
    order = _class_order(arms[0])
    rows = verdict_rows(found, {metric.key: metric.name for metric in METRICS})
    write_json(
        {
            "reference": arms[0].name,
            "arms": {arm.name: row for arm, row in zip(arms, compared) if row is not None},
            "contrasts": rows,
        },
        out / "differences.json",
    )
    write_figures(arms, order, out / "figures")
    page = (
        _environment()
        .get_template(TEMPLATE)
        .render(
            title=title,
            notes=notes,
            arms=[_arm(i, arm, compared[i], order) for i, arm in enumerate(arms)],
            metrics=shown_metrics(arms),
            verdicts=rows,
            chance=chance(arms[0]),
            labels=order,
            classes=[_class(arms, label) for label in order],
            per_class_figures=PER_CLASS,
            n_clips=len(arms[0].table),
            n_kinds={
                kind: sum(kinds.get(name) == kind for name in arms[0].table.clip_ids) for kind in ("macro", "micro")
            },
            folds=sorted({fold for fold in arms[0].table.folds if fold is not None}),
            interval=arms[0].metrics["interval"],
            published=published,
            stories=[_story(arms, story) for story in stories],
        )
    )
    write_text(page, out / "report.html")
    return out / "report.html"


def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("emotrain.evaluation", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, points=points, seconds=lambda value: f"{value:.2f}")
    return environment


def _class_order(arm: ArmResult) -> list[str]:
    """Classes from common to rare: by group where the arms have groups, then by clips in the test."""
    groups, per_class = arm.metrics["groups"], arm.metrics["per_class"]
    rank = {"head": 0, "medium": 1, "tail": 2}
    return sorted(
        arm.table.labels,
        key=lambda label: (rank[groups[label]] if groups is not None else 0, -per_class[label]["support"]),
    )


def _arm(i: int, arm: ArmResult, compared: Mapping[str, Any] | None, order: Sequence[str]) -> dict[str, Any]:
    metrics = arm.metrics
    return {
        "number": i,
        "name": arm.name,
        "strawman": is_strawman(arm),
        "colour": f"arm-{i % len(COLOURS)}",
        "metrics": metrics,
        "compared": compared,
        "settings": arm.settings,
        "confusion": _confusion(metrics["confusion"], order),
        "collapse": metrics["collapse"],
        "calibration": metrics["calibration"],
        "beyond": metrics.get("scores"),
        "annotators": metrics.get("annotators"),
        "ordinal": metrics.get("ordinal"),
        "selective": metrics.get("selective"),
        "sets": [row for row in metrics.get("label_sets") or () if row["coverage"] == SHOWN],
    }


def _class(arms: Sequence[ArmResult], label: str) -> dict[str, Any]:
    rows = [arm.metrics["per_class"][label] for arm in arms]
    return {"label": label, "support": rows[0]["support"], "group": rows[0]["group"], "arms": rows}


def _confusion(confusion: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """Rows and columns in display order, cells as row percent; outcome columns only where an answer fell into them."""
    counts = np.array(confusion["counts"])
    rows = [confusion["rows"].index(label) for label in order]
    columns = [confusion["columns"].index(name) for name in (*order, *OUTCOMES)]
    columns = [c for c in columns if c < len(rows) or counts[:, c].any()]
    totals = np.maximum(counts.sum(1), 1)
    return {
        "columns": [confusion["columns"][c] for c in columns],
        "rows": [
            {
                "label": confusion["rows"][r],
                "cells": [
                    {"count": int(counts[r, c]), "share": float(100 * counts[r, c] / totals[r]), "right": r == c}
                    for c in columns
                ],
            }
            for r in rows
        ],
    }


def _check_stories(arms: Sequence[ArmResult], stories: Sequence[ClipStory]) -> None:
    names, size = {arm.name for arm in arms}, len(arms[0].table.labels)
    known = set(arms[0].table.clip_ids)
    for story in stories:
        if story.clip.clip_id not in known:
            raise ValueError(f"story of clip {story.clip.clip_id!r}: the arms have no prediction for it")
        for name, values in story.probabilities.items():
            if name not in names or len(values) != size:
                raise ValueError(
                    f"story of clip {story.clip.clip_id!r}: {len(values)} probabilities for arm {name!r}; "
                    f"expected {size} for one of {', '.join(sorted(names))}"
                )


def _story(arms: Sequence[ArmResult], story: ClipStory) -> dict[str, Any]:
    """A clip page: verdict of each arm, the time line, and one row of probabilities a class, the true class first."""
    clip, labels = story.clip, arms[0].table.labels
    answers = [next(row for row in arm.table.predictions if row.clip_id == clip.clip_id) for arm in arms]
    given = {name: np.asarray(values, dtype=float) for name, values in story.probabilities.items()}
    scored = [arm.name for arm in arms if arm.name in given]
    highest = {label: max((float(given[name][c]) for name in scored), default=0.0) for c, label in enumerate(labels)}
    order = sorted(labels, key=lambda label: (label != clip.label, -highest[label]))
    return {
        "clip": clip,
        "line": timeline(story),
        "verdicts": [
            {
                "colour": f"arm-{i % len(COLOURS)}",
                "name": arm.name,
                "predicted": row.predicted,
                "right": row.predicted == row.label,
            }
            for i, (arm, row) in enumerate(zip(arms, answers))
        ],
        "scored": [
            {"colour": f"arm-{i % len(COLOURS)}", "name": arm.name} for i, arm in enumerate(arms) if arm.name in given
        ],
        "probabilities": [
            {
                "label": label,
                "true": label == clip.label,
                "values": [float(given[n][labels.index(label)]) for n in scored],
            }
            for label in order
        ]
        if scored
        else [],
    }
