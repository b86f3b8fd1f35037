"""Imports run one way through the house: a room may use the rooms below it, never one above."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "emotrain"

FLOORS = (
    "cli",
    "doctor",
    "project",
    "study",
    "hub",
    "live",
    "inference",
    "evaluation",
    "planning",
    "launch",
    "training",
    "preparation",
    "examples",
    "recipe",
    "modeling",
    "context",
    "motion",
    "faces",
    "balance",
    "video",
    "datasets",
    "synthetic",
    "metrics",
    "stages",
)
"""From the top down, files beside the rooms are the ground floor."""

GROUND = len(FLOORS)
LAZY = {("__init__.py", "emotrain.inference.recogniser")}
"""`emotrain.load` is a name of the package that is looked up on first use."""


def floor(module: str) -> int:
    """Floor of a dotted name below `emotrain`, counted from the top."""
    room = module.split(".")[1]
    return FLOORS.index(room) if room in FLOORS else GROUND


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Line and module of every import of the package in `source`, those inside functions included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "emotrain":
            yield from ((node.lineno, f"emotrain.{name.name}") for name in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("emotrain."):
            yield node.lineno, str(node.module)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names if name.name.startswith("emotrain."))


def climbing(path: str, source: str) -> list[str]:
    """The imports of one file (path below the package) that lead to a room above its own."""
    own = floor(f"emotrain.{path.removesuffix('.py').replace('/', '.')}")
    return [
        f"emotrain/{path}:{line} imports {module}, which lies above"
        for line, module in imported(source)
        if floor(module) < own and (path, module) not in LAZY
    ]


def test_every_room_has_its_floor() -> None:
    assert {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()} == set(FLOORS)


def test_no_import_climbs() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    found = [fault for f in files for fault in climbing(f.relative_to(PACKAGE).as_posix(), f.read_text("utf-8"))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("video/reader.py", "from emotrain.motion.flow import SIZE"),
        ("stages/parts.py", "def f():\n    import emotrain.training.run"),
        ("records.py", "from emotrain import stages"),
    ],
)
def test_an_import_that_climbs_is_named(path: str, source: str) -> None:
    (fault,) = climbing(path, source)
    assert fault.startswith(f"emotrain/{path}:")
    assert "lies above" in fault
