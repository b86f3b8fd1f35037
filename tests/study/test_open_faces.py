"""The study of open faces, on rendered clips in the official layout."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from open_faces import write_crema_d, write_study

from emotrain.context.summarize import load_summaries
from emotrain.datasets.clips import read_index
from emotrain.preparation.prepare import prepare
from emotrain.study.cells import cells
from emotrain.study.settings import read_study


def test_the_study_prepares_unseen_actors_and_a_long_tail(tmp_path: Path, face_weights: Path) -> None:
    (tmp_path / "videos").mkdir()
    write_crema_d(tmp_path / "videos", actors=5, size=96)
    every = cells(read_study(write_study("crema_d", tmp_path / "videos", tmp_path, folds=2)))
    assert {cell.fold for cell in every} == {1, 2}
    recipe = next(cell for cell in every if cell.arm.name == "enriched + balanced").run.recipe
    prepare(recipe, workers=2, max_bad_share=0.0)
    data = Path(recipe.data.data)
    index = read_index(data)
    train, test = (index.select(split, recipe.data.fold) for split in ("train", "test"))
    assert not {clip.subject for clip in train} & {clip.subject for clip in test}
    assert len(set(Counter(clip.label for clip in test).values())) == 1
    sizes = sorted(Counter(clip.label for clip in train).values())
    assert sizes[0] < sizes[-1], "the tail is cut out of train"
    assert any(summary.changed for gaps in load_summaries(data, "motion").values() for summary in gaps)
