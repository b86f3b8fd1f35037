"""P(miss) equals its closed forms and what the keyframe policies really do."""

from __future__ import annotations

import numpy as np
import pytest

from emotrain.video.keyframes import choose_keyframes, frames_at
from emotrain.video.miss import miss_table, missed_share, p_miss

DRAWS = 4000


def simulated(policy: str, duration_s: float, event_s: float, keyframes: int, apex_s: float | None = None) -> float:
    """Share of random events without a keyframe inside, or at the apex, with the policy choosing among 1 ms frames."""
    before_s = 0.0 if apex_s is None else (event_s - apex_s) / 2
    rng = np.random.default_rng(0)
    times = np.arange(round(duration_s * 1000)) / 1000
    onsets = rng.uniform(0, duration_s - event_s, DRAWS)
    fixed = None
    if policy != "stratified":
        fixed = times[choose_keyframes(policy, times, keyframes, duration_s=duration_s)]
    missed = 0
    for draw, onset in enumerate(onsets):
        chosen = fixed
        if chosen is None:
            chosen = times[choose_keyframes(policy, times, keyframes, duration_s=duration_s, seed=draw)]
        missed += not np.any((chosen >= onset + before_s) & (chosen <= onset + event_s - before_s))
    return missed / DRAWS


@pytest.mark.parametrize("policy", ["segment_centres", "endpoints", "fps:2", "stratified"])
@pytest.mark.parametrize(("duration_s", "event_s", "keyframes"), [(2.8, 0.25, 8), (1.2, 0.5, 4), (6.0, 0.1, 16)])
def test_the_policies_miss_what_the_formula_says(
    policy: str, duration_s: float, event_s: float, keyframes: int
) -> None:
    expected = p_miss(policy, duration_s, event_s, keyframes)
    sigma = np.sqrt(expected * (1 - expected) / DRAWS)
    assert simulated(policy, duration_s, event_s, keyframes) == pytest.approx(expected, abs=4 * sigma + 0.005)


@pytest.mark.parametrize("policy", ["segment_centres", "endpoints", "fps:2", "stratified"])
@pytest.mark.parametrize(("duration_s", "event_s", "keyframes"), [(2.8, 0.25, 8), (1.2, 0.9, 4)])
def test_an_apex_is_missed_more_often_than_its_event(
    policy: str, duration_s: float, event_s: float, keyframes: int
) -> None:
    expected = p_miss(policy, duration_s, event_s, keyframes, apex_s=0.1)
    sigma = np.sqrt(expected * (1 - expected) / DRAWS)
    assert simulated(policy, duration_s, event_s, keyframes, 0.1) == pytest.approx(expected, abs=4 * sigma + 0.005)
    assert expected > p_miss(policy, duration_s, event_s, keyframes)
    assert p_miss(policy, duration_s, 0.1, keyframes, apex_s=0.1) == p_miss(policy, duration_s, 0.1, keyframes)


def test_the_apex_of_what_fills_the_clip_is_in_its_middle() -> None:
    assert p_miss("segment_centres", 1.0, 1.0, 1, apex_s=0.1) == pytest.approx(0, abs=1e-9)
    assert p_miss("endpoints", 1.0, 2.0, 2, apex_s=0.1) == pytest.approx(1)


def test_the_short_event_forms_are_special_cases() -> None:
    duration_s, keyframes = 4.0, 8
    segment = duration_s / keyframes
    for event_s in (0.05, 0.1, segment / 2):
        room = duration_s - event_s
        assert p_miss("segment_centres", duration_s, event_s, keyframes) == pytest.approx(
            1 - keyframes * event_s / room
        )
        assert p_miss("endpoints", duration_s, event_s, keyframes) == pytest.approx(
            1 - (keyframes - 2) * event_s / room
        )
        assert p_miss("uniform", duration_s, event_s, keyframes) == pytest.approx(
            (1 - event_s / duration_s) ** keyframes
        )
    # 1 - x + x^3 / 6 leaves the ends of the clip out: it is the limit of many segments.
    x = 0.6
    assert p_miss("stratified", 200.0, x * 0.5, 400) == pytest.approx(1 - x + x**3 / 6, abs=2e-3)


def test_long_events_cannot_be_missed() -> None:
    assert p_miss("segment_centres", 2.0, 0.3, 8) == 0
    assert p_miss("stratified", 2.0, 0.6, 8) == pytest.approx(0, abs=1e-12)
    assert all(p_miss(policy, 1.0, 1.5) == 0 for policy in ("segment_centres", "endpoints", "stratified", "motion"))


def test_overlapping_windows_count_once() -> None:
    assert missed_share([1.0], 2.0, 0.5) == pytest.approx(1 - 0.5 / 1.5)
    assert missed_share([1.0, 1.0], 2.0, 0.5) == pytest.approx(1 - 0.5 / 1.5)
    assert missed_share([1.0, 1.25], 2.0, 0.5) == pytest.approx(1 - 0.75 / 1.5)
    assert missed_share([], 2.0, 0.5) == 1


@pytest.mark.parametrize(("duration_s", "event_s", "count"), [(8.0, 0.25, 8), (2.8, 0.5, 8), (3.0, 0.2, 5)])
def test_motion_states_its_worst_case_and_some_clip_attains_it(duration_s: float, event_s: float, count: int) -> None:
    """An event that the score does not see; wherever the score crowds the other keyframes, no more is missed."""
    times = np.arange(0, duration_s, 0.001)
    worst, stated = 0.0, p_miss("motion", duration_s, event_s, count)
    rng = np.random.default_rng(0)
    first = (count // 4 + 0.5) / count / 0.5  # the share of the score that puts a keyframe just behind the first frame
    ends = ([0, -1], [first, 1 - first])
    places = [([0], [1.0]), ([len(times) // 2], [1.0]), ends]
    places += [(rng.integers(0, len(times), 3).tolist(), rng.dirichlet(np.ones(3)).tolist()) for _ in range(40)]
    for where, share in places:
        score = np.zeros(len(times))
        score[where] = share
        chosen = times[choose_keyframes("motion", times, count, duration_s=duration_s, score=score)]
        worst = max(worst, missed_share(chosen, duration_s, event_s))
        assert missed_share(chosen, duration_s, event_s) <= stated + 0.01, where
    assert worst > stated - 0.05
    assert p_miss("segment_centres", duration_s, event_s, count) < stated


def test_a_table_is_the_mean_over_the_clips() -> None:
    table = miss_table([2.0, 2.0, 5.0], ["segment_centres", "fps:2"], [0.25], keyframes=4)
    one, two = (p_miss("segment_centres", length, 0.25, 4) for length in (2.0, 5.0))
    assert table["segment_centres"][0.25] == pytest.approx((2 * one + two) / 3)
    assert set(table) == {"segment_centres", "fps:2"}
    assert frames_at(2, 5.0) == 10
    with pytest.raises(ValueError, match="above 0"):
        miss_table([1.0, 0.0])
    with pytest.raises(ValueError, match="above 0"):
        miss_table([1.0, np.nan])
    blink = miss_table([1.1e-5, 2.0], ["segment_centres"], [0.25], keyframes=4)["segment_centres"][0.25]
    assert blink == pytest.approx(one / 2), "a clip shorter than a millisecond misses nothing and stops nothing"
    with pytest.raises(ValueError, match="did you mean"):
        miss_table([1.0], ["endpoint"])
