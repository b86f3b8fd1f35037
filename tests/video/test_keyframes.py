"""Keyframes are sorted, never repeated, and stand where their policy says, for any frame rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.clip_errors import ClipError
from emotrain.records import Clip
from emotrain.video.keyframes import (
    MOTION_FLOOR,
    POLICIES,
    between_keyframes,
    choose_keyframes,
    frames_at,
    motion_energy,
    parse_policy,
)

gaps_s = st.lists(st.floats(0.001, 0.5), min_size=0, max_size=120)


def clock(gaps: list[float]) -> tuple[np.ndarray, float]:
    """Times of a clip with variable frame rate and its duration."""
    times = np.concatenate([[0.0], np.cumsum(gaps)])
    return times, float(times[-1] + (np.median(gaps) if gaps else 0.04))


def regular(frames: int, fps: float = 25.0) -> tuple[np.ndarray, float]:
    return np.arange(frames) / fps, frames / fps


def annotated(duration_s: float) -> Clip:
    return Clip("c", "c.mp4", "x", onset_s=0.3 * duration_s, apex_s=0.4 * duration_s, offset_s=0.6 * duration_s)


@settings(deadline=None, max_examples=150)
@given(gaps=gaps_s, count=st.integers(1, 20), seed=st.integers(0, 3), policy=st.sampled_from([*POLICIES, "fps:3.5"]))
def test_any_policy_gives_sorted_frames_without_repetition(gaps, count, seed, policy) -> None:  # type: ignore[no-untyped-def]
    times, duration_s = clock(gaps)
    score = np.random.default_rng(seed).random(len(times)) ** 8
    options = {"duration_s": duration_s, "seed": seed, "score": score, "clip": annotated(duration_s)}
    chosen = choose_keyframes(policy, times, count, **options)
    expected = frames_at(3.5, duration_s) if policy.startswith("fps") else count
    assert chosen.dtype == np.int64
    assert len(chosen) == min(expected, len(times))
    assert np.all(np.diff(chosen) > 0)
    assert 0 <= chosen[0] <= chosen[-1] < len(times)
    assert np.array_equal(chosen, choose_keyframes(policy, times, count, **options))


@settings(deadline=None, max_examples=100)
@given(gaps=gaps_s, count=st.integers(1, 12), per_gap=st.integers(0, 6))
def test_in_between_frames_lie_in_their_gap_and_all_of_them_fill_the_clip(gaps, count, per_gap) -> None:  # type: ignore[no-untyped-def]
    times, duration_s = clock(gaps)
    keys = choose_keyframes("segment_centres", times, count, duration_s=duration_s)
    edges = [-1, *keys.tolist(), len(times)]
    some, whole = between_keyframes(times, keys, per_gap), between_keyframes(times, keys, None)
    assert len(some) == len(whole) == len(keys) + 1
    for gap, inner in enumerate(some):
        free = edges[gap + 1] - edges[gap] - 1
        assert len(inner) == min(per_gap, free)
        assert np.all(np.diff(inner) > 0)
        assert all(edges[gap] < index < edges[gap + 1] for index in inner)
    assert sorted([*keys, *np.concatenate(whole)]) == list(range(len(times)))


def test_segment_centres_are_the_frames_on_screen_at_the_centres() -> None:
    times, duration_s = regular(120, 30)
    assert choose_keyframes("segment_centres", times, 8, duration_s=duration_s).tolist() == [
        7,
        22,
        37,
        52,
        67,
        82,
        97,
        112,
    ]


def test_variable_rate_is_sampled_by_time_and_not_by_frame_number() -> None:
    times = np.concatenate([np.arange(50) / 100, 0.5 + np.arange(10) / 2])
    chosen = choose_keyframes("segment_centres", times, 5, duration_s=5.5)
    assert np.abs(times[chosen] - (np.arange(5) + 0.5) * 1.1).max() <= 0.5
    assert chosen.tolist() == [50, 52, 54, 56, 58], (
        "by frame number four of the five would lie in the first half second"
    )


def test_end_points_hold_the_first_and_the_last_frame() -> None:
    times, duration_s = regular(70)
    chosen = choose_keyframes("endpoints", times, 4, duration_s=duration_s)
    assert chosen.tolist() == np.linspace(0, 69, 4).round().astype(int).tolist()


def test_fps_counts_like_the_default_of_qwen() -> None:
    times, duration_s = regular(70)
    assert len(choose_keyframes("fps:2", times, 1, duration_s=duration_s)) == 4
    assert len(choose_keyframes("fps:5", times, 1, duration_s=duration_s)) == 14
    assert frames_at(2, 9.9) == 18


def test_stratified_draws_one_frame_a_segment_anew_for_each_seed_and_clip() -> None:
    times, duration_s = regular(800, 200)
    draws = set()
    for seed in range(30):
        for name in ("a", "b"):
            chosen = choose_keyframes(
                "stratified", times, 8, duration_s=duration_s, seed=seed, clip=Clip(name, "", "x")
            )
            assert (chosen // 100).tolist() == list(range(8))
            draws.add(tuple(chosen.tolist()))
    assert len(draws) == 60


@settings(deadline=None, max_examples=60)
@given(frames=st.integers(2, 200), count=st.integers(1, 16), level=st.floats(0, 1e6))
def test_a_constant_score_falls_back_to_segment_centres(frames: int, count: int, level: float) -> None:
    times, duration_s = regular(frames)
    options = {"duration_s": duration_s, "score": np.full(frames, level)}
    assert np.array_equal(
        choose_keyframes("motion", times, count, **options),
        choose_keyframes("segment_centres", times, count, duration_s=duration_s),
    )


def test_motion_goes_where_the_movement_is_and_leaves_no_stretch_uncovered() -> None:
    times, duration_s = regular(400)
    score = np.full(400, 1e-3)
    score[200:220] = 5.0
    chosen = choose_keyframes("motion", times, 8, duration_s=duration_s, score=score)
    assert ((chosen >= 198) & (chosen < 222)).sum() >= 4
    edges = np.concatenate([[0.0], times[chosen], [duration_s]])
    assert np.diff(edges).max() <= duration_s / 8 / MOTION_FLOOR + 0.05


def test_motion_energy_sees_the_frame_that_changes() -> None:
    grey = np.full((6, 8, 8), 100, np.uint8)
    grey[3:] = 110
    assert motion_energy(grey).tolist() == [0, 0, 0, 10, 0, 0]
    assert motion_energy(grey[:1]).tolist() == [0]


@pytest.mark.parametrize("bad", [np.full(50, np.nan), np.ones(49), -np.ones(50), np.full(50, np.inf)])
def test_motion_refuses_a_score_that_is_no_score(bad: np.ndarray) -> None:
    times, duration_s = regular(50)
    with pytest.raises(ValueError, match="expected 50 finite scores"):
        choose_keyframes("motion", times, 4, duration_s=duration_s, score=bad)
    with pytest.raises(ValueError, match="needs a score"):
        choose_keyframes("motion", times, 4, duration_s=duration_s)


def test_onset_apex_and_offset_are_among_the_keyframes() -> None:
    times, duration_s = regular(400, 200)
    clip = Clip("c", "c.mp4", "x", onset_s=0.5, apex_s=0.6, offset_s=0.75)
    assert choose_keyframes("onset_apex_offset", times, 3, duration_s=duration_s, clip=clip).tolist() == [100, 120, 150]
    assert choose_keyframes("onset_apex_offset", times, 1, duration_s=duration_s, clip=clip).tolist() == [120]
    assert {100, 120, 150} < set(choose_keyframes("onset_apex_offset", times, 8, duration_s=duration_s, clip=clip))
    without_apex = Clip("c", "c.mp4", "x", onset_s=0.5, offset_s=0.7)
    assert 120 in choose_keyframes("onset_apex_offset", times, 3, duration_s=duration_s, clip=without_apex)
    with pytest.raises(ClipError, match="clip d has no annotated onset"):
        choose_keyframes("onset_apex_offset", times, 3, duration_s=duration_s, clip=Clip("d", "d.mp4", "x"))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("segment_centers", "did you mean 'segment_centres'"),
        ("stratifed", "did you mean 'stratified'"),
        ("fps", "expected fps:N"),
        ("fps:0", "expected fps:N"),
        ("fps:nan", "expected fps:N"),
        ("motion:3", "takes nothing after a colon"),
    ],
)
def test_a_wrong_policy_names_the_nearest(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        parse_policy(text)


def test_a_policy_is_written_as_it_was_read() -> None:
    assert [parse_policy(text).text for text in ("fps:2.5", "motion")] == ["fps:2.5", "motion"]


def test_asking_for_no_keyframe_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        choose_keyframes("endpoints", np.arange(5.0), 0, duration_s=5)
    with pytest.raises(ValueError, match="non-empty"):
        choose_keyframes("endpoints", np.empty(0), 1, duration_s=5)


def test_annotated_times_outside_the_clip_are_a_reason_and_no_frames() -> None:
    times, duration_s = regular(50)
    clip = Clip("c", "c.mp4", "x", onset_s=400, apex_s=600, offset_s=900)
    with pytest.raises(
        ClipError, match=r"clip c: onset 400 s, .* lasts 2\.00 s; they would fit in milliseconds: call the"
    ):
        choose_keyframes("onset_apex_offset", times, 8, duration_s=duration_s, clip=clip)
