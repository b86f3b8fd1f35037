"""Where the shipped recipes lie: beside the package in a checkout, inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped_recipe(name: str) -> Path:
    """Path of a shipped recipe such as `tiny/base.yaml`; raises FileNotFoundError that lists where it looked."""
    places = [_PACKAGE / "recipes" / name, _PACKAGE.parent / "recipes" / name]
    for place in places:
        if place.is_file():
            return place
    raise FileNotFoundError(f"recipe {name}: not at {' nor at '.join(map(str, places))}")
