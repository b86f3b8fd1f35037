"""Clips for the tests of this folder, each made once a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from clip_files import numbered, write_clip
from odd_files import READABLE, UNREADABLE


@pytest.fixture(scope="session")
def clip_30(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 numbered frames at 25 fps, 64 x 64."""
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", 30)


@pytest.fixture(scope="session")
def wide_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 numbered frames, 64 high and 128 wide."""
    return write_clip(tmp_path_factory.mktemp("clips") / "wide.mp4", [numbered(i, 64, 128) for i in range(12)])


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every odd or damaged file, by name."""
    folder = tmp_path_factory.mktemp("odd")
    return {name: make(folder) for name, (make, _) in {**READABLE, **UNREADABLE}.items()}
