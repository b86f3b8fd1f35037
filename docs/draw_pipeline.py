"""Draw the way through emotrain: `python docs/draw_pipeline.py docs/assets/pipeline.svg` (or .png)."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

DATA, CODE, TRAIN, INK, QUIET = "#e8eef6", "#ffffff", "#fdf1dc", "#1f2a37", "#5b6774"
BOX_W, BOX_H, STEP = 2.0, 0.62, 2.6

# name: (column, row, first line, second line, fill)
BOXES = {
    "clips": (0, 1, "clips", "index", DATA),
    "frames": (1, 1, "keyframes", "and in-between frames", DATA),
    "summaries": (2, 0.28, "gap summaries", "label-free, time-stamped", DATA),
    "manifest": (2, 1.72, "sampling manifest", "class-balanced draws", DATA),
    "prompts": (3, 0.28, "enriched prompts", "frames and words in time", TRAIN),
    "train": (3, 1.72, "LoRA training", "re-balanced label loss", TRAIN),
    "adapter": (4, 1, "adapter", "plain PEFT", DATA),
    "report": (5, 1, "report", "tail classes, intervals", DATA),
}
ARROWS = [
    ("clips", "frames", "frames", 0.0),
    ("frames", "summaries", "summarise", 0.0),
    ("clips", "manifest", "balance", 0.32),
    ("summaries", "prompts", "", 0.0),
    ("manifest", "train", "", 0.0),
    ("prompts", "train", "", 0.0),
    ("train", "adapter", "", 0.0),
    ("adapter", "report", "score", 0.0),
]


def draw(path: Path) -> None:
    """Write the picture; the suffix chooses the format."""
    plt.rcParams.update({"font.family": "DejaVu Sans", "svg.fonttype": "path", "svg.hashsalt": "emotrain"})
    figure, axes = plt.subplots(figsize=(12.6, 2.8))
    axes.set_xlim(-1.05, 14.1)
    axes.set_ylim(2.5, -0.15)
    axes.axis("off")
    for column, row, title, note, fill in BOXES.values():
        x, y = _centre(column, row)
        axes.add_patch(
            FancyBboxPatch(
                (x - BOX_W / 2, y - BOX_H / 2),
                BOX_W,
                BOX_H,
                boxstyle="round,pad=0,rounding_size=0.1",
                facecolor=fill,
                edgecolor=INK,
                linewidth=1.0,
            )
        )
        axes.text(x, y - 0.1, title, ha="center", va="center", fontsize=8, color=INK, weight="bold")
        axes.text(x, y + 0.16, note, ha="center", va="center", fontsize=6.2, color=QUIET)
    for start, end, label, bend in ARROWS:
        _arrow(axes, start, end, label, bend)
    axes.text(
        -0.88,
        2.42,
        "Each arrow is one stage: it reads files, writes files, and can be sharded, killed and resumed.",
        fontsize=8,
        color=QUIET,
        va="center",
    )
    figure.savefig(
        path,
        bbox_inches="tight",
        dpi=160,
        facecolor="white",
        metadata={"Date": None} if path.suffix == ".svg" else None,
    )
    plt.close(figure)


def _centre(column: float, row: float) -> tuple[float, float]:
    return column * STEP, row


def _arrow(axes: plt.Axes, start: str, end: str, label: str, bend: float) -> None:
    (x0, y0), (x1, y1) = _centre(*BOXES[start][:2]), _centre(*BOXES[end][:2])
    vertical = x0 == x1
    tail = (x0, y0 + BOX_H / 2) if vertical else (x0 + BOX_W / 2, y0)
    head = (x1, y1 - BOX_H / 2) if vertical else (x1 - BOX_W / 2, y1)
    if bend:
        tail, head = (x0, y0 + BOX_H / 2), (x1 - BOX_W / 2, y1)
    style = f"arc3,rad={bend}" if bend else "arc3"
    axes.add_patch(
        FancyArrowPatch(
            tail, head, arrowstyle="-|>", mutation_scale=11, linewidth=1.1, color=INK, connectionstyle=style
        )
    )
    if label:
        x, y = (tail[0] + head[0]) / 2, (tail[1] + head[1]) / 2
        x -= 0.42 if tail[1] > head[1] else 0.0
        axes.text(
            x,
            y - 0.15 if not bend else y + 0.2,
            label,
            ha="center",
            va="center",
            fontsize=6.8,
            color=INK,
            style="italic",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
