"""The order of the suite: a worker that gets a long file last would keep the others waiting."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Child processes find the package and the makers of test files, too.
SEEN = [str(ROOT), str(ROOT / "tests" / "makers"), *filter(None, [os.environ.get("PYTHONPATH")])]
os.environ["PYTHONPATH"] = os.pathsep.join(SEEN)

LONG = (
    "test_chains.py",
    "test_distributed.py",
    "test_end_to_end.py",
    "test_round_trip.py",
    "test_study.py",
    "test_run.py",
    "test_batch_shell.py",
    "test_ray_engine.py",
    "test_families.py",
    "test_mass_term.py",
    "test_merge.py",
    "test_train.py",
)
"""Files that take the better part of a minute or more, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))
