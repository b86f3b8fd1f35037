"""The figures of a report as PNG and SVG, for papers and slides; colours by Okabe and Ito, for every kind of eye."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emotrain.atomic_files import replacing
from emotrain.evaluation.headline import ArmResult, shown_metrics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#7f7f7f", "#b8a900")
"""One colour an arm; the report page uses the same order. After the last they begin again."""

STYLE = {
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e5e8",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "text.parse_math": False,  # names of arms and classes are no formulas
    "svg.fonttype": "none",
    "svg.hashsalt": "emotrain",
}


def colour(arm: int) -> str:
    """The colour of the arm with this position."""
    return COLOURS[arm % len(COLOURS)]


def write_figures(arms: Sequence[ArmResult], order: Sequence[str], folder: Path) -> list[Path]:
    """Draw every figure of the report into `folder`, as PNG (150 dpi) and SVG; `order` lists the classes."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        figures = {
            "headline": _headline(arms),
            "per_class": _per_class(arms, order),
            "confusion": _confusion(arms, order),
            "collapse": _collapse(arms, order),
        }
        if any(arm.metrics["calibration"] is not None for arm in arms):
            figures["reliability"] = _reliability(arms)
        return [path for name, figure in figures.items() for path in save(figure, folder, name)]


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as `folder/name.png` (150 dpi) and `.svg`; the same figure gives the same bytes."""
    # The layout is solved once, not once a file: it costs more than the drawing.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    written = []
    for suffix in ("png", "svg"):
        path = folder / f"{name}.{suffix}"
        with replacing(path) as temporary:
            metadata = {"Date": None} if suffix == "svg" else None
            figure.savefig(temporary, format=suffix, dpi=150, metadata=metadata)
        written.append(path)
    return written


def new_figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _panels(arms: Sequence[ArmResult], width: float, height: float) -> tuple[Figure, list[Any]]:
    """One panel an arm, at most three in a row."""
    across = min(3, len(arms))
    down = -(-len(arms) // across)
    figure = new_figure(width * across, height * down)
    panels = figure.subplots(down, across, squeeze=False).ravel().tolist()
    for spare in panels[len(arms) :]:
        spare.set_axis_off()
    return figure, panels[: len(arms)]


def whisker(axes: Axes, x: float, y: float, interval: dict[str, float], shade: str, **style: Any) -> None:
    """A dot at (x, y) with its interval along x."""
    low, high = max(x - 100 * interval["low"], 0), max(100 * interval["high"] - x, 0)
    axes.errorbar(x, y, xerr=[[low], [high]], color=shade, capsize=2.5, elinewidth=1.2, **style)


def _headline(arms: Sequence[ArmResult]) -> Figure:
    metrics = shown_metrics(arms)
    figure = new_figure(1.9 * len(metrics), 0.9 + 0.32 * len(arms))
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False).ravel()
    for axes, metric in zip(panels, metrics):
        axes.set(title=metric.name, xlim=(0, 100), xticks=[0, 50, 100], ylim=(len(arms) - 0.5, -0.5))
        axes.set_yticks(range(len(arms)), [arm.name for arm in arms])
        for y, arm in enumerate(arms):
            interval = arm.metrics.get(metric.key)
            if interval is not None:
                whisker(axes, 100 * interval["value"], y, interval, colour(y), fmt="o", markersize=5)
    figure.supxlabel("percent, 95 % interval", fontsize=8)
    return figure


def _per_class(arms: Sequence[ArmResult], order: Sequence[str]) -> Figure:
    figure = new_figure(6.5, 0.8 + len(order) * (0.16 * len(arms) + 0.2))
    axes = figure.subplots()
    height = 0.8 / len(arms)
    for a, arm in enumerate(arms):
        for y, label in enumerate(order):
            interval = arm.metrics["per_class"][label]["recall"]
            at = y - 0.4 + (a + 0.5) * height
            value = 100 * interval["value"]
            axes.barh(at, value, height * 0.85, color=colour(a), label=arm.name if y == 0 else None)
            whisker(axes, value, at, interval, "#30343a", fmt="none", lw=0.8)
    axes.set(xlim=(0, 100), ylim=(len(order) - 0.4, -0.6), xlabel="recall, percent, 95 % interval")
    axes.set_yticks(range(len(order)), order)
    figure.legend(loc="outside lower center", ncols=min(3, len(arms)))
    return figure


def _confusion(arms: Sequence[ArmResult], order: Sequence[str]) -> Figure:
    figure, panels = _panels(arms, 3.4, 3.3)
    for axes, arm in zip(panels, arms):
        columns = arm.metrics["confusion"]["columns"]
        shown = [*order, *columns[len(order) :]]
        at = [columns.index(name) for name in shown]
        counts = np.array(arm.metrics["confusion"]["counts"], dtype=float)[at[: len(order)]][:, at]
        # The two outcome columns are drawn only where some answer fell into them.
        used = [c for c in range(counts.shape[1]) if c < counts.shape[0] or counts[:, c].any()]
        shares = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
        axes.imshow(shares[:, used], cmap="Blues", vmin=0, vmax=100)
        axes.set(title=arm.name)
        axes.set_xticks(range(len(used)), [shown[c] for c in used], rotation=90, fontsize=7)
        axes.set_yticks(range(len(counts)), order, fontsize=7)
        axes.grid(visible=False)
        for y, x in np.ndindex(len(counts), len(used)):
            if shares[y, used[x]] >= 0.5:
                ink = "white" if shares[y, used[x]] > 55 else "black"
                axes.text(x, y, f"{shares[y, used[x]]:.0f}", ha="center", va="center", fontsize=5.5, color=ink)
    figure.supxlabel("answer", fontsize=8)
    figure.supylabel("true class (row percent)", fontsize=8)
    return figure


def _collapse(arms: Sequence[ArmResult], order: Sequence[str]) -> Figure:
    figure = new_figure(6.5, 0.8 + 0.3 * len(order))
    axes = figure.subplots()
    found = [ratio for arm in arms for ratio in arm.metrics["collapse"]["share_ratio"].values() if ratio is not None]
    right = max(12.0, 1.3 * max(found, default=0.0))
    ticks = {1 / 32: "< 1/32", 1 / 8: "1/8", 1 / 2: "1/2", 1: "1", 2: "2", 8: "8", 32: "32", 128: "128", 512: "512"}
    for a, arm in enumerate(arms):
        ratios = arm.metrics["collapse"]["share_ratio"]
        for y, label in enumerate(order):
            if ratios[label] is not None:
                # What is (almost) never predicted is drawn at the left edge of the log axis.
                at = y + (a - (len(arms) - 1) / 2) * 0.12
                axes.plot(
                    max(ratios[label], 1 / 32), at, "o", color=colour(a), ms=5, label=arm.name if y == 0 else None
                )
    axes.axvline(1, color="#30343a", lw=1)
    axes.set(xscale="log", xlim=(1 / 36, right), ylim=(len(order) - 0.4, -0.6), xlabel="predicted share / true share")
    axes.set_xticks([at for at in ticks if at <= right], [text for at, text in ticks.items() if at <= right])
    axes.minorticks_off()
    axes.set_yticks(range(len(order)), order)
    figure.legend(loc="outside right upper")
    return figure


def _reliability(arms: Sequence[ArmResult]) -> Figure:
    scored = [(i, arm) for i, arm in enumerate(arms) if arm.metrics["calibration"] is not None]
    figure, panels = _panels([arm for _, arm in scored], 2.4, 2.5)
    for axes, (i, arm) in zip(panels, scored):
        calibration = arm.metrics["calibration"]
        axes.plot([0, 1], [0, 1], color="#9aa2ad", lw=1)
        largest = max(row["clips"] for row in calibration["bins"])
        for row in calibration["bins"]:
            size = 10 + 70 * row["clips"] / largest
            axes.scatter(row["confidence"], row["accuracy"], s=size, color=colour(i), alpha=0.85)
        axes.set(title=f"{arm.name}\nECE {calibration['ece']:.3f}", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    figure.supxlabel("confidence", fontsize=8)
    figure.supylabel("accuracy", fontsize=8)
    return figure
