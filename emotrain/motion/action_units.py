"""Which action units a motion looks like: non-negative least squares on templates of region motion and brightness.

A template is what the tracks of `video.motion` show at full intensity of one unit. Templates were measured on rendered
faces at rest (action_unit_fit.py writes the table); the renderer follows FACS, so they are as good as it
is. What they name is a hint about visible motion, never a FACS coding by an expert.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrain.motion.face_motion import FaceMotion
from emotrain.motion.face_regions import BOXES, REGIONS, Floats

TEMPLATES = Path(__file__).with_suffix(".json")

FEATURES: tuple[str, ...] = (
    *(f"{region} {axis}" for region in REGIONS for axis in ("x", "y")),
    *BOXES,
    "right eye contrast",
    "left eye contrast",
)
"""The tracks as one vector: region motion in percent of the inter-ocular distance, light and contrast in percent."""


@dataclass(frozen=True, slots=True)
class Templates:
    """`response` (A, F) at full intensity of the A `units`, sides apart; `covariance` (F, F) of what it leaves over,
    `quiet` (F, F) the covariance of faces at rest whose head, gaze and light changed a little."""

    units: tuple[str, ...]
    response: Floats
    covariance: Floats
    quiet: Floats


@cache
def templates() -> Templates:
    """The templates that ship with the package; raises ValueError when the table belongs to other features."""
    table = json.loads(TEMPLATES.read_text(encoding="utf-8"))
    if table["features"] != list(FEATURES):
        raise ValueError(f"{TEMPLATES}: written for other tracks; run `make action-units` again")
    response = np.array(list(table["response"].values()), np.float32)
    return Templates(tuple(table["response"]), response, _symmetric(table["covariance"]), _symmetric(table["quiet"]))


def _symmetric(rows: list[list[float]]) -> Floats:
    lower = np.zeros((len(rows), len(rows)), np.float32)
    for i, row in enumerate(rows):
        lower[i, : i + 1] = row
    return lower + np.tril(lower, -1).T


def features(motion: FaceMotion, relative_to: int | None = None) -> Floats:
    """The tracks of a clip as (T, F) float32 in the order of FEATURES.

    Eye contrast is relative to its median, or to that of the frame `relative_to`.
    """
    flat = motion.motion.reshape(len(motion.times_s), -1)
    eyes = motion.eyes if relative_to is None else motion.eyes / np.maximum(motion.eyes[relative_to], 1e-3)
    return np.concatenate([flat, motion.light, 100 * (eyes - 1)], axis=1)


_UNSEEN_SHARE = 0.25
"""How much of the covariance counts: it was measured on mixtures of up to five strong units, events are milder."""


@cache
def _read_out() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The whitening root (F, F), the whitened responses (F, A) and the standard error of each unit (A,)."""
    from scipy.linalg import solve_triangular

    known = templates()
    mixed = _UNSEEN_SHARE * known.covariance + (1 - _UNSEEN_SHARE) * known.quiet + 0.3**2 * np.eye(len(FEATURES))
    root = np.linalg.cholesky(mixed.astype(np.float64))
    design = solve_triangular(root, known.response.T, lower=True)
    return root, design, np.sqrt(np.diag(np.linalg.inv(design.T @ design)))


def intensities(change: Floats) -> dict[str, float]:
    """Intensity of each unit (1 is full) that together explain `change` (F,) best: generalised NNLS.

    Errors are weighed by the templates' covariance: tracks on which people differ, or that move together when the head
    turns, count for little.
    """
    from scipy.linalg import solve_triangular
    from scipy.optimize import nnls

    root, design, _ = _read_out()
    found, _ = nnls(design, solve_triangular(root, change, lower=True))
    return dict(zip(templates().units, found.tolist()))


def shown(intensity: Mapping[str, float]) -> Floats:
    """The change (F,) that the templates expect of units ("12" for both sides, "L12"); unknown units add nothing."""
    known = templates()
    total = np.zeros(len(FEATURES), np.float32)
    for unit, value in intensity.items():
        for name in (unit, f"L{unit}", f"R{unit}"):
            if name in known.units:
                total += np.float32(value) * known.response[known.units.index(name)]
    return total


def unexplained(change: Floats) -> float:
    """How much of `change` (F,) no mixture of units explains, 0 to 1: a face that relaxes looks like no unit."""
    from scipy.linalg import solve_triangular
    from scipy.optimize import nnls

    root, design, _ = _read_out()
    target = solve_triangular(root, change, lower=True)
    return float(nnls(design, target)[1] / max(np.linalg.norm(target), 1e-9))


def closure(change: Floats) -> Floats:
    """How far the eyes are closed (unit 45) at each time, (T,): the same read-out without the sign constraint."""
    from scipy.linalg import solve_triangular

    root, design, _ = _read_out()
    whole = np.linalg.pinv(design) @ solve_triangular(root, change.T, lower=True)
    return np.asarray(whole[templates().units.index("45")], np.float32)


def unit_thresholds(found: dict[str, float], least: float, share: float, errors: float) -> dict[str, float]:
    """From which intensity each unit is named: `least`, `share` of the strongest, `errors` standard errors."""
    strongest = max(value for unit, value in found.items() if unit != "45")
    return {
        unit: max(least, share * strongest, errors * float(error))
        for unit, error in zip(templates().units, _read_out()[2])
    }


WEAK = 0.5


def named(found: dict[str, float], thresholds: dict[str, float]) -> tuple[str, ...]:
    """Units at or above their thresholds, in numeric order: "12" for both sides, "L12" when the right is under half of
    the left and under half of full strength: a strong smile is rarely even, and its weaker side is a smile, too."""
    pairs: dict[str, dict[str, float]] = {}
    for unit, value in found.items():
        side, number = (unit[0], unit[1:]) if unit[0] in "LR" else ("", unit)
        pairs.setdefault(number, {})[side] = value if unit != "45" else 0.0
    least = {unit.lstrip("LR"): value for unit, value in thresholds.items()}
    names = [name for number, sides in pairs.items() for name in _sided(number, sides, least[number])]
    return tuple(sorted(names, key=lambda name: int(name.lstrip("LR"))))


def _sided(number: str, sides: dict[str, float], threshold: float) -> Sequence[str]:
    if "" in sides:
        return (number,) if sides[""] >= threshold else ()
    left, right = sides.get("L", 0.0), sides.get("R", 0.0)
    if max(left, right) < threshold:
        return ()
    if min(left, right) >= min(0.5 * max(left, right), WEAK):
        return (number,)
    return (f"L{number}",) if left > right else (f"R{number}",)
