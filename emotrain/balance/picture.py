"""A manifest as a picture: the class distribution there is against the one that is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotrain.atomic_files import replacing
from emotrain.balance.manifest import Manifest
from emotrain.emotions import canonical

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NATURAL, DRAWN, MARK = "#999999", "#0072B2", "#E69F00"
"""Grey, blue and orange of Okabe and Ito: told apart with every kind of colour vision, and in grey print."""

CJK = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei",
    "Droid Sans Fallback", "Microsoft YaHei", "SimHei", "PingFang SC", "Hiragino Sans GB", "Arial Unicode MS",
)  # fmt: skip
"""Fonts with Chinese glyphs, as their makers and the usual systems name them; matplotlib's own font has none."""


def plot_manifest(manifest: Manifest) -> Figure:
    """Two bars a class, share of clips and share of draws, largest class first, with how often a clip is repeated.

    Where the distribution changes over the epochs (progressive), diamonds and triangles mark the first and last epoch.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    header = manifest.header
    clips: dict[str, int] = header["clips_per_class"]
    draws: dict[str, list[int]] = header["draws_per_class"]
    names = sorted(clips, key=lambda name: (-clips[name], name))
    natural = [100 * clips[name] / header["clips"] for name in names]
    drawn = [100 * sum(draws[name]) / len(manifest.draws) for name in names]

    figure = Figure(figsize=(8.0, 1.6 + 0.42 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    axes, facts = figure.subplots(1, 2, sharey=True, width_ratios=(5, 2))
    lower, upper = ([y + step for y in range(len(names))] for step in (-0.2, 0.2))
    axes.barh(lower, natural, 0.38, color=NATURAL, label=f"clips ({header['clips']:,})")
    axes.barh(upper, drawn, 0.38, color=DRAWN, label=f"draws ({len(manifest.draws):,})")
    first, last = ([100 * draws[name][epoch] / manifest.epoch_size for name in names] for epoch in (0, -1))
    if manifest.epochs > 1 and max(abs(a - b) for a, b in zip(first, last)) > 1.0:
        for shares, marker, label in ((first, "D", "first epoch"), (last, ">", "last epoch")):
            axes.scatter(shares, upper, marker=marker, s=28, color=MARK, edgecolor="black", linewidth=0.6, label=label)
    facts.axis("off")
    rows = [("clips", "seen in\nan epoch", "draws per\nclip, epoch"), *(_facts(header, name) for name in names)]
    for y, row in enumerate(rows, start=-1):
        for right_end, text in zip((0.15, 0.58, 1.0), row):
            place = {"transform": facts.get_yaxis_transform(), "ha": "right", "va": "center" if y >= 0 else "top"}
            facts.text(right_end, y if y >= 0 else -1.15, text, fontsize=9, **place)
    fonts = _cjk_fonts()
    axes.set_yticks(range(len(names)), _readable(names, bool(fonts)), fontfamily=["DejaVu Sans", *fonts])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel("share of clips and of draws (%)")
    axes.set_title(f"{header['strategy']}, {manifest.epochs} epochs of {manifest.epoch_size:,} draws", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    handles, texts = axes.get_legend_handles_labels()
    marks = len(handles) - 2
    figure.legend(
        handles[marks:] + handles[:marks],
        texts[marks:] + texts[:marks],
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize=9,
    )
    return figure


def save_picture(manifest: Manifest, path: Path) -> None:
    """Draw the manifest to `path`; the suffix (.png, .svg, .pdf) decides the format."""
    formats = ("png", "svg", "pdf")
    kind = path.suffix.lower().removeprefix(".")
    if kind not in formats:
        raise ValueError(f"{path}: a picture is one of {', '.join(formats)}; the suffix is {path.suffix!r}")
    with replacing(path) as temporary:
        plot_manifest(manifest).savefig(temporary, format=kind, dpi=150)


def _cjk_fonts() -> list[str]:
    """The first of the fonts that is installed, as a list of one or none."""
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    return [name for name in CJK if name in installed][:1]


def _readable(names: Sequence[str], cjk: bool) -> list[str]:
    """Names as a font without Chinese glyphs can write them: the English word, else the row counted from 1."""
    if cjk:
        return list(names)
    english = (name if name.isascii() else canonical(name) for name in names)
    return [name if name is not None else f"class {row}" for row, name in enumerate(english, start=1)]


def _facts(header: Mapping[str, Any], name: str) -> tuple[str, str, str]:
    clips, epochs = header["clips_per_class"][name], header["epochs"]
    seen = sum(header["distinct_clips_per_class"][name]) / epochs / clips
    return f"{clips:,}", f"{seen:.0%}", f"{sum(header['draws_per_class'][name]) / epochs / clips:.2f}"
