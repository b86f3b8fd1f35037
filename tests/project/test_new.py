"""A new project runs as it is written, outside the clone, and nothing of anybody's is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from emotrain.cli import app
from emotrain.launch.profile import load_profile
from emotrain.metrics.predictions import read_predictions
from emotrain.project.new import new_project
from emotrain.recipe.recipe import RecipeError, load_recipe
from emotrain.study.settings import read_study


def ran(*words: str) -> str:
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere") / "mine"
    ran("new", str(folder))
    return folder


def test_the_way_in_its_readme_runs_on_its_sample(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    ran("prep", "on_cpu.yaml", "--workers", "1", "--prep_shards", "1")
    ran("train", "on_cpu.yaml", "--max_steps", "2", "--disable_tqdm", "true")
    ran("evaluate", "on_cpu.yaml", "--adapter", "runs/on_cpu", "--out", "scores", "--resamples", "50", "--no-report")
    scored = read_predictions(Path("scores/predictions.parquet"))
    assert scored.labels == ("happiness", "surprise", "disgust")
    assert len(scored) == 6


def test_its_recipe_study_and_profile_can_be_used(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    recipe = load_recipe(Path("recipe.yaml"))
    assert recipe.model.model_name_or_path == "Qwen/Qwen2.5-VL-3B-Instruct"
    assert recipe.data.label_set == load_recipe(Path("on_cpu.yaml")).data.label_set
    study = read_study(Path("study.yaml"))
    assert study.recipe == project / "on_cpu.yaml"
    assert study.contrasts
    assert load_profile(Path("cluster.yaml")).partition is not None
    for command in Path("README.md").read_text(encoding="utf-8").split("```bash\n")[1:]:
        for line in command.partition("```")[0].splitlines():
            verb, *files = (word for word in line.split()[1:] if word.endswith(".yaml") or word.isalpha())
            assert verb in {command.name or command.callback.__name__ for command in app.registered_commands}  # type: ignore[union-attr]
            assert all(Path(file).exists() for file in files if file.endswith(".yaml")), line


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="holds something already"):
        new_project(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_a_shipped_base_is_found_from_any_folder_and_a_wrong_name_says_where_it_was_looked_for(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("base: emotrain:tiny/base.yaml\nlora_r: 3\n", encoding="utf-8")
    assert load_recipe(file).model.model_name_or_path == "tiny"
    file.write_text("base: emotrain:tiny/bass.yaml\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"mine\.yaml: base: emotrain:tiny/bass\.yaml: .* not at"):
        load_recipe(file)
