"""Cuts are those of the whole picture; blank frames are none; a view that comes back is the same view."""

from __future__ import annotations

import cv2
import numpy as np

from emotrain.faces.views import cuts_and_views


def view(seed: int, frames: int) -> np.ndarray:
    """Frames of one view with some noise, 32 x 32."""
    rng = np.random.default_rng(seed)
    still = cv2.resize(rng.integers(20, 230, (8, 8)).astype(np.uint8), (32, 32), interpolation=cv2.INTER_CUBIC)
    return np.clip(still[None] + rng.normal(0, 1.5, (frames, 32, 32)), 0, 255).astype(np.uint8)


def black(frames: int) -> np.ndarray:
    return np.zeros((frames, 32, 32), np.uint8)


def shown(*parts: np.ndarray) -> tuple[list[float], list[int]]:
    cells = np.concatenate(parts)
    return cuts_and_views(cells, np.arange(len(cells)) / 25)


def test_a_view_that_comes_back_is_the_same_view() -> None:
    assert shown(view(1, 25), view(2, 25), view(1, 25), view(3, 25)) == ([1.0, 2.0, 3.0], [0, 1, 0, 3])


def test_a_black_frame_inside_a_shot_is_no_cut_and_between_shots_one() -> None:
    assert shown(view(1, 25), black(1), view(1, 25)) == ([], [0])
    assert shown(view(1, 25), black(1), view(2, 25)) == ([26 / 25], [0, 1])
    assert shown(black(5), view(1, 25)) == ([], [0])
    assert shown(black(30)) == ([], [0])


def test_half_a_second_of_black_ends_a_shot_even_if_the_view_stays() -> None:
    assert shown(view(1, 25), black(13), view(1, 25)) == ([38 / 25], [0, 0])
