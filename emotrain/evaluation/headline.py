"""The headline of an experiment: which figures it has, how arms compare with the first, and the terminal table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emotrain.evaluation.served.figures import server_lines
from emotrain.metrics.over_seeds import over_seeds
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.summary import Clusters, Kinds, compare
from emotrain.metrics.verdict import PRIMARY, Contrast, Verdict


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm of an experiment: its name, `metrics.summary.summarise` of its table, the table, and its settings."""

    name: str
    metrics: Mapping[str, Any]
    table: PredictionTable
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure that the headline shows: its key in the metrics, its name, and what it is in a few words."""

    key: str
    name: str
    meaning: str


METRICS: tuple[Metric, ...] = (
    Metric("war", "WAR", "accuracy"),
    Metric("war_at_prior", "WAR at prior", "accuracy where classes occur as the given prior says"),
    Metric("uar", "UAR", "mean recall over all classes"),
    Metric("macro_f1", "Macro-F1", "mean F1 over all classes"),
    Metric("tail_f1", "Tail F1", "mean F1 over the rare classes"),
    Metric("micro_accuracy", "Micro", "accuracy on micro-expressions"),
    Metric("macro_accuracy", "Macro", "accuracy on macro-expressions"),
)


def shown_metrics(arms: Sequence[ArmResult]) -> list[Metric]:
    """The headline metrics that at least one arm has."""
    return [metric for metric in METRICS if any(arm.metrics.get(metric.key) is not None for arm in arms)]


def check_arms(arms: Sequence[ArmResult]) -> None:
    """Raise ValueError unless there are arms, their names differ, and all score the same clips and labels."""
    names = [arm.name for arm in arms]
    if not arms or len(set(names)) != len(names):
        raise ValueError(f"a report needs one or more arms with different names, found {names}")
    for arm in arms[1:]:
        try:
            arm.table.aligned(arms[0].table)
        except ValueError as error:
            raise ValueError(f"arm {arm.name!r} cannot be set beside {names[0]!r}: {error}") from error


def clusters_of(arm: ArmResult) -> Clusters | None:
    """The clusters that an arm's own intervals were drawn by, so that whatever compares it draws by them as well."""
    numbers = arm.metrics["interval"].get("cluster_of")
    return None if numbers is None else {i: str(n) for i, n in zip(arm.table.clip_ids, numbers, strict=True)}


def differences(
    arms: Sequence[ArmResult], kinds: Kinds, *, resamples: int = 10_000, seed: int = 0
) -> list[dict[str, Any] | None]:
    """`metrics.summary.compare` of the first arm with each arm, None for the first itself.

    They describe; what may be called a difference is for `verdicts` to say.
    """
    groups, clusters = arms[0].metrics["groups"], clusters_of(arms[0])
    return [
        None,
        *(
            compare(
                arms[0].table,
                arm.table,
                groups=groups,
                kinds=kinds,
                clusters=clusters,
                prior=arms[0].metrics.get("prior"),
                resamples=resamples,
                seed=seed,
            )
            for arm in arms[1:]
        ),
    ]


def verdicts(
    arms: Sequence[ArmResult],
    kinds: Kinds,
    contrasts: Sequence[Contrast] | None = None,
    *,
    resamples: int = 10_000,
    seed: int = 0,
) -> tuple[Verdict, ...]:
    """The verdict on each contrast; where none were declared, on every arm against the first by the primary figure."""
    if contrasts is None:
        contrasts = [Contrast(arms[0].name, arm.name, PRIMARY) for arm in arms[1:]]
    if not contrasts:
        return ()
    return over_seeds(
        {arm.name: [arm.table] for arm in arms},
        arms[0].name,
        groups=arms[0].metrics["groups"],
        kinds=kinds,
        clusters=clusters_of(arms[0]),
        contrasts=contrasts,
        resamples=resamples,
        seed=seed,
    ).verdicts


