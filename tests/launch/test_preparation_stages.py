"""One stage or one shard of a recipe's preparation, as an array task runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emotrain.preparation.prepare import prepare
from emotrain.recipe.recipe import load_recipe


@pytest.mark.parametrize(
    ("stage", "shard", "said"),
    [
        ("frame", None, "did you mean 'frames'"),
        (None, (0, 4), "--shard needs --stage faces or --stage frames"),
        ("index", (0, 4), "--shard needs --stage faces or --stage frames"),
        ("frames", (0, 5), "prep_shards: 4"),
    ],
)
def test_a_stage_or_shard_that_the_recipe_does_not_know_is_refused(
    desk: Any, stage: str | None, shard: tuple[int, int] | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        prepare(load_recipe(desk.recipe, desk.words), stage=stage, shard=shard)
    assert not (desk.folder / "data").exists()


def test_a_stage_alone_does_that_and_no_more(desk: Any, tmp_path: Path) -> None:
    from emotrain.synthetic.clip_set import write_clip_set

    write_clip_set(tmp_path / "clips", train=22, validation=22, test=22, seed=3, workers=1)
    words = [*desk.words, "--root", str(tmp_path / "clips"), "--keyframes", "2"]
    recipe = load_recipe(desk.recipe, words)
    data = prepare(recipe, stage="index")
    assert sorted(path.name for path in data.iterdir()) == ["clips.digests.json", "clips.parquet", "index_report.json"]
    prepare(recipe, stage="frames", shard=(2, 4), workers=1)
    assert [path.name for path in (data / "frames").glob("*.parquet")] == ["part-00002-of-00004.parquet"]
    assert not (data / "summaries").exists()
    assert not (data / "manifests").exists()
