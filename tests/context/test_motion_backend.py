"""The motion back end: it looks where the frames were cut to, tells cuts, and reads other tools' cues."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emotrain.clip_errors import ClipError
from emotrain.context.facs_words import QUIET, describe
from emotrain.context.gaps import gaps_of, times_by_gap
from emotrain.context.leakage import find_leaks
from emotrain.context.motion_backend import MotionSummarizer
from emotrain.context.summarize import load_summaries, make_backend, summarize_clips
from emotrain.examples.summaries import summary_options
from emotrain.faces.framing import framing_of
from emotrain.launch.fetch import wanted
from emotrain.recipe.arguments import ContextArguments
from emotrain.recipe.recipe import parse_recipe
from emotrain.records import Clip, Event, to_table
from emotrain.synthetic.action_units import AUS, INDEX
from emotrain.synthetic.face import Face, Pose
from emotrain.synthetic.h264 import write_mp4
from emotrain.synthetic.identity import sample_identity
from emotrain.video.extract import extract_frames

FPS = 25
TIMES = np.arange(50) / FPS
CLIP = Clip("c", "c.mp4", "neutral", split="train", fps=float(FPS), duration_s=2.0)
BOX = {"left": 0.3, "top": 0.1, "right": 0.8, "bottom": 0.6}


def faces() -> list[np.ndarray]:
    """Brows rise and fall between 0.8 and 1.2 s."""
    face = Face(sample_identity(np.random.default_rng(3)), 128)
    frames = []
    for time_s in TIMES:
        units = np.zeros(len(AUS), np.float32)
        units[[INDEX["1"], INDEX["2"]]] = 0.8 * np.sin(np.pi * np.clip((time_s - 0.8) / 0.4, 0, 1)) ** 2
        frames.append(face.render(units, Pose(0.008 * np.sin(3 * time_s))))
    return frames


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A close-up c.mp4, and wide.mp4 in which the same face fills the box BOX of a 256-pixel picture."""
    root = tmp_path_factory.mktemp("source")
    shown = faces()
    write_mp4(shown, root / "c.mp4", 128, FPS)
    room = np.random.default_rng(0).integers(90, 160, (256, 256, 3), np.uint8)
    wide = []
    for face in shown:
        frame = room.copy()
        frame[26:154, 77:205] = face
        wide.append(frame)
    write_mp4(wide, root / "wide.mp4", 256, FPS)
    return root


def framed(source: Path, data: Path, path: str, **frames: str) -> Path:
    data.mkdir()
    table = to_table([Clip("c", path, "neutral", split="train", fps=float(FPS), duration_s=2.0)], Clip)
    pq.write_table(table.replace_schema_metadata({"root": str(source), "label_set": "dfew"}), data / "clips.parquet")
    pq.write_table(pa.table({"clip_id": ["c"], **{side: [at] for side, at in BOX.items()}}), data / "boxes.parquet")
    framing = framing_of(data, frames.get("crop", "none"))
    extract_frames(data, keyframes=4, between=0, size=84, workers=1, shards=1, limit_s=None, framing=framing, **frames)  # type: ignore[arg-type]
    return data


def told(data: Path) -> list[Event]:
    summarize_clips(data, shards=1, workers=1, limit_s=None)
    return [event for summary in load_summaries(data, "motion")["c"] for event in summary.events]


def test_motion_looks_at_the_box_that_the_frames_were_cut_to(source: Path, tmp_path: Path) -> None:
    (near,) = told(framed(source, tmp_path / "near", "c.mp4"))
    boxed = framed(source, tmp_path / "boxed", "wide.mp4", crop="box-from-annotation")
    (far,) = told(boxed)
    assert far.action_units == near.action_units == ("1", "2")
    assert far.apex_s == pytest.approx(near.apex_s, abs=0.05)
    assert far.strength == pytest.approx(near.strength, rel=0.2)
    header = json.loads(next((boxed / "summaries").glob("*/backend.json")).read_text(encoding="utf-8"))
    assert header["crop"] == "box-from-annotation"
    moved = {**{side: [at] for side, at in BOX.items()}, "left": [0.1]}
    pq.write_table(pa.table({"clip_id": ["c"], **moved}), boxed / "boxes.parquet")
    with pytest.raises(ValueError, match=r"face boxes have changed since .*extract_frames"):
        summarize_clips(boxed, shards=1, workers=1, limit_s=None)