def chance(arm: ArmResult) -> float:
    """UAR of guessing: one over the classes that have clips, as a share of all classes of the set."""
    return (len(arm.table.labels) - len(arm.metrics["absent_classes"])) / len(arm.table.labels) ** 2


def is_strawman(arm: ArmResult) -> bool:
    """Whether an arm's UAR lies below chance: to beat it shows nothing."""
    return bool(arm.metrics["uar"]["value"] < chance(arm))


def percent(share: float | None) -> str:
    """A share in percent with one decimal: 0.8324 is "83.2"; nothing is an en dash."""
    return "–" if share is None else f"{100 * share:.1f}"


def points(difference: float) -> str:
    """A difference of shares in percentage points with its sign: 0.312 is "+31.2"."""
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def print_table(
    arms: Sequence[ArmResult],
    compared: Sequence[dict[str, Any] | None] | None = None,
    found: Sequence[Verdict] = (),
    *,
    title: str | None = None,
    console: Console | None = None,
) -> None:
    """Print arms x metrics in percent, each with its 95 % interval and, given `differences`, that to the first arm.

    Below them stand the verdicts that were `found` on the declared contrasts.
    """
    console = console if console is not None else Console()
    table = Table(
        title=None if title is None else Text(title),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_lines=compared is not None,
        pad_edge=False,
        padding=0,
    )
    table.add_column("arm", style="bold", overflow="fold", min_width=12)
    metrics = shown_metrics(arms)
    for metric in metrics:
        table.add_column(metric.name, justify="right", no_wrap=True)
    rows = compared if compared is not None else [None] * len(arms)
    below = [arm.name for arm in arms if is_strawman(arm)]
    wide = console.width >= 24 + 22 * len(metrics)
    for arm, difference in zip(arms, rows):
        cells = [_cell(arm.metrics.get(m.key), difference and difference.get(m.key), wide) for m in metrics]
        table.add_row(Text(arm.name + (" †" if arm.name in below else "")), *cells)  # "lora[r=8]" is no markup
    console.print(table)
    reference = f"; third line: points against {arms[0].name}" if compared is not None else ""
    by = arms[0].metrics["interval"].get("cluster_by")
    units = f" over {arms[0].metrics['interval']['clusters']} {by}s" if by else ""
    dagger = f"; † below chance ({percent(chance(arms[0]))}): to beat it shows nothing" if below else ""
    console.print(Text(f"percent, 95 % interval{units}{reference}{dagger}", style="dim"))
    if arms[0].metrics["interval"].get("warning"):
        console.print(Text(arms[0].metrics["interval"]["warning"], style="yellow"))
    for line in server_lines({arm.name: [arm.metrics] for arm in arms}):
        console.print(Text(line), soft_wrap=True)
    for line in verdict_lines(found):
        console.print(Text(line))


def verdict_lines(found: Sequence[Verdict]) -> list[str]:
    """The verdicts as lines of text."""
    if not found:
        return []
    names = {metric.key: metric.name for metric in METRICS}
    lines = [f"Declared contrasts, p corrected by Holm over these {len(found)}:"]
    return lines + [
        f"  {one.contrast.second} less {one.contrast.first}, {names.get(one.contrast.figure, one.contrast.figure)}: "
        f"{points(one.value)} ({points(one.low)} … {points(one.high)}), p {one.p_holm:.2g}: {one.in_words()}"
        for one in found
    ]


def _cell(interval: Mapping[str, float] | None, difference: Mapping[str, float] | None, wide: bool) -> str:
    """Value, interval and difference, a line each; the difference's own interval only where there is room for it."""
    if interval is None:
        return "–"
    text = (
        f"[bold]{percent(interval['value'])}[/bold]\n[dim]{percent(interval['low'])}–{percent(interval['high'])}[/dim]"
    )
    if difference is None:
        return text
    span = f" ({points(difference['low'])} … {points(difference['high'])})" if wide else ""
    return f"{text}\n{points(difference['value'])}{span}"
