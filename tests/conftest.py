"""How the suite is dealt out to parallel workers: a file stays together, and the longest files start first."""

from __future__ import annotations

from pathlib import Path

import pytest

LONG = (
    "cluster",
    "test_distributed.py",
    "test_end_to_end.py",
    "test_round_trip.py",
    "test_run.py",
    "test_families.py",
    "test_mass_term.py",
    "test_merge.py",
    "test_train.py",
)
"""Files, or a folder, that take a minute or so; one that starts last would keep a worker busy alone."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item.path)))
    items.sort(key=lambda item: LONG.index(name) if (name := group_of(item.path)) in LONG else len(LONG))


def group_of(path: Path) -> str:
    """The tests of a file share fixtures; those of the cluster share one cluster."""
    return "cluster" if path.parent.name == "cluster" else path.name if path.name in LONG else str(path)