def test_a_cut_is_told_in_its_gap_in_neutral_words() -> None:
    event = Event(0.5, 0.6, 0.8, ("nose",), ("9",), 6.0)
    text = describe([event], cuts_s=[0.9, 0.4])
    assert text == (
        "0.40 s: cut to another shot. 0.50-0.80 s: nose wrinkles (brief, peak 0.60 s). 0.90 s: cut to another shot."
    )
    assert find_leaks(text) == []
    assert describe([], cuts_s=[]) == QUIET
    assert times_by_gap([1.5, 0.5, 2.5], gaps_of("c", [0.5, 1.0], 2.0)) == [[], [0.5], [1.5, 2.5]]


def test_intensity_words_follow_the_motion() -> None:
    words = [describe([Event(0, 0.2, 0.4, ("nose",), ("9",), strength)]) for strength in (3.9, 4.0, 11.9, 12.0)]
    assert ["slightly" in text for text in words] == [True, False, False, False]
    assert ["strongly" in text for text in words] == [False, False, False, True]


def course(peak: float, rest: float = 0.0) -> np.ndarray:
    """A burst between 0.8 and 1.2 s on top of what a tool reads from the face at rest."""
    return rest + (peak - rest) * np.sin(np.pi * np.clip((TIMES - 0.8) / 0.4, 0, 1)) ** 2


def openface() -> pd.DataFrame:
    """With the blanks before the names, and the rows of a lost face, that OpenFace writes."""
    table = pd.DataFrame({"frame": np.arange(1, 51), " timestamp": TIMES, " confidence": 0.98, " success": 1})
    table = table.assign(**{" AU01_r": course(3.5), " AU04_r": 1.0, " AU15_r": course(4.0), " AU01_c": 1.0})
    table.loc[[3, 4], [" success", " AU15_r"]] = [0, 5.0]
    return table


def py_feat() -> pd.DataFrame:
    table = pd.DataFrame({"input": "videos/c.mp4", "frame": np.arange(50), "FaceScore": 0.99, "AU01": course(0.9)})
    table = table.assign(AU15=course(0.95, 0.1), AU43=0.0, sadness=0.9, anger=0.01)
    return pd.concat([table, table.assign(input="videos/other.mp4", AU01=0.0, AU15=0.0)])


def libreface() -> pd.DataFrame:
    table = pd.DataFrame({"frame_idx": np.arange(50), "frame_time_in_ms": 1000 * TIMES})
    return table.assign(au_1_intensity=course(3.0), au_15_intensity=course(3.5), facial_expression="Sadness")


@pytest.mark.parametrize("tool", [openface, py_feat, libreface])
def test_cues_of_each_tool_become_the_same_words(tool, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    tool().to_csv(path, index=False)
    gaps = gaps_of("c", [0.5, 1.5], 2.0)
    summaries = MotionSummarizer(cues=str(path if tool is py_feat else tmp_path)).summarize(CLIP, Path("c.mp4"), gaps)
    assert [summary.changed for summary in summaries] == [False, True, False]
    text = summaries[1].text
    assert "inner brows rise, mouth corners pull down (brief, peak 1.00 s)." in text
    assert find_leaks(text) == []
    (event,) = summaries[1].events
    assert (event.onset_s, event.offset_s) == (pytest.approx(0.8, abs=0.06), pytest.approx(1.2, abs=0.06))
    assert any("mouth corner" in region for region in event.regions)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns=[" AU01_r", " AU04_r", " AU15_r"]), r"c\.csv: no intensity column; expected AU01_r"),
        (lambda t: t.drop(columns=[" timestamp", "frame"]), r"c\.csv: no column timestamp or frame"),
        (lambda t: t.assign(**{" AU01_r": 60.0}), r"c\.csv: column AU01_r: values 60 to 60, expected 0 to 5"),
        (lambda t: t.assign(**{" AU04_r": ["x", *[1.0] * 49]}), r"column AU04_r: 'x' in row 2 is not a number; mend"),
        (lambda t: t.assign(**{" success": 0}), r"c\.csv: no frame in which a face was seen"),
    ],
)
def test_a_wrong_cue_file_is_named_with_its_column(change, message: str, tmp_path: Path) -> None:
    change(openface()).to_csv(tmp_path / "c.csv", index=False)
    with pytest.raises(ClipError, match=message):
        MotionSummarizer(cues=str(tmp_path)).summarize(CLIP, Path("c.mp4"), gaps_of("c", [1.0], 2.0))


