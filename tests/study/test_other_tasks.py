"""The shipped studies of other tasks and of rival carriers, rehearsed at their smallest size by the real commands."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from emotrain.context.prompt import prompt_text
from emotrain.context.summarize import load_summaries
from emotrain.emotions import label_set
from emotrain.examples.examples import Examples
from emotrain.examples.input_contract import input_contract, read_contract
from emotrain.inference.input_settings import settle, summarizer_of
from emotrain.preparation.prepare import prepare
from emotrain.recipe.recipe import parse_recipe, read_values
from emotrain.study.run import run_study
from emotrain.study.settings import read_study

ROOT = Path(__file__).parents[2]


def small(tmp_path: Path, name: str, arms: tuple[str, ...]) -> Path:
    """The shipped study with few clips and steps, and some of its arms."""
    values = read_values(ROOT / "studies" / f"{name}.yaml")
    drawn = values["clips"].get("label_set", "mafw")
    labels = len(label_set(drawn).labels)
    values |= {
        "recipe": str(ROOT / "recipes/tiny/base.yaml"),
        "out": str(tmp_path / "out"),
        "clips": {"train": 2 * labels, "validation": 2 * labels, "test": 2 * labels, "seed": 0, "label_set": drawn},
        "keys": {**values["keys"], "epochs": 1, "max_steps": 1, "resamples": 50, "per_device_train_batch_size": 2},
        "seeds": [0],
        "arms": {arm: values["arms"][arm] for arm in arms},
        "reference": arms[0],
        "contrasts": [pair for pair in values["contrasts"] if set(pair) <= set(arms)],
    }
    file = tmp_path / f"{name}.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("name", "arms"),
    [("actions", ("enriched", "another clip's summaries")), ("carriers", ("numbers", "contact sheet"))],
)
def test_a_study_runs_with_its_arms_and_controls(tmp_path: Path, name: str, arms: tuple[str, ...]) -> None:
    study = read_study(small(tmp_path, name, arms))
    run_study(study, workers=1)
    page = (study.out / "results.md").read_text(encoding="utf-8")
    assert all(arm in page for arm in arms)


def test_an_event_recipe_asks_its_question_tells_the_scene_and_says_so_in_its_contract(tmp_path: Path) -> None:
    study = read_study(small(tmp_path, "events", ("sparse", "enriched")))
    run_study(study, workers=1, prepare_only=True)
    data = next((study.out).rglob("clips.parquet")).parent
    recipe = parse_recipe(
        {**read_values(study.recipe), **study.keys, "data": str(data), "root": None, "output_dir": str(tmp_path / "o")}
    )
    prepare(recipe, stage="summaries", workers=1)
    examples = Examples(recipe.data, recipe.context, label_set("events").labels)
    told = load_summaries(data, "grid")
    changed = next(clip_id for clip_id, gaps in told.items() if any(gap.changed for gap in gaps))
    text = prompt_text(examples.messages(changed)[0])
    assert "in which half of the clip? Options: early flash, late flash, early knock, late knock, nothing." in text
    assert "something shakes" in text or "gets brighter" in text
    contract = input_contract(recipe)
    contract.save(tmp_path)
    settled = settle(read_contract(tmp_path), {}, adapter="x")
    built = summarizer_of(settled)
    assert built is not None
    assert built.name == "grid"
    assert settled.prompt["question"] == "event"


def test_objects_are_drawn_in_no_style() -> None:
    from emotrain.synthetic.clip_set import write_clip_set

    with pytest.raises(ValueError, match="no style and no scene"):
        write_clip_set(Path("x"), label_set="actions", style="known")
