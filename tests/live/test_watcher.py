"""The causal pass tells what the offline way tells, and says what it could not see."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from live_scenes import Painted, picture_of, watcher_of

from emotrain.face_layout import ALIGNED_CROP
from emotrain.faces.find import find_faces
from emotrain.live.records import Notice, Said, ToldEvent
from emotrain.live.sources import Opened
from emotrain.live.watcher import Watcher
from emotrain.motion.face_motion import Anchored
from emotrain.motion.flow import halved
from emotrain.motion.long_clips import events_of_frames
from emotrain.motion.moving_window import MovingWindow
from emotrain.records import Event
from emotrain.video.decode import open_clip
from emotrain.video.framing import Followed

FRAMES = 2.1 / 30
Kind = tuple[bool, Event]


def agreeing(offline: list[Kind], live: list[Kind]) -> int:
    """Events of both, one to one, with both edges within two frames."""
    left, hits = list(live), 0
    for blink, event in offline:
        for number, (other, found) in enumerate(left):
            edges = abs(event.onset_s - found.onset_s), abs(event.offset_s - found.offset_s)
            if blink == other and max(edges) <= FRAMES:
                del left[number]
                hits += 1
                break
    return hits


def test_events_of_the_stream_are_those_of_the_file(people: list[Path], watcher: Watcher) -> None:
    told: list[Kind] = []
    known: list[Kind] = []
    for video in people:
        with open_clip(video) as reader:
            found = find_faces(reader, watcher.view.settings, watcher.faces.detector)
            path = found.path()
            reader.look = Followed(path, "face", found.clip.cuts_s)
            seen = events_of_frames(reader.grey_frames(128), path=path)
        one = watcher_of(watcher.faces.detector)
        said: list[Said] = []
        for taken in Opened(video.name, video, {}, lasting=False).frames():
            assert taken.stamp_s is not None
            said += one.see(taken.stamp_s, taken.picture)
        said += one.pause()
        mine = [(line.blink, line.event) for line in said if isinstance(line, ToldEvent)]
        known += [*((False, event) for event in seen.events), *((True, blink) for blink in seen.blinks)]
        told += mine
        assert len(one.grid.keys) == 8 or found.clip.end_s < 3.5
    assert len(known) >= 8, "events enough to disagree on"
    hits = agreeing(known, told)
    assert hits >= 0.99 * len(known)
    assert hits >= 0.99 * len(told)


def test_motion_measured_in_parts_is_motion_measured_at_once(people: list[Path]) -> None:
    with open_clip(people[0]) as reader:
        grey = reader.grey(128)[:60]
    small = halved(grey)
    whole = Anchored(ALIGNED_CROP).measure(grey, small)
    parted = Anchored(ALIGNED_CROP)
    cuts = (0, 1, 7, 8, 31, 60)
    parts = np.concatenate([parted.measure(grey[a:b], small[a:b]) for a, b in pairwise(cuts)])
    assert np.abs(parts - whole).max() < 0.1, "percent of the eye distance: what flow can tell at all"


def test_a_moving_window_lets_go_of_what_is_old() -> None:
    window = MovingWindow(held_s=2.0)
    noise = np.random.default_rng(0).integers(0, 255, (128, 128), np.uint8)
    for number in range(150):
        window.add(number / 15, noise)
        if number % 30 == 0:
            window.look()
    assert window.times_s[-1] - window.times_s[0] <= 2.0 * 1.2
    assert sum(len(motion.times_s) for motion in window._shots.values()) <= len(window.times_s)


def whats(said: list[Said]) -> list[str]:
    return [line.what for line in said if isinstance(line, Notice)]


@pytest.mark.parametrize("fps", [20, 130])
def test_what_the_camera_and_the_face_do_is_said(fps: int) -> None:
    watcher, said = watcher_of(Painted()), []
    time_s = 0.0

    def play(seconds: float, level: int) -> None:
        nonlocal time_s
        for _ in range(round(seconds * fps)):
            said.extend(watcher.see(time_s, picture_of(level)))
            time_s += 1 / fps

    play(3, 250)
    assert whats(said) == ["face"]
    time_s += 2.0
    play(2, 250)
    assert "stalled" in whats(said)
    play(4, 100)
    assert whats(said)[-1] == "no face"
    seen_until = watcher.grid.last(watcher.grid.closed)
    play(2, 0)
    assert whats(said)[-1] == "covered"
    play(3, 250)
    assert whats(said)[-2:] == ["uncovered", "face"]
    assert all(key.time_s < 7.6 for key in seen_until), "no keyframe is taken where the face is gone"
    hidden = [part for part in watcher.known().unread if part.why == "unseen"]
    assert any(part.end_s - part.start_s > 4 for part in hidden)
    assert len(watcher._pending) <= 1.6 * 62 + 2, "frames that wait are thinned and few"
