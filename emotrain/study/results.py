"""The outcome of a study: one table with paired differences and intervals, its figures, and the report page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from emotrain.atomic_files import write_json, write_text
from emotrain.datasets.clips import read_index
from emotrain.emotions import frequency_groups
from emotrain.evaluation.headline import METRICS, ArmResult, Metric, percent, points
from emotrain.evaluation.report import write_report
from emotrain.examples.manifests import train_counts
from emotrain.metrics.over_seeds import Averaged, over_seeds
from emotrain.metrics.published import published
from emotrain.metrics.summary import summarise
from emotrain.records import Clip
from emotrain.study.cells import Cell
from emotrain.study.curves import write_figures
from emotrain.study.gather import Gathered, comparable, gather
from emotrain.study.settings import Study


def write_results(study: Study, every: Sequence[Cell]) -> Path:
    """Write `out/results.{json,md}`, `out/figures/` and `out/report/`; prints the table and returns its path.

    Arms that are not complete are named and left out. Raises ValueError when the reference is one of them.
    """
    gathered = gather(study, every)
    if study.reference not in gathered.tables:
        lacking = ", ".join(gathered.missing[study.reference])
        raise ValueError(
            f"{study.out}: the reference {study.reference!r} has no predictions for {lacking}; run it first"
        )
    gathered = comparable(gathered, study.reference)
    recipe = next(cell for cell in every if cell.arm.name == study.reference).run.recipe
    index = read_index(Path(recipe.data.data))
    clips = {clip.clip_id: clip for clip in index.clips}
    groups = frequency_groups(train_counts(recipe))
    resamples = recipe.evaluation.resamples
    averaged = over_seeds(
        gathered.tables,
        study.reference,
        groups=groups,
        kinds={clip_id: clip.kind for clip_id, clip in clips.items()},
        holm_over=[metric.key for metric in METRICS],
        resamples=resamples,
    )
    text = table(study, averaged, gathered, resamples) + _published(index.dataset)
    write_json(
        {
            "study": study.path.name,
            "reference": study.reference,
            "clips": len(gathered.tables[study.reference][0]),
            "groups": groups,
            "resamples": resamples,
            "missing": gathered.missing,
            "arms": {name: asdict(arm) for name, arm in averaged.items()},
        },
        study.out / "results.json",
    )
    write_text(text, study.out / "results.md")
    write_figures(study, averaged, study.out / "figures")
    _page(study, gathered, clips, groups, resamples)
    Console().print(text, markup=False, soft_wrap=True)
    return study.out / "results.md"


def table(study: Study, averaged: Mapping[str, Averaged], gathered: Gathered, resamples: int) -> str:
    """The arms as a Markdown table: value, 95 % interval, and the difference to the reference with its own."""
    shown = [metric for metric in METRICS if any(metric.key in arm.figures for arm in averaged.values())]
    first = gathered.tables[study.reference][0]
    lines = [
        "| arm | " + " | ".join(metric.name for metric in shown) + " |",
        "|-|" + "-|" * len(shown),
        *(f"| {name} | " + " | ".join(_cell(arm, metric) for metric in shown) + " |" for name, arm in averaged.items()),
        "",
        f"{len(first)} test clips{_folds(study)}, {len(study.seeds)} seed(s). Percent with 95 % intervals "
        f"({resamples} resamples of the clips, the same for all arms); after the slash, points against "
        f"{study.reference}, * where p < .05 after Holm's correction over all arms and columns. {_scope(study)}",
        "",
    ]
    least = 2 / (resamples + 1) * (len(averaged) - 1) * len(shown)
    if least >= 0.05:
        lines += [f"With {resamples} resamples no difference can be starred: the smallest corrected p is {least:.2f}."]
    lines += [f"Left out: {name} ({'; '.join(lacking)})." for name, lacking in gathered.missing.items()]
    return "\n".join(lines) + "\n"


def _cell(arm: Averaged, metric: Metric) -> str:
    found = arm.figures.get(metric.key)
    if found is None:
        return "–"
    text = f"{percent(found['value'])} ({percent(found['low'])}-{percent(found['high'])})"
    difference = arm.differences.get(metric.key)
    if difference is None:
        return text
    mark = "*" if difference["p_holm"] < 0.05 else ""
    return f"{text} / {points(difference['value'])}{mark}"


def _scope(study: Study) -> str:
    """What the intervals are about, and what they leave out."""
    if len(study.seeds) == 1:
        return "One training an arm: a star says that these two adapters differ, not that two trainings would."
    return "Seeds are averaged, not resampled: the spread between trainings is in results.json (by_seed)."


def _folds(study: Study) -> str:
    return "" if study.folds == (None,) else f" pooled over {len(study.folds)} folds"


def _published(dataset: str) -> str:
    rows = published(dataset)
    if not rows:
        return ""
    lines = ["", "As published by others, mean over the five official folds (UAR / WAR in percent):", ""]
    lines += ["| method | UAR | WAR | |", "|-|-|-|-|"]
    lines += [f"| {row.method} | {row.uar:.2f} | {row.war:.2f} | {row.note} |" for row in rows]
    return "\n".join(lines) + "\n"


def _page(
    study: Study, gathered: Gathered, clips: Mapping[str, Clip], groups: Mapping[str, str], resamples: int
) -> None:
    """The report page of the first seed: confusion matrices, collapse and calibration need single predictions."""
    names = [study.reference, *(name for name in gathered.tables if name != study.reference)]
    arms = [
        ArmResult(
            name,
            summarise(
                gathered.tables[name][0],
                groups=groups,  # type: ignore[arg-type]
                kinds={clip_id: clip.kind for clip_id, clip in clips.items()},
                resamples=resamples,
            ),
            gathered.tables[name][0],
            dict(study.arm(name).keys),
        )
        for name in names
    ]
    write_report(
        study.out / "report",
        arms,
        title=study.title or study.path.stem,
        clips=clips,
        notes=[*study.notes, *_seed_note(study.seeds)],
        resamples=resamples,
    )


def _seed_note(seeds: Sequence[int]) -> list[str]:
    if len(seeds) == 1:
        return []
    return [f"This page shows seed {seeds[0]}; results.md has the mean over {len(seeds)} seeds."]
