"""The diagnosis as one page of pictures, in the report's colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emotrain.evaluation.diagnostics.page import span
from emotrain.evaluation.figures import COLOURS, STYLE, save
from emotrain.evaluation.headline import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PINK, RED, SKY, GREY, _ = COLOURS
INK = "#30343a"


def write_picture(found: Mapping[str, Any], path: Path) -> list[Path]:
    """Draw `path`.png (150 dpi) and `path`.svg for what `diagnostics.run.diagnose` found."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        # Fixed places: a layout engine would narrow the panels to make room for titles and legends.
        figure = Figure(figsize=(14.5, 9))
        figure.subplots_adjust(left=0.088, right=0.985, top=0.87, bottom=0.1, wspace=0.26, hspace=0.62)
        panels = figure.subplots(2, 3).ravel()
        _prior(panels[0], found["label_prior"])
        _words(panels[1], found["label_prior"])
        _frames(panels[2], found)
        _durations(panels[3], found["by_duration"])
        _orders(panels[4], found["option_order"])
        _attention(panels[5], found["attention"])
        adapter = "base model" if found["adapter"] is None else "adapter"
        figure.suptitle(
            f"{found['arm']} ({adapter}): {found['clips']} clips of the {found['split']} part",
            x=0.012,
            y=0.975,
            ha="left",
            fontsize=13,
            fontweight="bold",
        )
        return save(figure, path.parent, path.name)


def _prior(axes: Axes, prior: Mapping[str, Any]) -> None:
    order = np.argsort(prior["data"], kind="stable")[::-1]
    names = [prior["labels"][i] for i in order]
    for y, i in enumerate(order):
        axes.plot([100 * prior["data"][i], 100 * prior["model"][i]], [y, y], color="#c9ced6", lw=2.5, zorder=1)
    axes.scatter([100 * prior["data"][i] for i in order], range(len(order)), color=GREY, s=34, label="training clips")
    axes.scatter(
        [100 * prior["model"][i] for i in order],
        range(len(order)),
        color=BLUE,
        s=44,
        label="model, shown nothing",
    )
    axes.axvline(100 / len(order), color=INK, lw=0.8, ls=":")
    axes.set_yticks(range(len(names)), names)
    _title(
        axes,
        "What it says when it is shown nothing",
        f"KL {prior['kl_data']:.2f} nats from the training clips, {prior['kl_uniform']:.2f} from even shares",
    )
    axes.set(xlabel="share of the label, percent (dotted: even)", ylim=(len(names) - 0.5, -0.5))
    axes.set_xlim(left=0)
    _legend(axes)


def _words(axes: Axes, prior: Mapping[str, Any]) -> None:
    if prior["words"] is None:
        _title(axes, "Is that how often people write the word?", "")
        _nothing(axes, f"no word frequency for\n{', '.join(prior['lacking'])}")
        return
    x, y = 100 * np.asarray(prior["words"]), 100 * np.asarray(prior["model"])
    axes.scatter(x, y, color=ORANGE, s=40, zorder=3)
    for place, name in zip(_apart(axes, np.log(x), np.log(y)), prior["labels"]):
        i = prior["labels"].index(name)
        axes.annotate(
            name, (x[i], y[i]), xytext=place, textcoords="offset points", fontsize=7.5, color=INK, va="center"
        )
    low, high = min(x.min(), y.min()) * 0.6, max(x.max(), y.max()) * 2.2
    axes.plot([low, high], [low, high], color=GREY, lw=0.8, ls=":")
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
    rank = "–" if prior["rank_words"] is None else f"{prior['rank_words']:+.2f}"
    _title(
        axes, "Is that how often people write the word?", f"KL {prior['kl_words']:.2f} nats, rank correlation {rank}"
    )
    axes.set(xlabel="word among the labels' words, percent", ylabel="model, shown nothing, percent")


def _frames(axes: Axes, found: Mapping[str, Any]) -> None:
    rows = found["by_frame_count"]
    kind = "" if rows is None or rows[0]["micro"] is None else "_micro"
    _title(
        axes,
        "More keyframes: what is found and missed",
        f"same weights; the recipe: {found['keyframes']} frames of {found['keyframe_policy']}",
    )
    if rows is None:
        _nothing(axes, "the recipe shows no frames")
        return
    counted = [row for row in rows if not row["policy"].startswith("fps")]
    rated = [row for row in rows if row["policy"].startswith("fps")]
    lines = [("micro", ORANGE, 0.97), ("macro", GREEN, 1.03)] if kind else [("accuracy", BLUE, 1.0)]
    for key, shade, aside in lines:
        for part, marker, style in ((counted, "o", "-"), (rated, "s", "none")):
            shown = [row for row in part if row[key] is not None]
            x = np.array([row["frames"] * aside for row in shown])
            y = np.array([100 * row[key]["value"] for row in shown])
            error = np.array(
                [[y[i] - 100 * row[key]["low"], 100 * row[key]["high"] - y[i]] for i, row in enumerate(shown)]
            )
            name = {"accuracy": "found", "micro": "micro found", "macro": "macro found"}[key]
            axes.errorbar(
                x, y, yerr=np.maximum(error, 0).T, color=shade, marker=marker, ls=style, ms=5, capsize=2,
                elinewidth=0.9, label=name if part is counted else f"{name}, fps",
            )  # fmt: skip
    axes.plot(
        [row["frames"] for row in counted], [100 * row[f"p_miss{kind}"] for row in counted], color=INK, lw=1.4, ls="--",
        label=f"{'micro ' if kind else ''}P(miss), formula",
    )  # fmt: skip
    if counted[0][f"missed{kind}"] is not None:
        axes.scatter(
            [row["frames"] for row in counted], [100 * row[f"missed{kind}"] for row in counted], marker="x", color=INK,
            s=30, label="missed, counted",
        )  # fmt: skip
    axes.axvline(found["keyframes"], color=INK, lw=0.8, ls=":")
    ticks = sorted({row["frames"] for row in counted} | {max(row["frames"] for row in rows)})
    axes.set(xscale="log", ylim=(0, 102), xlabel="keyframes a clip (dotted: the recipe's)", ylabel="percent of clips")
    axes.set_xticks(ticks, [f"{tick:.0f}" for tick in ticks])
    axes.minorticks_off()
    _legend(axes, 3)


