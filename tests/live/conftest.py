"""Videos of drawn people, and who watches them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from live_scenes import FPS, HEIGHT, WIDTH, scene, watcher_of

from emotrain.live.watcher import Watcher
from emotrain.synthetic.h264 import write_mp4

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Videos of drawn people."""
    folder, made = tmp_path_factory.mktemp("people"), []
    for number in (7, 14, 21, 28):
        made.append(folder / f"{number}.mp4")
        write_mp4(scene(number), made[-1], WIDTH, FPS, HEIGHT)
    return made


@pytest.fixture
def watcher(face_weights: Path) -> Watcher:
    """A watcher with the shipped detector."""
    return watcher_of()
