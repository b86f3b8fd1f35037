"""What happens to the picture is never told as something that happens on the face."""

from __future__ import annotations

import numpy as np
import pytest
from films import burst, film, somebody

from emotrain.motion.clip_events import clip_events, pace
from emotrain.video.shots import find_shots

TIMES = np.arange(66) / 30
BROWS = {"1": 0.8 * burst(TIMES, 0.6, 1.0), "2": 0.8 * burst(TIMES, 0.6, 1.0)}


@pytest.fixture(scope="module")
def calm() -> np.ndarray:
    return film(somebody(3), {}, TIMES)


@pytest.fixture(scope="module")
def brows() -> np.ndarray:
    """Brows rise and fall between 0.6 and 1.0 s."""
    return film(somebody(3), BROWS, TIMES)


@pytest.fixture(scope="module")
def another() -> np.ndarray:
    return film(somebody(8), {}, TIMES[:24])


def lit(grey: np.ndarray, gain: np.ndarray) -> np.ndarray:
    return np.clip(grey * gain[:, None, None], 0, 255).astype(np.uint8)


def test_an_ordinary_clip_is_one_shot_of_all_its_frames(brows: np.ndarray) -> None:
    (shot,) = find_shots(brows, TIMES)
    assert shot.frames.tolist() == list(range(len(TIMES)))
    assert shot.light_steps == ()


def test_a_flash_on_a_calm_face_is_no_event(calm: np.ndarray) -> None:
    flashed = calm.copy()
    flashed[30:33] = np.clip(flashed[30:33] * 1.8 + 40, 0, 255)
    (shot,) = find_shots(flashed, TIMES)
    assert sorted(set(range(len(TIMES))) - set(shot.frames.tolist())) == [30, 31, 32]
    seen = clip_events(flashed, TIMES)
    assert (seen.events, seen.cuts_s) == ((), ())


def test_an_event_is_found_through_a_flash(brows: np.ndarray) -> None:
    flashed = brows.copy()
    flashed[19:21] = 250
    (event,) = clip_events(flashed, TIMES).events
    assert event.apex_s == pytest.approx(0.8, abs=0.08)
    assert {"1", "2"} <= set(event.action_units)


