"""The outcome of a study: one table with paired differences and intervals, its figures, and the report page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.console import Console

from emotrain.atomic_files import write_json, write_text
from emotrain.datasets.clips import read_index
from emotrain.emotions import frequency_groups
from emotrain.evaluation.evaluate import read_metrics
from emotrain.evaluation.headline import METRICS, ArmResult, Metric, percent, points
from emotrain.evaluation.report import write_report
from emotrain.evaluation.served.figures import server_lines
from emotrain.examples.manifests import train_counts
from emotrain.metrics.clusters import known_clusters, too_few
from emotrain.metrics.detectable import in_words
from emotrain.metrics.over_seeds import Averaged, Comparison, over_seeds
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.published import published
from emotrain.metrics.summary import summarise
from emotrain.metrics.verdict import Verdict
from emotrain.metrics.verdict import table as verdict_rows
from emotrain.records import Clip
from emotrain.study.cells import Cell
from emotrain.study.curves import write_figures
from emotrain.study.fresh import fresh_table
from emotrain.study.gather import Gathered, comparable, gather
from emotrain.study.settings import Study

_NAMES = {metric.key: metric.name for metric in METRICS}


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
    first = gathered.tables[study.reference][0]
    known = known_clusters(first, clips)
    by, clusters = known if known is not None else ("subject", None)
    compared = over_seeds(
        gathered.tables,
        study.reference,
        groups=groups,
        kinds={clip_id: clip.kind for clip_id, clip in clips.items()},
        clusters=clusters,
        contrasts=study.contrasts,
        resamples=resamples,
    )
    warning = too_few(compared.clusters, by if clusters is not None else None)
    text = table(study, compared, gathered, resamples, by) + ("" if warning is None else f"\n{warning}\n")
    text += _servers(every, gathered)
    text += "".join(f"\n{line}\n" for line in _what_clips_can_show(first, groups, len(study.contrasts)))
    text += fresh_table(study, every, groups)
    text += _published(index.dataset)
    write_json(
        {
            "study": study.path.name,
            "reference": study.reference,
            "clips": len(gathered.tables[study.reference][0]),
            "groups": groups,
            "resamples": resamples,
            "missing": gathered.missing,
            "clusters": compared.clusters,
            "arms": {name: asdict(arm) for name, arm in compared.arms.items()},
            "contrasts": verdict_rows(compared.verdicts, _NAMES),
        },
        study.out / "results.json",
    )
    write_text(text, study.out / "results.md")
    write_figures(study, compared.arms, study.out / "figures")
    _page(study, gathered, clips, groups, compared.verdicts, resamples)
    Console().print(text, markup=False, soft_wrap=True)
    return study.out / "results.md"


def table(study: Study, compared: Comparison, gathered: Gathered, resamples: int, by: str = "subject") -> str:
    """The arms as a Markdown table (value, 95 % interval, s.d. over seeds, difference to the reference), the verdicts
    on the declared contrasts below it."""
    averaged = compared.arms
    shown = [metric for metric in METRICS if any(metric.key in arm.figures for arm in averaged.values())]
    first = gathered.tables[study.reference][0]
    chance = len(np.unique(first.gold)) / len(first.labels) ** 2
    below = {name for name, arm in averaged.items() if arm.figures["uar"]["value"] < chance}
    several = any(sd is not None for sd in averaged[study.reference].seed_sd.values())
    over = f"whole {by}s ({compared.clusters})" if compared.clusters is not None else "the clips"
    lines = [
        "| arm | " + " | ".join(metric.name for metric in shown) + " |",
        "|-|" + "-|" * len(shown),
        *(
            f"| {name}{' †' if name in below else ''} | " + " | ".join(_cell(arm, m) for m in shown) + " |"
            for name, arm in averaged.items()
        ),
        "",
        f"{len(first)} test clips{_folds(study)}, {len(study.seeds)} seed(s). Percent with 95 % intervals over {over}"
        f"{' and trainings; ± the s.d. over seeds' if several else ''} ({resamples} resamples, the same for all arms); "
        f"after the slash, points against {study.reference}. {_scope(study)}",
        "",
    ]
    if below:
        lines += [f"† below chance ({percent(chance)}): to beat such an arm shows nothing.", ""]
    lines += _verdicts(compared.verdicts)
    lines += [f"Left out: {name} ({'; '.join(lacking)})." for name, lacking in gathered.missing.items()]
    return "\n".join(lines) + "\n"


def _verdicts(found: Sequence[Verdict]) -> list[str]:
    if not found:
        return ["No contrast was declared, so nothing was tested: `contrasts:` in the study file names what is.", ""]
    lines = ["| declared contrast | figure | difference | p (Holm) | verdict |", "|-|-|-|-|-|"]
    for row in verdict_rows(found, _NAMES):
        span = f"{points(row['value'])} ({points(row['low'])} to {points(row['high'])})"
        said = f"**{row['verdict']}**" if row["sure"] else row["verdict"]
        lines.append(
            f"| {row['second']} less {row['first']} | {row['figure']} | {span} | {row['p_holm']:.2g} | {said} |"
        )
    return [
        *lines,
        "",
        "p by paired randomisation, of equivalences by two one-sided tests, corrected by Holm over these "
        f"{len(found)}; everything else on this page is description.",
        "",
    ]


def _servers(every: Sequence[Cell], gathered: Gathered) -> str:
    """What models behind servers cost and left unanswered, all folds and seeds together."""
    served = [cell for cell in every if cell.run.server is not None and cell.arm.name in gathered.tables]
    names = dict.fromkeys(cell.arm.name for cell in served)
    lines = server_lines(
        {name: [read_metrics(cell.run.scores) for cell in served if cell.arm.name == name] for name in names}
    )
    return "".join(f"{line}\n" for line in ["", *lines]) if lines else ""


def _what_clips_can_show(first: PredictionTable, groups: Mapping[str, str], tests: int) -> list[str]:
    counts = {label: int((first.gold == c).sum()) for c, label in enumerate(first.labels)}
    return in_words(counts, [label for label in first.labels if groups[label] == "tail"], tests=tests)


def _cell(arm: Averaged, metric: Metric) -> str:
    found = arm.figures.get(metric.key)
    if found is None:
        return "–"
    spread = arm.seed_sd[metric.key]
    sd = "" if spread is None else f" ±{percent(spread)}"
    text = f"{percent(found['value'])}{sd} ({percent(found['low'])}-{percent(found['high'])})"
    difference = arm.differences.get(metric.key)
    return text if difference is None else f"{text} / {points(difference['value'])}"


def _scope(study: Study) -> str:
    """What the intervals are about, and what they leave out."""
    if len(study.seeds) == 1:
        return "One training an arm: a verdict is about these two adapters, not about two trainings."
    return "Few trainings say little of all trainings: their part of an interval is Student's t over the seeds."


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
    study: Study,
    gathered: Gathered,
    clips: Mapping[str, Clip],
    groups: Mapping[str, str],
    found: Sequence[Verdict],
    resamples: int,
) -> None:
    """The report page of the first seed: confusion matrices, collapse and calibration need single predictions."""
    known = known_clusters(gathered.tables[study.reference][0], clips)
    by, clusters = known if known is not None else ("subject", None)
    names = [study.reference, *(name for name in gathered.tables if name != study.reference)]
    arms = [
        ArmResult(
            name,
            summarise(
                gathered.tables[name][0],
                groups=groups,  # type: ignore[arg-type]
                kinds={clip_id: clip.kind for clip_id, clip in clips.items()},
                clusters=clusters,
                cluster_by=by,
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
        found=found,
        resamples=resamples,
    )


def _seed_note(seeds: Sequence[int]) -> list[str]:
    if len(seeds) == 1:
        return []
    return [f"This page shows seed {seeds[0]}; results.md and the contrasts are of all {len(seeds)} seeds."]
