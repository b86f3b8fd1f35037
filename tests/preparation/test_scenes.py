"""The whole way from clips in scenes: faces found, frames along them, words about them, none about faceless clips."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from emotrain.context.summarize import load_summaries
from emotrain.examples.input_contract import input_contract
from emotrain.faces.check import CHECKED, check_crops
from emotrain.faces.store import FaceStore
from emotrain.preparation.prepare import prepare
from emotrain.recipe.recipe import Recipe, load_recipe
from emotrain.synthetic.clip_set import write_clip_set
from emotrain.synthetic.scene_plan import SceneSettings
from emotrain.video.frame_store import FrameStore

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory, face_weights: Path, real_faces: Path) -> Path:
    """A synthetic set filmed in scenes, in which one clip is a title card."""
    home = tmp_path_factory.mktemp("scenes")
    write_clip_set(home / "clips", train=22, validation=0, test=0, seed=3, workers=1, scenes=SceneSettings(width=320))
    first = sorted((home / "clips" / "scenes").glob("*.mp4"))[0]
    first.unlink()
    shutil.copy(real_faces / "no_face.mp4", first)
    return home


def recipe(home: Path, data: str, **values: object) -> Recipe:
    given = {"data": home / data, "root": home / "clips", "media": "scenes", "crop": "face", "prep_shards": 2} | values
    words = [word for key, value in given.items() for word in (f"--{key}", str(value))]
    return load_recipe(ROOT / "recipes/tiny/enriched_balanced.yaml", words)


def test_a_clip_without_a_face_is_left_out_once_and_named_in_every_stage(scenes: Path) -> None:
    mine = recipe(scenes, "face")
    data = prepare(mine, workers=1)
    found = {name: json.loads((data / name / "report.json").read_text()) for name in ("faces", "frames")}
    assert sum(found["faces"]["quarantined"].values()) >= 1
    assert found["frames"]["left_out_before"] == found["faces"]["quarantined"]
    assert found["frames"]["bad_share"] == 0
    faces, frames = FaceStore(data / "faces"), FrameStore(data / "frames")
    assert set(faces.clip_ids()) == set(frames.clip_ids())
    summaries = load_summaries(data, "motion")
    assert set(summaries) == set(frames.clip_ids())
    assert all(summary.seen_share is not None for told in summaries.values() for summary in told)
    for clip_id in frames.clip_ids():
        path = faces.of(clip_id).path()
        assert path is not None
        assert path.seen_at([frame.time_s for frame in frames.keyframes(clip_id)]).all()
    contract = input_contract(mine)
    assert contract.frames["crop"] == "face"
    assert contract.faces["digest"]


def test_every_view_is_a_square_of_the_same_side(scenes: Path) -> None:
    import io

    from PIL import Image

    for view in ("scene", "both"):
        data = prepare(recipe(scenes, view, view=view, context="none"), workers=1)
        store = FrameStore(data / "frames")
        sizes = {Image.open(io.BytesIO(f.image)).size for c in store.clip_ids() for f in store.keyframes(c)}
        assert len(sizes) == 1
        assert len(set(sizes.pop())) == 1


def test_scenes_that_are_taken_for_aligned_crops_are_warned_about(
    scenes: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = prepare(recipe(scenes, "none", crop="none", context="none"), workers=1, max_bad_share=1.0)
    found = check_crops(data)
    assert found is not None
    assert found.share is not None
    assert found.share < 0.5
    assert "say crop: face in the recipe" in caplog.text
    assert json.loads((data / CHECKED).read_text())["in_place"] == found.in_place


def test_the_report_of_a_run_names_the_clips_without_a_face_and_leads_to_their_page(
    scenes: Path, tmp_path: Path
) -> None:
    from emotrain.evaluation.run_report import _faces
    from emotrain.faces.report import write_report

    mine = recipe(scenes, "face")
    data = prepare(mine, workers=1)
    (note,) = _faces(mine, tmp_path)
    assert f"`emotrain faces report {data}`" in note
    page = write_report(data, clips=2)
    (note,) = _faces(mine, tmp_path)
    link = str(note).partition('href="')[2].partition('"')[0]
    assert (tmp_path / link).resolve() == page.resolve()