def test_cues_come_through_the_stage_and_count_in_the_fingerprint(source: Path, tmp_path: Path) -> None:
    data = framed(source, tmp_path / "d", "c.mp4")
    cues = tmp_path / "cues"
    with pytest.raises(FileNotFoundError, match="no CSV file there"):
        summarize_clips(data, shards=1, workers=1, limit_s=None, cues=str(cues))
    cues.mkdir()
    for peak in (3.0, 2.0):
        openface().assign(**{" AU15_r": course(peak)}).to_csv(cues / "c.csv", index=False)
        summarize_clips(data, shards=1, workers=1, limit_s=None, cues=str(cues))
    folders = list((data / "summaries").iterdir())
    assert len(folders) == 2, "other cues, other folder"
    for folder in folders:
        assert any("mouth corners pull down" in summary.text for summary in load_summaries(data, folder.name)["c"])
    (cues / "c.csv").rename(cues / "d.csv")
    with pytest.raises(ClipError, match=r"no cue file for this clip; expected c\.csv"):
        MotionSummarizer(cues=str(cues)).summarize(CLIP, Path("c.mp4"), gaps_of("c", [1.0], 2.0))


def test_cues_that_nothing_reads_are_refused() -> None:
    assert ContextArguments(cues="cues").cues == "cues"
    with pytest.raises(ValueError, match="only summarizer: motion reads them"):
        ContextArguments(cues="cues", summarizer="vlm")
    with pytest.raises(ValueError, match="cues: cues needs summaries"):
        ContextArguments(cues="cues", context="none")


def test_a_recipe_says_what_counts_as_motion_and_by_which_evidence(landmarker_weights: Path) -> None:
    said = {"spotting": {"most": 4}, "evidence": "both"}
    recipe = parse_recipe({"model_name_or_path": "tiny", "use_cpu": True, "summarizer_options": said})
    made = make_backend("motion", summary_options(recipe.context))
    assert (made.settings()["spotting"]["most"], made.evidence) == (4, "both")
    assert ("landmarker", True) in [(one.name, one.face) for one in wanted(recipe)], "a job finds it without a network"
    assert wanted(parse_recipe({"model_name_or_path": "tiny", "use_cpu": True})) == []
    for given, message in (
        (
            {"summarizer_options": {"model": "x"}},
            "model: summarizer: motion has no such option; it knows spotting, evidence",
        ),
        ({"summarizer_options": {"evidence": "shapes"}}, "evidence: 'shapes'"),
        ({"summarizer_options": {"spotting": {"most": 1.5}}}, "most: 1.5; expected a whole number"),
        ({"summarizer_options": {"evidence": "both"}, "cues": "c.csv"}, "is the evidence; remove one"),
        ({"leakage": "drop"}, "leakage is of text back ends"),
    ):
        with pytest.raises(ValueError, match=message):
            ContextArguments(**given)


def test_thresholds_of_a_recipe_replace_those_that_were_tuned_and_name_other_summaries() -> None:
    strict = make_backend("motion", {"spotting": {"hold_threshold": 50, "burst_threshold": 50.0, "most": 2}})
    tuned = make_backend("motion", {})
    assert strict.settings()["spotting"] == {**tuned.settings()["spotting"], "hold_threshold": 50} | {
        "burst_threshold": 50.0,
        "most": 2,
    }
    for odd, message in (
        ({"hold_treshold": 1}, "unknown threshold 'hold_treshold'; did you mean 'hold_threshold'"),
        ({"most": 1.5}, "most: 1.5; expected a whole number above 0"),
        ({"burst_s": -1}, "burst_s: -1; expected a number above 0"),
        (3, "3: expected thresholds by name"),
    ):
        with pytest.raises(ValueError, match=message):
            make_backend("motion", {"spotting": odd})
