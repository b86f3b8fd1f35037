"""The figures of a study: every arm with its interval, and a curve for each family of arms that varies one key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotrain.evaluation.figures import STYLE, colour, new_figure, save, whisker
from emotrain.evaluation.headline import METRICS
from emotrain.metrics.over_seeds import Averaged
from emotrain.study.settings import Study, StudyArm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = ("uar", "tail_f1", "micro_accuracy")
CURVES = ("uar", "micro_accuracy")


def write_figures(study: Study, averaged: Mapping[str, Averaged], folder: Path) -> list[Path]:
    """Draw `arms.{png,svg}` and, where arms vary a key, `curves.{png,svg}` into `folder`."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        figures = {"arms": _arms(study, averaged)}
        families = _families(study, averaged)
        if families:
            figures["curves"] = _curves(study, averaged, families)
        return [path for name, figure in figures.items() for path in save(figure, folder, name)]


def _arms(study: Study, averaged: Mapping[str, Averaged]) -> Figure:
    """A row an arm: the mean over seeds with its interval, each seed as a hollow dot, the reference as a line."""
    metrics = [m for m in METRICS if m.key in SHOWN and any(m.key in arm.figures for arm in averaged.values())]
    figure = new_figure(2.6 + 1.9 * len(metrics), 0.9 + 0.27 * len(averaged))
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False).ravel()
    for axes, metric in zip(panels, metrics):
        axes.set(title=metric.name, xlim=(-2, 102), xticks=[0, 25, 50, 75, 100], ylim=(len(averaged) - 0.5, -0.5))
        axes.set_yticks(range(len(averaged)), list(averaged))
        reference = averaged[study.reference].figures.get(metric.key)
        if reference is not None:
            axes.axvline(100 * reference["value"], color="#9aa2ad", lw=0.9, ls="--", zorder=0)
        for y, (name, arm) in enumerate(averaged.items()):
            if metric.key in arm.figures:
                shade = colour(7) if name == study.reference else colour(0)
                found = arm.figures[metric.key]
                whisker(axes, 100 * found["value"], y, found, shade, fmt="o", markersize=5)
                seeds = arm.by_seed[metric.key]
                if len(seeds) > 1:
                    axes.plot([100 * s for s in seeds], [y] * len(seeds), "o", mfc="none", mec=shade, ms=3, mew=0.7)
    figure.supxlabel(f"percent, 95 % interval; dashed: {study.reference}", fontsize=8)
    return figure


def _families(study: Study, averaged: Mapping[str, Averaged]) -> dict[str, list[StudyArm]]:
    families: dict[str, list[StudyArm]] = {}
    for arm in study.arms:
        if arm.varied is not None and arm.name in averaged:
            families.setdefault(arm.family, []).append(arm)
    return {family: arms for family, arms in families.items() if len(arms) > 1}


def _curves(study: Study, averaged: Mapping[str, Averaged], families: Mapping[str, list[StudyArm]]) -> Figure:
    """One panel for each key that is varied; a line for each family, solid UAR and dashed micro accuracy."""
    keys = list(dict.fromkeys(arms[0].varied[0] for arms in families.values() if arms[0].varied))
    figure = new_figure(4.4 * len(keys), 3.4)
    panels = figure.subplots(1, len(keys), squeeze=False).ravel()
    for axes, key in zip(panels, keys):
        of_key = {f: arms for f, arms in families.items() if arms[0].varied and arms[0].varied[0] == key}
        for i, (family, arms) in enumerate(of_key.items()):
            values = [arm.varied[1] for arm in arms if arm.varied]
            names = [arm.name for arm in arms]
            source = arms[0].adapter_of
            if key == "corrupt_share" and source is not None and source in averaged:
                values, names = [0.0, *values], [source, *names]
            numeric = all(isinstance(value, (int, float)) for value in values)
            at = values if numeric else list(range(len(values)))
            _lines(axes, at, [averaged[name] for name in names], colour(i), family)
            if not numeric:
                axes.set_xticks(at, [str(value) for value in values])
        axes.set(ylim=(0, 102), xlabel=key, ylabel="percent", title=f"{key}: UAR (solid), micro (dashed)")
        axes.legend(fontsize=7)
    return figure


def _lines(axes: Axes, at: list[Any], arms: list[Averaged], shade: str, family: str) -> None:
    for metric, style in zip(CURVES, ("-", "--")):
        found = [(x, arm.figures[metric]) for x, arm in zip(at, arms) if metric in arm.figures]
        if found:
            xs = [x for x, _ in found]
            axes.plot(
                xs,
                [100 * f["value"] for _, f in found],
                style,
                color=shade,
                marker="o",
                ms=3.5,
                label=family if style == "-" else None,
            )
            lows, highs = [100 * f["low"] for _, f in found], [100 * f["high"] for _, f in found]
            axes.fill_between(xs, lows, highs, color=shade, alpha=0.10, lw=0)
