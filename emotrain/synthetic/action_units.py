"""Which facial action units each emotion shows, and how a person varies them.

Prototypes of the seven basic expressions follow Ekman, Friesen & Hager (2002) and the CK+ table of Lucey et al. (2010).
Anxiety takes elements of fear (Harrigan & O'Connell 1996; Perkins 2012). Helplessness and disappointment have **no**
published EMFACS prototype, so what is drawn for them, and the choice among the elements of anxiety, is a design choice:

* helplessness: the facial shrug, 1+2+15+17 (both parts of the brows rise, lip corners fall, the chin pushes up). It
  shares 1, 15 and 17 with sadness and 1+2 with surprise; the absence of 4 and of 5+26 tells it apart.
* disappointment: the pressed mouth, 14 on both sides with 17 (with 15 or a little 4 in some people). It shares 4, 15
  and 17 with sadness and 14 with contempt, which is one-sided.
* anxiety: 20 with 4+7 or 1+4 or 1+23 and no sign of surprise (neither 2, 5 nor 26), which fear has; macro clips add
  darting eyes and frequent blinks.

People differ: a unit of the prototype may be missing, every intensity varies, and now and then a foreign unit shows. An
observer who reads the units with some noise is therefore good but never perfect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

AUS: tuple[str, ...] = (
    *("1", "2", "4", "5", "6", "7", "9", "10", "L12", "R12", "L14", "R14"),
    *("15", "17", "20", "23", "25", "26", "45"),
)
"""The units of an intensity vector, in order. L and R are the subject's own left and right."""

INDEX: dict[str, int] = {name: i for i, name in enumerate(AUS)}

Prototype = Mapping[str, float]

_SMILE, _DIMPLE = {"L12": 1.0, "R12": 1.0}, {"L14": 1.0, "R14": 1.0}

PROTOTYPES: dict[str, tuple[Prototype, ...]] = {
    "happiness": (
        {"6": 0.9, **_SMILE},
        {"6": 0.9, **_SMILE, "25": 0.9},
        {"6": 0.5, **_SMILE, "25": 0.6},
        {"6": 0.9, **_SMILE, "25": 0.8, "26": 0.4},
    ),
    "sadness": (
        {"1": 1.0, "4": 0.8, "15": 1.0},
        {"1": 1.0, "4": 0.7, "15": 0.9, "17": 0.6},
        {"1": 0.8, "4": 0.9, "15": 0.8},
    ),
    "surprise": (
        {"1": 1.0, "2": 1.0, "5": 0.9, "26": 0.9},
        {"1": 1.0, "2": 1.0, "5": 0.9, "25": 0.7, "26": 0.7},
        {"1": 0.8, "2": 0.9, "5": 0.7, "26": 0.6},
    ),
    "fear": (
        {"1": 0.9, "2": 0.7, "4": 0.8, "5": 1.0, "7": 0.5, "20": 0.9, "26": 0.5},
        {"1": 0.9, "2": 0.7, "4": 0.8, "5": 1.0, "20": 1.0, "25": 0.8},
        {"1": 1.0, "4": 0.7, "5": 0.9, "20": 0.9, "25": 0.6},
    ),
    "anger": (
        {"4": 1.0, "5": 0.7, "7": 0.7, "23": 0.9},
        {"4": 1.0, "7": 0.9, "23": 0.9},
        {"4": 1.0, "5": 0.5, "7": 0.7, "17": 0.5, "23": 0.9},
    ),
    "disgust": ({"9": 1.0, "10": 0.8}, {"9": 0.9, "15": 0.7, "17": 0.7}, {"9": 0.9, "10": 0.9, "25": 0.5}),
    "contempt": (
        {"L12": 0.8, "L14": 0.9},
        {"R12": 0.8, "R14": 0.9},
        {"L12": 0.5, "L14": 1.0},
        {"R12": 0.5, "R14": 1.0},
    ),
    "anxiety": (
        {"4": 0.7, "7": 0.7, "20": 0.8},
        {"1": 0.7, "4": 0.7, "20": 0.9},
        {"1": 0.6, "20": 0.8, "23": 0.7},
    ),
    "helplessness": (
        {"1": 0.9, "2": 0.9, "15": 0.9, "17": 0.9},
        {"1": 0.8, "2": 0.9, "15": 0.6, "17": 1.0},
        {"1": 0.9, "2": 0.7, "15": 1.0, "17": 0.7},
    ),
    "disappointment": (
        {**_DIMPLE, "17": 0.8, "15": 0.7},
        {**_DIMPLE, "17": 0.9, "4": 0.5},
        {**_DIMPLE, "17": 0.9},
    ),
    "neutral": ({},),
}
"""Variants of each MAFW class as relative intensities; the DFEW classes are a subset by name."""

