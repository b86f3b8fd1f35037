"""Blendshapes as evidence: what a network sees in a real face becomes the same events, and only where there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scenes import backdrop, frames_of, pasted, placed

from emotrain.context.motion_backend import EVIDENCE, MotionSummarizer, both
from emotrain.examples.contract_schema import MOTION
from emotrain.face_layout import ALIGNED_CROP
from emotrain.faces.detectors import detector_of
from emotrain.faces.find import find_faces
from emotrain.faces.landmarker import BLENDSHAPES, SUBSET, Landmarker
from emotrain.faces.settings import FaceSettings
from emotrain.motion.blendshapes import blendshape_cues, intensities
from emotrain.motion.clip_events import ClipEvents
from emotrain.records import Clip, Event
from emotrain.video.decode import open_clip
from emotrain.video.framing import Followed

PLACE = {name: place for place, name in enumerate(BLENDSHAPES)}


@pytest.fixture(scope="module")
def landmarker(landmarker_weights: Path) -> Landmarker:
    return Landmarker()


def shapes(**values: float) -> np.ndarray:
    """(1, 52)"""
    row = np.zeros((1, len(BLENDSHAPES)), np.float32)
    for name, value in values.items():
        row[0, PLACE[name]] = value
    return row


def test_the_tables_are_those_of_the_networks() -> None:
    assert (len(BLENDSHAPES), len(SUBSET), len(set(SUBSET.tolist()))) == (52, 146, 146)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"mouthSmileLeft": 0.8, "mouthSmileRight": 0.6}, {"12": 0.7}),
        ({"mouthSmileLeft": 0.8, "mouthSmileRight": 0.2}, {"L12": 0.8}),
        ({"mouthSmileRight": 0.5}, {"R12": 0.5}),
        ({"jawOpen": 0.2}, {"26": 0.4}),
        ({"mouthUpperUpLeft": 0.5, "mouthUpperUpRight": 0.5}, {"10": 0.5}),
        (
            dict.fromkeys(("mouthUpperUpLeft", "mouthUpperUpRight", "mouthSmileLeft", "mouthSmileRight"), 0.6),
            {"12": 0.6},
        ),
        ({"eyeSquintLeft": 1.0, "neutral": 1.0, "eyeLookUpLeft": 1.0}, {}),
        ({"browInnerUp": 0.9}, {}),  # all clip long: how this face is made
    ],
)
def test_a_blendshape_is_its_action_unit(values: dict[str, float], told: dict[str, float]) -> None:
    units, found = intensities(shapes(**values))
    assert {unit: value for unit, value in zip(units, found[0].tolist()) if value > 0} == pytest.approx(told)


@pytest.mark.parametrize("roll_deg", [0.0, 20.0])
def test_a_real_smile_is_told_in_the_face_that_is_followed(
    landmarker: Landmarker, real_faces: Path, tmp_path: Path, roll_deg: float
) -> None:
    video = real_faces / "single_face.mp4"
    if roll_deg:
        from clip_files import write_clip

        frames = frames_of(video)
        maps = np.stack([placed(1.0, roll_deg, (640, 360), 640, 360)] * len(frames))
        video = write_clip(tmp_path / "rolled.mp4", pasted(frames, backdrop(720, 1280), maps), fps=30)
    settings = FaceSettings()
    with open_clip(video) as reader:
        found = find_faces(reader, settings, detector_of(settings))
    look = Followed(found.path(), cuts_s=found.clip.cuts_s)
    seen = MotionSummarizer(evidence="blendshapes").seen(Clip("a", "a.mp4", "happiness"), video, look)
    (smile,) = seen.events
    assert "12" in smile.action_units
    assert smile.onset_s == pytest.approx(0.5, abs=0.15)
    assert smile.offset_s == pytest.approx(2.35, abs=0.1)
    assert not {"9", "L12", "R12"} & set(smile.action_units)


def test_where_the_network_sees_no_face_there_is_a_hole_in_time(landmarker: Landmarker) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (5, 204, 204, 3)).astype(np.uint8)
    cues = blendshape_cues(((i / 25, image) for i, image in enumerate(noise)), ALIGNED_CROP, landmarker)
    assert len(cues.times_s) == 0
    assert cues.intensity.shape == (0, len(cues.units))


def test_both_take_what_is_fast_from_flow_and_what_lasts_from_blendshapes() -> None:
    def event(onset_s: float, offset_s: float, unit: str) -> Event:
        return Event(onset_s, (onset_s + offset_s) / 2, offset_s, ("nose",), (unit,), 1.0)

    flow = ClipEvents((event(0.0, 3.0, "4"), event(1.0, 1.3, "9")), (), (2.0,))
    seen = ClipEvents((event(0.5, 2.5, "12"), event(1.1, 1.4, "15")), (), ())
    told = both(flow, seen)
    assert [one.action_units for one in told.events] == [("12",), ("9",)]
    assert told.cuts_s == (2.0,)


def test_the_evidence_is_part_of_what_an_adapter_records(landmarker: Landmarker, tmp_path: Path) -> None:
    settings = [MotionSummarizer(evidence=evidence).settings() for evidence in EVIDENCE]
    assert len({str(one) for one in settings}) == len(EVIDENCE)
    assert {"evidence", "landmarker"} <= set(MOTION)
    with pytest.raises(ValueError, match="evidence: 'shapes'"):
        MotionSummarizer(evidence="shapes")
    with pytest.raises(ValueError, match="is the evidence; remove one"):
        MotionSummarizer(evidence="both", cues=str(tmp_path))
