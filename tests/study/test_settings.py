"""Study files: the grid they stand for, and every fault said at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from emotrain.study.cells import cells, groups, shard_of_groups, slug, yaml_word
from emotrain.study.settings import StudyError, read_study

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "studies").glob("*.yaml"))


def write(folder: Path, **values: object) -> Path:
    """A small valid study with `values` over it."""
    plain = {
        "recipe": str(ROOT / "recipes" / "tiny" / "base.yaml"),
        "out": str(folder / "out"),
        "reference": "sparse",
        "seeds": [0, 1],
        "arms": {
            "sparse": {"context": "none"},
            "enriched + balanced": {"sampling": "class_balanced"},
            "dropped": {
                "adapter_of": "enriched + balanced",
                "corrupt_summaries": "drop",
                "each": {"corrupt_share": [0.5, 1.0]},
            },
            "zero-shot": {"train": False},
            "at": {"context": "none", "each": {"keyframe_policy": ["fps:1", "fps:5"]}},
        },
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump({**plain, **values}), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_shipped_study_parses_and_each_of_its_recipes_too(path: Path) -> None:
    study = read_study(path)
    every = cells(study)
    assert len(every) == len(study.arms) * len(study.folds) * len(study.seeds)
    for cell in every[:: max(len(study.seeds) * len(study.folds), 1)]:
        assert cell.recipe().sft.seed == cell.seed
    assert len({cell.run.scores for cell in every}) == len(every)


def test_a_study_is_the_grid_of_arms_folds_and_seeds(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, folds=[1, 2]))
    every = cells(study)
    assert len(every) == 7 * 2 * 2
    one = next(c for c in every if c.arm.name == "dropped 0.5" and c.fold == 2 and c.seed == 1)
    recipe = one.recipe()
    assert (recipe.data.fold, recipe.sft.seed, recipe.balance.sampling_seed) == (2, 1, 1)
    assert (recipe.context.corrupt_summaries, recipe.context.corrupt_share) == ("drop", 0.5)
    source = next(c for c in every if c.arm.name == "enriched + balanced" and c.fold == 2 and c.seed == 1)
    assert one.run.adapter == source.run.output
    assert recipe.balance.sampling == source.recipe().balance.sampling == "class_balanced"
    assert "train" not in [command[3] for command in one.run.commands()]
    assert [command[3] for command in source.run.commands()] == ["train", "evaluate"]


def test_arms_with_other_frames_have_other_data_folders(tmp_path: Path) -> None:
    folders = {c.arm.name: c.recipe().data.data for c in cells(read_study(write(tmp_path)))}
    assert folders["sparse"] == folders["enriched + balanced"] == folders["dropped 1"]
    assert len({folders["sparse"], folders["at fps:1"], folders["at fps:5"]}) == 3


def test_shards_are_whole_groups_and_cover_the_study_once(tmp_path: Path) -> None:
    study = read_study(write(tmp_path))
    found = [[cell.run.scores for cell in group] for n in range(3) for group in shard_of_groups(study, n, 3)]
    assert sorted(path for group in found for path in group) == sorted(cell.run.scores for cell in cells(study))
    for group in groups(study):
        if any(cell.arm.adapter_of for cell in group):
            assert group[0].arm.name == "enriched + balanced"
            assert [cell.arm.name for cell in group[1:]] == ["dropped 0.5", "dropped 1"]
            assert {cell.seed for cell in group} == {group[0].seed}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"arm": {}}, "unknown key 'arm'; did you mean 'arms'"),
        ({"reference": "spars"}, "no arm 'spars'; did you mean 'sparse'"),
        ({"seeds": [0.5]}, "seeds: .*whole numbers"),
        ({"folds": [0]}, "folds: .*from 1"),
        ({"clips": {"train": 3}}, "clips: "),
        ({"keys": {"seed": 3}}, "keys: seed is set by the study itself"),
        ({"arms": {"sparse": {"adapter_of": "nobody"}}}, "adapter_of: no arm 'nobody'"),
        ({"arms": {"sparse": {"train": False}, "x": {"adapter_of": "sparse"}}}, "is not trained and has no adapter"),
        ({"arms": {"sparse": {"train": True}}}, "trained unless it says"),
        ({"arms": {"sparse": {"baseline": "tf-idf"}}}, "baseline 'tf-idf'; did you mean 'tfidf'"),
        ({"arms": {"sparse": {"baseline": "tfidf", "train": False}}}, "exclude one another"),
        ({"arms": {"sparse": {"each": {"a": 1}}}}, "expected one key with a list"),
        ({"arms": []}, "arms: expected"),
        ({"arms": {"sparse": {}, "Sparse": {}}}, "would share the folder 'sparse'"),
        ({"keys": {"sampling_seed": 3}}, "keys: sampling_seed is set by the study itself"),
        ({"keys": {"root": "x"}, "clips": {"train": 22, "validation": 22, "test": 22, "seed": 0}}, "draws its clips"),
    ],
)
def test_a_fault_is_named_with_its_remedy(tmp_path: Path, values: dict[str, object], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        read_study(write(tmp_path, **values))


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as error:
        read_study(write(tmp_path, seeds=[-1], folds=["a"], reference="x"))
    assert "3 fault(s)" in str(error.value)


def test_command_line_keys_reach_every_arm_unless_the_study_sets_them(tmp_path: Path) -> None:
    study = read_study(write(tmp_path), {"epochs": 7})
    assert {cell.recipe().balance.epochs for cell in cells(study)} == {7}
    with pytest.raises(StudyError, match=r"command line: seed is set by the study itself"):
        read_study(write(tmp_path), {"seed": 7})


def test_a_study_that_is_not_there_names_those_beside_it(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"other\.yaml: no such study; beside it: study\.yaml"):
        read_study(tmp_path / "other.yaml")


def test_values_travel_as_one_word_and_names_as_folders() -> None:
    for value in ("fps:5", 0.25, 3, True, None, "a: b", [1, 2], "é"):
        assert yaml.safe_load(yaml_word(value)) == value
    assert slug("enriched + balanced") == "enriched-balanced"
    assert len({slug(name) for name in ("tau -1", "tau 1", "恐惧", "愤怒")}) == 4
