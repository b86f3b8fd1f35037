"""What a study file declares before anything runs: its primary figure, its contrasts and its margin of equality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emotrain.emotions import nearest
from emotrain.evaluation.headline import METRICS
from emotrain.metrics.verdict import PRIMARY, Contrast

FIGURES = tuple(metric.key for metric in METRICS)


def declared(values: Mapping[str, Any], arms: Sequence[str], faults: list[str]) -> tuple[Contrast, ...]:
    """The contrasts and equivalences of a study's values, faults being added to `faults`."""
    primary = values.get("primary", PRIMARY)
    if primary not in FIGURES:
        faults.append(f"primary: {primary!r} is no figure of the table; {nearest(str(primary), FIGURES)}")
    margin = values.get("margin")
    if margin is not None and (
        isinstance(margin, bool) or not isinstance(margin, (int, float)) or not 0 < margin < 100
    ):
        faults.append(f"margin: {margin!r}; expected points above 0, such as 3")
        margin = None
    if "equivalences" in values and "margin" not in values:
        faults.append("equivalences: no margin; say `margin: 3`, the points within which two arms count as equal")
    if "margin" in values and "equivalences" not in values:
        faults.append("margin: no equivalences to use it; remove it or list some")
    found = _pairs(values, "contrasts", arms, primary, None, faults)
    found += _pairs(values, "equivalences", arms, primary, None if margin is None else margin / 100, faults)
    seen = [(one.first, one.second, one.figure, one.margin) for one in found]
    faults += [f"contrasts: {pair[:3]} is listed twice" for pair in {pair for pair in seen if seen.count(pair) > 1}]
    return tuple(found)


def _pairs(
    values: Mapping[str, Any],
    key: str,
    arms: Sequence[str],
    primary: str,
    margin: float | None,
    faults: list[str],
) -> list[Contrast]:
    given = values.get(key, [])
    if not isinstance(given, list):
        faults.append(f"{key}: {given!r}; expected a list of [arm, arm] or [arm, arm, figure]")
        return []
    found = []
    for pair in given:
        if not isinstance(pair, list) or len(pair) not in (2, 3) or not all(isinstance(word, str) for word in pair):
            faults.append(f"{key}: {pair!r}; expected [arm, arm] or [arm, arm, figure]")
            continue
        odd = [f"{key}: no arm {name!r}; {nearest(name, arms)}" for name in pair[:2] if name not in arms]
        if pair[0] == pair[1]:
            odd.append(f"{key}: {pair[0]!r} is compared with itself")
        if len(pair) == 3 and pair[2] not in FIGURES:
            odd.append(f"{key}: {pair[2]!r} is no figure of the table; {nearest(pair[2], FIGURES)}")
        faults += odd
        if not odd:
            found.append(Contrast(pair[0], pair[1], pair[2] if len(pair) == 3 else primary, margin))
    return found
