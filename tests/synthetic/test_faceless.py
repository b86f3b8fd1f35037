"""Clips without a face: every kind moves, and the same seed gives the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emotrain.faces.detectors import detector_of
from emotrain.faces.find import find_faces
from emotrain.faces.settings import FaceSettings
from emotrain.synthetic.faceless import KINDS, plan_faceless, render_faceless, write_faceless
from emotrain.synthetic.h264 import write_mp4
from emotrain.video.decode import open_clip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_drawn_in_colour_moves_and_repeats(kind: str) -> None:
    clip = next(clip for clip in plan_faceless(len(KINDS), seed=4) if clip.kind == kind)
    frames = list(render_faceless(clip, 128, 72, 0.4))
    assert {frame.shape for frame in frames} == {(72, 128, 3)}
    assert frames[0].std() > 4
    again = list(render_faceless(clip, 128, 72, 0.4))
    assert all(np.array_equal(one, other) for one, other in zip(frames, again))


def test_two_hundred_clips_have_names_and_seeds_of_their_own() -> None:
    clips = plan_faceless(200)
    assert len({clip.name for clip in clips}) == len({clip.seed for clip in clips}) == 200


def test_clips_are_written_once(tmp_path: Path) -> None:
    paths = write_faceless(tmp_path / "a", 2, width=64, height=36)
    before = [path.stat().st_mtime_ns for path in paths]
    assert write_faceless(tmp_path / "a", 2, width=64, height=36) == paths
    assert [path.stat().st_mtime_ns for path in paths] == before


def test_the_same_frames_are_encoded_to_the_same_bytes(tmp_path: Path) -> None:
    frames = list(render_faceless(plan_faceless(2)[1], 64, 36, 0.6))
    written = set()
    for i in range(12):
        # x264 must not depend on what lies in memory beside its pictures.
        del [np.random.default_rng(i).bytes(1 << 16) for _ in range(i % 7)][:]
        write_mp4(frames, tmp_path / "clip.mp4", 64, 25, 36)
        written.add((tmp_path / "clip.mp4").read_bytes())
    assert len(written) == 1


def test_no_face_is_told_of_clips_without_one(face_weights: Path, tmp_path: Path) -> None:
    settings = FaceSettings(size=480)
    detector = detector_of(settings)
    for clip in plan_faceless(len(KINDS), seed=6):
        write_mp4(render_faceless(clip, 480, 270, 0.5), tmp_path / f"{clip.name}.mp4", 480, 25, 270)
        with open_clip(tmp_path / f"{clip.name}.mp4") as reader:
            found = find_faces(reader, settings, detector)
        assert found.clip.faces == 0, clip.name
        assert str(found.clip.reason).startswith("no face")
