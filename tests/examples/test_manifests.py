"""What a run reads is what its recipe names: the draws, the frames, the labels, the figures it chooses by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emotrain.atomic_files import write_table
from emotrain.balance.draw_settings import DrawSettings
from emotrain.balance.drawable import drawable_clips
from emotrain.balance.manifest import ManifestError, build_manifest, write_manifest
from emotrain.examples.manifests import checked_manifest, ensure_manifest, manifest_path, train_counts
from emotrain.examples.prepared import check_prepared
from emotrain.recipe.recipe import Recipe, load_recipe
from emotrain.training.validation import check_choice


@pytest.fixture
def recipe_of(bench: Any, tmp_path: Path) -> Any:
    """Loads a recipe on data of the test's own: links to the bench's, with another frames.json and other manifests."""
    data = tmp_path / "data"
    (data / "frames").mkdir(parents=True)
    for file in (*bench.data.glob("*.parquet"), *bench.data.glob("frames/*.parquet")):
        (data / file.relative_to(bench.data)).symlink_to(file)
    (data / "frames" / "frames.json").write_text((bench.data / "frames" / "frames.json").read_text(encoding="utf-8"))

    def load(**values: Any) -> Recipe:
        return load_recipe(bench.recipe(tmp_path / "recipes", **{"data": str(data), **values}))

    return load


def test_a_manifest_of_other_settings_under_the_recipes_name_is_not_trained_on(recipe_of: Any) -> None:
    recipe = recipe_of(sampling="class_balanced", epochs=1)
    path = manifest_path(recipe)
    clips, _ = drawable_clips(Path(recipe.data.data))
    write_manifest(build_manifest(clips, DrawSettings("natural", epochs=3, seed=77)), path)
    remedy = r"seed 77 there, 0 now.*delete it and draw it again with `emotrain prep RECIPE --stage manifest`"
    for use in (checked_manifest, ensure_manifest):
        with pytest.raises(ManifestError, match=f"strategy 'natural' there, 'class_balanced' now.*{remedy}"):
            use(recipe)
    path.unlink()
    assert ensure_manifest(recipe) == path
    assert checked_manifest(recipe).epochs == 1
    path.with_suffix(".json").unlink()  # half of it is none
    ensure_manifest(recipe)
    checked_manifest(recipe)


def test_a_class_that_cannot_keep_the_cap_is_told_when_the_manifest_is_drawn(
    recipe_of: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = recipe_of(group_by="subject", group_cap=0.2)
    with pytest.raises(ValueError, match="no clip has a subject"):
        ensure_manifest(recipe)
    index = Path(recipe.data.data) / "clips.parquet"
    table = pq.read_table(index)
    index.unlink()
    alone = pa.array(["alone"] * len(table))
    write_table(table.set_column(table.column_names.index("subject"), "subject", alone), index)
    path = ensure_manifest(recipe)
    assert f"{path.name}: anger: too few groups by subject for a cap of 20%" in capsys.readouterr().err
    assert json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["over_cap"]["anger"] == 1.0


@pytest.mark.parametrize(
    ("stored", "values", "message"),
    [
        ({"quality": 50}, {}, "quality 50 on disk, 95 in the recipe"),
        ({"crop": "centre"}, {}, "crop 'centre' on disk, 'none' in the recipe"),
        ({"between": 0}, {"between": 4}, "between 0 on disk, 4 in the recipe"),
        ({"between": 4}, {"between": -1, "keyframe_policy": "stratified"}, "between 4 on disk, None in the recipe"),
        ({"between": 4}, {"between": 0}, None),
        ({"between": None}, {"between": 4}, None),
    ],
)
def test_frames_of_other_settings_are_refused_and_more_between_them_are_not(
    recipe_of: Any, stored: dict[str, Any], values: dict[str, Any], message: str | None
) -> None:
    recipe = recipe_of(**values)
    header = Path(recipe.data.data) / "frames" / "frames.json"
    settings = json.loads(header.read_text(encoding="utf-8"))["settings"] | stored
    settings["policy"] = values.get("keyframe_policy", settings["policy"])
    header.write_text(json.dumps({"settings": settings}), encoding="utf-8")
    if message is None:
        check_prepared(recipe)
    else:
        with pytest.raises(ValueError, match=message):
            check_prepared(recipe)


def test_a_foreign_label_set_names_the_clip(recipe_of: Any) -> None:
    with pytest.raises(ValueError, match=r"clip 'clip\d\d': label '\w+' is not in the label set; "):
        train_counts(recipe_of(label_set="calm, tense"))


def test_a_figure_without_validation_clips_chooses_no_checkpoint(recipe_of: Any) -> None:
    """DFEW has seven labels and the bench four: surprise, disgust and fear are the tail and nobody shows them."""
    chosen = {"eval_strategy": "steps", "eval_steps": 2, "load_best_model_at_end": True}
    for figure in ("tail_f1", "eval_tail_recall"):
        with pytest.raises(ValueError, match=rf"{figure}' is of surprise, disgust, fear, and no validation clip is"):
            check_choice(recipe_of(metric_for_best_model=figure, **chosen))
    for figure in ("uar", "head_f1"):
        check_choice(recipe_of(metric_for_best_model=figure, **chosen))
