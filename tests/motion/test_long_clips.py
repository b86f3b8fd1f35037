"""A clip of any length is looked at in windows: the same events as at once, in memory that does not grow with it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from films import burst, film, somebody

from emotrain.motion.clip_events import clip_events
from emotrain.motion.long_clips import events_of_frames

FPS = 30
PERIOD = 60


@pytest.fixture(scope="module")
def period() -> np.ndarray:
    """Two seconds of a face whose brows rise and fall between 0.6 and 1.0 s."""
    times_s = np.arange(PERIOD) / FPS
    brows = 0.8 * burst(times_s, 0.6, 1.0)
    return film(somebody(3), {"1": brows, "2": brows}, times_s)


@pytest.fixture(scope="module")
def other() -> np.ndarray:
    return film(somebody(8), {}, np.arange(PERIOD) / FPS)


def told(grey: np.ndarray, fps: float = FPS) -> Iterator[tuple[float, np.ndarray]]:
    return ((i / fps, frame) for i, frame in enumerate(grey))


def test_a_clip_of_one_window_is_the_clip_looked_at_at_once(period: np.ndarray) -> None:
    grey = np.concatenate([period, period])
    assert events_of_frames(told(grey)) == clip_events(grey, np.arange(len(grey)) / FPS)


def test_windows_tell_every_event_and_every_cut_once_wherever_their_edges_fall(
    period: np.ndarray, other: np.ndarray
) -> None:
    grey = np.concatenate([period, period, other, period, period, other])
    for core in (95, 127, 150):
        seen = events_of_frames(told(grey), core=core, overlap=45)
        apexes = [event.apex_s for event in seen.events if {"1", "2"} & set(event.action_units)]
        assert apexes == pytest.approx([0.8, 2.8, 6.8, 8.8], abs=0.15), core
        assert seen.cuts_s == pytest.approx([4.0, 6.0, 10.0], abs=0.01), core


def test_a_high_speed_clip_fills_no_window(period: np.ndarray) -> None:
    slow = np.repeat(period, 10, axis=0)  # 600 frames of two seconds
    seen = events_of_frames(told(slow, 10 * FPS), core=150, overlap=20)
    (event,) = seen.events
    assert event.apex_s == pytest.approx(0.8, abs=0.1)


def test_memory_does_not_grow_with_the_length_of_the_clip(period: np.ndarray) -> None:
    def most(periods: int) -> int:
        frames = ((i / FPS, period[i % PERIOD].copy()) for i in range(periods * PERIOD))
        tracemalloc.start()
        events_of_frames(frames, core=90, overlap=15)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    most(3)  # what is computed once
    assert most(18) < 1.1 * most(6)