_LIDS = ("right upper lid", "left upper lid", "right lower lid", "left lower lid")
_INNER_BROWS, _CORNERS = ("right inner brow", "left inner brow"), ("right mouth corner", "left mouth corner")

REGIONS: dict[str, tuple[str, ...]] = {
    "1": _INNER_BROWS,
    "2": ("right outer brow", "left outer brow"),
    "4": (*_INNER_BROWS, "glabella"),
    "5": ("right upper lid", "left upper lid"),
    "6": ("right cheek", "left cheek"),
    "7": ("right lower lid", "left lower lid"),
    "9": ("nose", "glabella"),
    "10": ("upper lip",),
    "L12": ("left mouth corner", "left cheek"),
    "R12": ("right mouth corner", "right cheek"),
    "L14": ("left mouth corner",),
    "R14": ("right mouth corner",),
    "15": _CORNERS,
    "17": ("lower lip", "chin"),
    "20": _CORNERS,
    "23": ("upper lip", "lower lip"),
    "25": ("upper lip", "lower lip"),
    "26": ("lower lip", "chin"),
    "45": _LIDS,
}
"""Where on the face each unit shows."""

DROP_RATE, FOREIGN_RATE, VISIBLE = 0.12, 0.10, 0.15


def sample_units(label: str, strength: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw one person's peak intensities, shape (19,) float32 in 0..1, for `label` at overall `strength` (0..1).

    Raises ValueError for a class that has no prototype.
    """
    if label not in PROTOTYPES:
        raise ValueError(f"no action-unit prototype for {label!r}; known: {', '.join(PROTOTYPES)}")
    variants = PROTOTYPES[label]
    units = np.zeros(len(AUS), np.float32)
    chosen = variants[rng.integers(len(variants))]
    for name, intensity in chosen.items():
        units[INDEX[name]] = intensity * strength * rng.uniform(0.8, 1.15)
    if len(chosen) > 2 and rng.random() < DROP_RATE * len(chosen) / 3:
        units[INDEX[list(chosen)[rng.integers(len(chosen))]]] *= rng.uniform(0.0, 0.3)
    if chosen and rng.random() < FOREIGN_RATE:
        foreign = [name for name in AUS if name not in chosen and name not in ("45", "26")]
        units[INDEX[foreign[rng.integers(len(foreign))]]] = strength * rng.uniform(0.2, 0.4)
    return np.clip(units, 0.0, 1.0)


def visible_units(units: NDArray[np.floating]) -> tuple[str, ...]:
    """Names of the units that show (at least 0.15), "12" for both sides together, "L12" for one side."""
    names = [name for name, value in zip(AUS, units) if value >= VISIBLE]
    for number in ("12", "14"):
        if {f"L{number}", f"R{number}"} <= set(names):
            names[names.index(f"L{number}")] = number
            names.remove(f"R{number}")
    return tuple(names)


def regions_of(names: Sequence[str]) -> tuple[str, ...]:
    """The face regions in which the named units show, each once; "12" means both sides."""
    sided = [s for name in names for s in ((name,) if name in REGIONS else (f"L{name}", f"R{name}"))]
    return tuple(dict.fromkeys(region for name in sided for region in REGIONS[name]))