def test_a_strobe_is_no_event_and_hides_none(calm: np.ndarray, brows: np.ndarray) -> None:
    gain = np.where((np.arange(len(TIMES)) // 3) % 2 == 1, 0.45, 1.0)
    assert clip_events(lit(calm, gain), TIMES).events == ()
    (event,) = clip_events(lit(brows, gain), TIMES).events
    assert event.apex_s == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize("gain", [1.3, 0.4])
def test_a_lamp_is_no_event_and_ends_none(calm: np.ndarray, brows: np.ndarray, gain: float) -> None:
    switched = np.where(TIMES >= 0.75, gain, 1.0)
    (shot,) = find_shots(lit(calm, switched), TIMES)
    assert shot.light_steps == (23,)
    assert clip_events(lit(calm, switched), TIMES).events == ()
    (event,) = clip_events(lit(brows, switched), TIMES).events
    assert (event.onset_s, event.offset_s) == (pytest.approx(0.6, abs=0.12), pytest.approx(1.0, abs=0.12))


def test_no_event_spans_a_cut(brows: np.ndarray, another: np.ndarray) -> None:
    # Cut away at the height of the expression, and back to the calm face.
    there = np.concatenate([brows[:24], another, brows[36:]])
    times_s = np.arange(len(there)) / 30
    seen = clip_events(there, times_s)
    assert seen.cuts_s == (pytest.approx(24 / 30), pytest.approx(48 / 30))
    assert seen.events, "what came before the cut is still told"
    for event in seen.events:
        assert all(event.offset_s < cut_s or event.onset_s >= cut_s for cut_s in seen.cuts_s)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_clip_of_few_frames_has_no_event(calm: np.ndarray, frames: int) -> None:
    assert clip_events(calm[:frames], TIMES[:frames]).events == ()


def test_a_flat_or_black_clip_has_no_event() -> None:
    for level in (0, 3, 128, 255):
        seen = clip_events(np.full((40, 128, 128), level, np.uint8), TIMES[:40])
        assert (seen.events, seen.blinks, seen.cuts_s) == ((), (), ())


def test_noise_in_the_dark_is_no_event() -> None:
    rng = np.random.default_rng(1)
    dark = np.clip(rng.normal(4, 1.5, (60, 128, 128)), 0, 255).astype(np.uint8)
    seen = clip_events(dark, TIMES[:60])
    assert (seen.events, seen.cuts_s) == ((), ())


@pytest.mark.parametrize("fps", [12.5, 24, 50, 100, 200])
def test_events_keep_their_seconds_at_any_frame_rate(fps: float) -> None:
    times_s = np.arange(round(1.6 * fps)) / fps
    units = {unit: 0.8 * burst(times_s, 0.6, 1.0) for unit in ("1", "2")}
    (event,) = clip_events(film(somebody(3), units, times_s), times_s).events
    assert event.apex_s == pytest.approx(0.8, abs=0.06)
    assert event.offset_s - event.onset_s == pytest.approx(0.4, abs=0.1)


def test_a_tenth_of_a_second_is_seen_at_200_frames_a_second() -> None:
    times_s = np.arange(200) / 200
    units = {unit: 0.8 * burst(times_s, 0.5, 0.6) for unit in ("L12", "R12")}
    (event,) = clip_events(film(somebody(3), units, times_s), times_s).events
    assert (event.onset_s, event.offset_s) == (pytest.approx(0.5, abs=0.03), pytest.approx(0.6, abs=0.03))


@pytest.mark.parametrize(("fps", "kept_fps"), [(25, 25), (30, 30), (60, 60), (100, 50), (120, 60), (200, 50)])
def test_only_fast_video_is_thinned_out(fps: float, kept_fps: float) -> None:
    times_s = np.round(np.arange(4 * fps) / fps, 3)
    assert len(pace(times_s)) == pytest.approx(4 * kept_fps, abs=1)


def test_somebody_who_walks_out_of_the_picture_is_no_cut_and_a_shot_of_one_frame_is_two() -> None:
    wall, coat = np.kron(np.random.default_rng(0).integers(20, 220, (2, 16, 16)), np.ones((4, 4))).astype(np.uint8)
    film = np.repeat(wall[None], len(TIMES), axis=0)
    for frame in range(len(TIMES)):
        # Half a picture wide, and gone within half a second.
        at = round(float(np.clip((TIMES[frame] - 0.8) / 0.5, 0, 1)) * 64)
        film[frame, :, at : at + 40] = coat[:, : min(40, max(64 - at, 0))]
    assert len(find_shots(film, TIMES)) == 1
    cut = np.repeat(wall[None], len(TIMES), axis=0)
    cut[30], cut[31:] = coat, wall[::-1, ::-1]
    assert [int(shot.frames[0]) for shot in find_shots(cut, TIMES)] == [0, 30, 31]


def test_a_television_that_cuts_is_no_cut_of_the_picture() -> None:
    rng = np.random.default_rng(1)
    film = np.repeat(np.kron(rng.integers(20, 220, (32, 32)), np.ones((2, 2)))[None], len(TIMES), axis=0)
    film[:30, 8:34, 20:46] = rng.integers(0, 255, (26, 26))
    film[30:, 8:34, 20:46] = rng.integers(0, 255, (26, 26))[None]
    film = np.clip(film + rng.normal(0, 2, film.shape), 0, 255).astype(np.uint8)
    assert len(find_shots(film, TIMES)) == 1
    film[40:, 20:] = 255 - film[40:, 20:]
    assert [int(shot.frames[0]) for shot in find_shots(film, TIMES)] == [0, 40]