def _durations(axes: Axes, rows: Sequence[Mapping[str, Any]] | None) -> None:
    _title(axes, "Fleeting expressions", "recall by length, onset to offset, with the recipe's keyframes")
    if rows is None:
        _nothing(axes, "no annotated onset and offset")
        return
    for x, row in enumerate(rows):
        value, low, high = (100 * row["recall"][key] for key in ("value", "low", "high"))
        axes.bar(x, value, width=0.62, color=SKY, label="recall" if x == 0 else None)
        axes.errorbar(x, value, yerr=[[max(value - low, 0)], [max(high - value, 0)]], color=INK, capsize=3, lw=1)
    axes.plot(
        range(len(rows)), [100 * row["missed"] for row in rows], color=RED, marker="D", ms=5, lw=1.4,
        label="missed by the keyframes",
    )  # fmt: skip
    axes.set_xticks(range(len(rows)), [f"{span(row)} s\n{row['clips']} clips" for row in rows])
    axes.set(ylim=(0, 102), ylabel="percent of clips")
    axes.set_xlim(-0.6, len(rows) - 0.4)
    _legend(axes)
    axes.grid(visible=False, axis="x")


def _orders(axes: Axes, orders: Mapping[str, Any]) -> None:
    shares = 100 * np.asarray(orders["by_place"])
    axes.bar(range(1, len(shares) + 1), shares, width=0.7, color=PINK)
    axes.axhline(100 / len(shares), color=INK, lw=0.8, ls=":")
    changed = orders["changed"]
    _title(
        axes,
        "Does the order of the options matter?",
        f"{percent(changed['value'])} % of clips change their answer over {orders['orders']} orders",
    )
    axes.set(xlabel="place of the answer among the options (dotted: even)", ylabel="percent of answers")
    axes.set_xticks(range(1, len(shares) + 1))
    axes.grid(visible=False, axis="x")


def _attention(axes: Axes, attention: Mapping[str, Any] | None) -> None:
    _title(axes, "Where it looks when it answers", "attention of the prompt's last token, mean over heads")
    if attention is None:
        _nothing(axes, "the model gives no attentions")
        return
    frames, first = (100 * np.asarray(attention[key]) for key in ("frames", "first"))
    layers = np.arange(1, len(frames) + 1)
    parts = ((frames, BLUE, "frames"), (first, "#c9ced6", "first token"), (100 - frames - first, ORANGE, "text"))
    bottom = np.zeros(len(frames))
    for part, shade, name in parts:
        axes.bar(layers, part, bottom=bottom, width=0.8, color=shade, label=name)
        bottom = bottom + part
    axes.axhline(100 * attention["frame_tokens"], color=INK, lw=1.2, ls="--", label="frames' share of tokens")
    axes.set(ylim=(0, 102), xlabel="layer", ylabel="percent of attention")
    axes.set_xticks(layers if len(layers) <= 12 else layers[:: len(layers) // 8])
    axes.grid(visible=False, axis="x")
    _legend(axes, 4)


def _apart(axes: Axes, x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    """Where to put each point's name, in points from it: to the right, and up or down where another is close by."""
    width, height = max(np.ptp(x), 1e-9), max(np.ptp(y), 1e-9)
    places = []
    for i in range(len(x)):
        near = [
            j for j in range(len(x)) if j != i and abs(x[j] - x[i]) < 0.22 * width and abs(y[j] - y[i]) < 0.045 * height
        ]
        above = sum((y[i], i) > (y[j], j) for j in near)
        places.append((6.0, 0.0 if not near else 5.0 if above * 2 > len(near) - 1 else -5.0))
    return places


def _title(axes: Axes, what: str, finding: str) -> None:
    axes.set_title(what, pad=22, fontweight="bold")
    axes.text(0, 1.03, finding, transform=axes.transAxes, fontsize=9, color="#5b6470")


def _legend(axes: Axes, columns: int = 2) -> None:
    axes.legend(
        fontsize=7.5,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
        ncols=columns,
        columnspacing=1.2,
        handletextpad=0.5,
    )


def _nothing(axes: Axes, why: str) -> None:
    axes.text(0.5, 0.5, why, ha="center", va="center", transform=axes.transAxes, color=INK)
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
