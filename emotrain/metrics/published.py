"""Figures that others published, to print beside one's own: UAR and WAR as means over the five official folds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """A published result in percent. `note` says what makes it incomparable, if anything does."""

    method: str
    label_set: str
    uar: float
    war: float
    note: str = ""


def _both(method: str, dfew: tuple[float, float], mafw: tuple[float, float] | None, note: str = "") -> list[Published]:
    rows = [Published(method, "dfew", *dfew, note)]
    return rows if mafw is None else [*rows, Published(method, "mafw", *mafw, note)]


PUBLISHED: tuple[Published, ...] = tuple(
    row
    for rows in (
        _both("DFER-CLIP", (59.61, 71.25), (39.89, 52.55)),
        _both("MAE-DFER", (63.41, 74.43), (41.62, 54.31)),
        _both("S2D", (61.82, 76.03), (41.86, 57.37)),
        _both("S2D + oversampling", (65.45, 74.81), (43.40, 55.22)),
        _both("FineCLIPER", (65.98, 76.21), (45.01, 56.91)),
        _both("MMA-DFER", (67.01, 77.51), (44.11, 58.52), "audio-visual"),
        _both("Qwen2-VL-7B", (43.08, 52.83), (31.67, 45.89), "zero-shot"),
        _both("GPT-4o", (50.57, 57.19), (38.29, 48.82), "zero-shot"),
        _both("R1-Omni 0.5B", (56.27, 65.83), (40.04, 57.68)),
        _both("Emotion-LLaMA", (45.59, 59.37), None, "zero-shot"),
        _both("Emotion-LLaMA", (64.21, 77.06), None, "tuned"),
    )
    for row in rows
)


def published(label_set: str) -> list[Published]:
    """The published results on one label set's data, in the order of the table; empty where none is known."""
    return [row for row in PUBLISHED if row.label_set == label_set]
