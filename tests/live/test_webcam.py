"""The page's webcam, picture by picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_scenes import scene

import emotrain
from emotrain.live.webcam import WAITING, Visit


@pytest.fixture(scope="module")
def recogniser(face_weights: Path) -> Any:
    return emotrain.load(None, base_model="tiny", label_set="mafw")


def test_a_visit_is_read_every_second_and_says_when_the_face_is_gone(recogniser: Any) -> None:
    now = [0.0]
    visit = Visit(recogniser, now=lambda: now[0])
    assert visit.shown() == WAITING
    frames = scene(14)
    for number in range(60):
        now[0] = number / 10
        image = frames[number * 3 % len(frames)] if number < 35 else np.zeros_like(frames[0])
        page = visit.see(image)
    assert "<meter" in page
    assert "[covered]" in page
    assert "[no face]" in page
