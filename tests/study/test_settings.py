"""Study files: the grid they stand for, and every fault said at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import emotrain.recipe.recipe as recipe_module
from emotrain.recipe.recipe import Recipe, load_recipe
from emotrain.study.cells import cells, frames_name, group_count, groups, slug, yaml_word
from emotrain.study.gather import gather
from emotrain.study.settings import StudyError, read_study

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "studies").glob("*.yaml"))


SIZES = {"train": 22, "validation": 22, "test": 22, "seed": 0}


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
        assert cell.run.recipe.sft.seed == cell.seed
    assert len({cell.run.scores for cell in every}) == len(every)
    assert len(groups(every)) == group_count(study)
    assert study.contrasts, "what a shipped study tests is declared"
    assert len(study.seeds) >= 3
    if not any(arm.keys.get("sampling") == "natural" for arm in study.arms):
        return  # nothing there is about balance
    natural = {arm.adapter_of for arm in study.arms if arm.keys.get("posthoc") == "training_prior"}
    assert natural == {arm.adapter_of for arm in study.arms if arm.keys.get("head") == "crt"} != set()


def test_a_study_is_the_grid_of_arms_folds_and_seeds(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, folds=[1, 2]))
    every = cells(study)
    assert len(every) == 7 * 2 * 2
    one = next(c for c in every if c.arm.name == "dropped 0.5" and c.fold == 2 and c.seed == 1)
    recipe = one.run.recipe
    assert (recipe.data.fold, recipe.sft.seed, recipe.balance.sampling_seed) == (2, 1, 1)
    assert (recipe.context.corrupt_summaries, recipe.context.corrupt_share) == ("drop", 0.5)
    source = next(c for c in every if c.arm.name == "enriched + balanced" and c.fold == 2 and c.seed == 1)
    assert one.run.adapter == source.run.output
    assert recipe.balance.sampling == source.run.recipe.balance.sampling == "class_balanced"
    assert "train" not in [command[3] for command in one.run.commands()]
    assert [command[3] for command in source.run.commands()] == ["train", "evaluate"]


def test_a_cell_has_the_recipe_that_its_commands_will_read(tmp_path: Path) -> None:
    for cell in cells(read_study(write(tmp_path, seeds=[0], out=str(tmp_path / "an: odd, out")))):
        held = cell.run.recipe
        assert held.path is not None
        read = load_recipe(held.path, cell.run.overrides)
        assert read.values == held.values
        for part in ("data", "context", "balance", "evaluation", "model"):
            assert getattr(read, part) == getattr(held, part)
        assert (read.sft.output_dir, read.sft.seed) == (held.sft.output_dir, held.sft.seed)
        assert Path(read.data.data).name == frames_name(read.data.frame_settings())
        assert (cell.run.name, cell.run.output) == (cell.arm.name, cell.run.scores.parent / "adapter")
        for command in cell.run.commands():
            assert " ".join(cell.run.overrides) in " ".join(command)


def test_the_recipe_of_a_cell_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[Path | None] = []
    parse = recipe_module.parse_recipe

    def counted(values: Mapping[str, Any], path: Path | None = None) -> Recipe:
        parsed.append(path)
        return parse(values, path)

    monkeypatch.setattr(recipe_module, "parse_recipe", counted)
    study = read_study(write(tmp_path))
    assert group_count(study) == 10
    assert parsed == []
    every = cells(study)
    for cell in every:
        cell.run.recipe.save(cell.run.scores)
        adapter = cell.run.output if cell.run.trained else cell.run.adapter
        about = {"adapter": None if adapter is None else str(adapter)}
        (cell.run.scores / "metrics.json").write_text(json.dumps(about), encoding="utf-8")
    assert len(groups(every)) == 10
    assert all(cell.run.is_done() for cell in every)
    for cell in every:
        if cell.seed == 0:
            (cell.run.scores / "metrics.json").unlink()
    assert gather(study, every).missing == {arm.name: ("seed 0",) for arm in study.arms}
    assert len(parsed) == len(every) == 14


def test_arms_with_other_frames_have_other_data_folders(tmp_path: Path) -> None:
    folders = {c.arm.name: c.run.recipe.data.data for c in cells(read_study(write(tmp_path)))}
    assert folders["sparse"] == folders["enriched + balanced"] == folders["dropped 1"]
    assert len({folders["sparse"], folders["at fps:1"], folders["at fps:5"]}) == 3


def test_groups_cover_the_study_once_and_keep_an_adapter_with_those_that_are_scored_with_it(tmp_path: Path) -> None:
    every = cells(read_study(write(tmp_path)))
    found = [cell.run.scores for group in groups(every) for cell in group]
    assert sorted(found) == sorted(cell.run.scores for cell in every)
    for group in groups(every):
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
        ({"folds": [1, 1]}, r"folds: \[1, 1\]; .*each once"),
        ({"seeds": [0, 0]}, r"seeds: \[0, 0\]; .*each once"),
        ({"recipe": None}, "recipe: None; expected text"),
        ({"out": None}, "out: None; expected text"),
        ({"title": 5}, "title: 5; expected text"),
        ({"notes": "One sentence."}, "notes: 'One sentence.'; expected a list of sentences"),
        ({"arms": {"sparse": {"each": {"seed": [1, 2]}}}}, "each: seed is set by the study itself"),
        ({"arms": {"sparse": {"each": {"fold": [1, 2]}}}}, "each: fold is set by the study itself"),
        ({"arms": {"sparse": {"each": {"corrupt_share": []}}}}, "each: corrupt_share: no values, so no arm"),
        ({"arms": {"sparse": {"each": {"baseline": ["tfidf"]}}}}, "each: baseline: expected a recipe key"),
        ({"arms": {"sparse": {"tau": 1, "each": {"tau": [1, 2]}}}}, "each: tau: expected .* not give besides"),
        ({"arms": {"sparse": {"each": None}}}, "sparse: each: null says nothing; remove it"),
        ({"arms": {"sparse": {"baseline": None}}}, "sparse: baseline: null says nothing; remove it"),
        ({"arms": {"sparse": {}, "x": {"adapter_of": None}}}, "x: adapter_of: null says nothing; remove it"),
        ({"arms": {"sparse": {}, "x": {"adapter_of": 5}}}, "x: adapter_of: no arm 5; known: sparse, x"),
        ({"clips": {"train": 3}}, "clips: "),
        ({"clips": {**SIZES, "style": "bronze"}}, "clips: style 'bronze'; expected one of known, shaded"),
        ({"clips": {**SIZES, "grade": "hard"}}, "clips: grade without style"),
        ({"keys": {"seed": 3}}, "keys: seed is set by the study itself"),
        ({"arms": {"sparse": {"adapter_of": "nobody"}}}, "adapter_of: no arm 'nobody'"),
        ({"arms": {"sparse": {"train": False}, "x": {"adapter_of": "sparse"}}}, "is not trained and has no adapter"),
        ({"arms": {"sparse": {"train": True}}}, "trained unless it says"),
        ({"arms": {"sparse": {"baseline": "tf-idf"}}}, "baseline 'tf-idf'; did you mean 'tfidf'"),
        ({"arms": {"sparse": {"baseline": "tfidf", "train": False}}}, "exclude one another"),
        ({"arms": {"sparse": {"server": {"base_url": "http://a/v1"}}}}, "sparse: server: model: missing"),
        ({"arms": {"sparse": {"each": {"a": 1}}}}, "expected one key with a list"),
        ({"arms": []}, "arms: expected"),
        ({"arms": {"sparse": {}, "Sparse": {}}}, "would share the folder 'sparse'"),
        ({"keys": {"sampling_seed": 3}}, "keys: sampling_seed is set by the study itself"),
        ({"keys": {"root": "x"}, "clips": SIZES}, "keys: root is set .* draws its clips"),
        ({"arms": {"sparse": {"root": "x"}}, "clips": SIZES}, "arms: sparse: root is set .* draws its clips"),
    ],
)
def test_a_fault_is_named_with_its_remedy(tmp_path: Path, values: dict[str, object], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        read_study(write(tmp_path, **values))


def test_faults_of_recipes_name_their_arms_all_at_once(tmp_path: Path) -> None:
    arms = {"sparse": {"contxt": "none"}, "a": {"samplng": "natural"}, "b": {"samplng": "natural"}}
    with pytest.raises(StudyError) as error:
        cells(read_study(write(tmp_path, arms=arms, keys={"epoch": 3})))
    first, *faults = str(error.value).splitlines()
    assert first.startswith(f"{tmp_path / 'study.yaml'}: 3 fault(s) in {ROOT / 'recipes/tiny/base.yaml'}")
    assert sorted(faults) == [
        "  - arms: a, b: unknown key 'samplng'; did you mean 'sampling'?",
        "  - arms: sparse: unknown key 'contxt'; did you mean 'context'?",
        "  - every arm: unknown key 'epoch'; did you mean 'epochs'?",
    ]
    with pytest.raises(StudyError, match=r"(?s)1 fault.*every arm: .*nope\.yaml: no such recipe"):
        cells(read_study(write(tmp_path, recipe="nope.yaml")))


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as error:
        read_study(write(tmp_path, seeds=[-1], folds=["a"], reference="x"))
    assert "3 fault(s)" in str(error.value)


def test_command_line_keys_reach_every_arm_unless_the_study_sets_them(tmp_path: Path) -> None:
    study = read_study(write(tmp_path), {"epochs": 7})
    assert {cell.run.recipe.balance.epochs for cell in cells(study)} == {7}
    with pytest.raises(StudyError, match=r"command line: seed is set by the study itself"):
        read_study(write(tmp_path), {"seed": 7})


def test_a_study_writes_beside_its_file_wherever_it_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, out="runs/mine")
    monkeypatch.chdir("/")
    assert read_study(path).out == tmp_path / "runs" / "mine"


def test_a_study_that_is_not_there_names_those_beside_it(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"other\.yaml: no such study; beside it: study\.yaml"):
        read_study(tmp_path / "other.yaml")


def test_values_travel_as_one_word_and_names_as_folders() -> None:
    for value in ("fps:5", 0.25, 3, True, None, "a: b", [1, 2], "é"):
        assert yaml.safe_load(yaml_word(value)) == value
    assert slug("enriched + balanced") == "enriched-balanced"
    assert len({slug(name) for name in ("tau -1", "tau 1", "恐惧", "愤怒")}) == 4


@pytest.mark.parametrize(
    ("arm", "why"),
    [
        ({"sampling": "class_balanced"}, "sampling: class_balanced"),
        ({"sampling": "natural", "loss": "balanced_softmax"}, "loss: balanced_softmax"),
        ({"train": False}, "the arm is not trained"),
    ],
)
def test_a_prior_that_an_arm_has_no_more_is_a_fault_before_anything_runs(
    tmp_path: Path, arm: dict[str, Any], why: str
) -> None:
    arms = {"sparse": {"context": "none", "sampling": "natural"}, "less prior": {"posthoc": "training_prior", **arm}}
    with pytest.raises(StudyError, match=f"less prior: posthoc: training_prior .*{why}"):
        cells(read_study(write(tmp_path, arms=arms)))
    free = {"adapter_of": "sparse", "posthoc": "training_prior"}
    assert cells(read_study(write(tmp_path, arms={"sparse": arms["sparse"], "free": free})))


def test_contrasts_are_declared_with_their_figure_and_margin(tmp_path: Path) -> None:
    said = {"contrasts": [["sparse", "enriched + balanced"], ["sparse", "zero-shot", "tail_f1"]], "primary": "war"}
    said |= {"equivalences": [["sparse", "at fps:5"]], "margin": 3}
    study = read_study(write(tmp_path, **said))
    assert [(one.second, one.figure, one.margin) for one in study.contrasts] == [
        ("enriched + balanced", "war", None),
        ("zero-shot", "tail_f1", None),
        ("at fps:5", "war", 0.03),
    ]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"contrasts": [["sparse", "enriched"]]}, "no arm 'enriched'; known: at fps:1"),
        ({"contrasts": [["sparse", "sparse"]]}, "'sparse' is compared with itself"),
        ({"contrasts": [["sparse", "zero-shot", "tail"]]}, "'tail' is no figure of the table"),
        ({"contrasts": [["sparse", "zero-shot"], ["sparse", "zero-shot"]]}, "listed twice"),
        ({"contrasts": ["sparse"]}, r"'sparse'; expected \[arm, arm\]"),
        ({"primary": "accuracy"}, "primary: 'accuracy' is no figure"),
        ({"equivalences": [["sparse", "zero-shot"]]}, "say `margin: 3`"),
        ({"margin": 3}, "no equivalences to use it"),
        ({"margin": 0, "equivalences": [["sparse", "zero-shot"]]}, "expected points above 0"),
    ],
)
def test_a_contrast_that_cannot_be_tested_is_a_fault(tmp_path: Path, said: dict[str, Any], why: str) -> None:
    with pytest.raises(StudyError, match=why):
        read_study(write(tmp_path, **said))


@pytest.mark.parametrize(
    ("fresh", "why"),
    [
        ({"test": 22, "seeds": [5]}, "two or more, each once"),
        ({"test": 22, "seeds": [0, 1]}, "seed 0 is that of `clips`"),
        ({"seeds": [1, 2]}, "expected a number of test clips"),
        ([1, 2], "expected a number of test clips"),
    ],
)
def test_fresh_clips_are_of_seeds_used_nowhere_else(tmp_path: Path, fresh: Any, why: str) -> None:
    with pytest.raises(StudyError, match=why):
        read_study(write(tmp_path, clips=SIZES, fresh=fresh))
    with pytest.raises(StudyError, match="it needs `clips`"):
        read_study(write(tmp_path, fresh={"test": 22, "seeds": [1, 2]}))
