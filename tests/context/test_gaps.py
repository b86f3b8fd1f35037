"""Gaps cover the time line, and each event is told once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.context.gaps import events_by_gap, gaps_of
from emotrain.records import Event

TIMES = st.lists(st.integers(0, 400), min_size=1, max_size=12, unique=True).map(lambda ts: sorted(t / 100 for t in ts))


@given(times=TIMES)
@settings(deadline=None, max_examples=50)
def test_gaps_cover_the_time_line_exactly(times: list[float]) -> None:
    gaps = gaps_of("a", times, 4.0)
    assert [gap.gap for gap in gaps] == list(range(len(times) + 1))
    assert (gaps[0].start_s, gaps[-1].end_s) == (0.0, 4.0)
    assert [gap.end_s for gap in gaps[:-1]] == [gap.start_s for gap in gaps[1:]] == times


@given(times=TIMES, apexes=st.lists(st.floats(0, 4.2), max_size=6))
@settings(deadline=None, max_examples=50)
def test_every_event_is_told_once_in_the_gap_of_its_apex(times: list[float], apexes: list[float]) -> None:
    gaps = gaps_of("a", times, 4.0)
    events = [Event(max(apex - 0.1, 0), apex, apex + 0.1, (), (), 5.0) for apex in apexes]
    told = events_by_gap(events, gaps)
    assert sorted(e.apex_s for of_gap in told for e in of_gap) == sorted(apexes)
    for gap, of_gap in zip(gaps, told):
        assert all(gap.start_s <= e.apex_s for e in of_gap)
        assert all(e.apex_s < gap.end_s for e in of_gap) or gap is gaps[-1]


def test_keyframes_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="'a': keyframe times must increase"):
        gaps_of("a", [1.0, 0.5], 4.0)
    with pytest.raises(ValueError, match="must increase"):
        gaps_of("a", [0.5, 5.0], 4.0)
