"""A recipe inherits, is overridden, and reports all its faults at once."""

from __future__ import annotations

from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from emotrain.balance.draw_settings import DrawSettings
from emotrain.doctor.packages import pinned
from emotrain.emotions import label_set
from emotrain.recipe.recipe import RecipeError, load_recipe, parse_overrides, parse_recipe, read_values
from emotrain.recipe.trl_keys import HONOURED, REFUSED

RECIPES = sorted((Path(__file__).parents[2] / "recipes").rglob("*.yaml"))


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_shipped_recipe_parses_and_is_at_most_forty_lines(path: Path) -> None:
    recipe = load_recipe(path)
    # What several models share, and what a data set is, lies in parts/ and is inherited, never run.
    assert (recipe.model.model_name_or_path is None) == (path.parent.name == "parts")
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 40


def test_a_later_value_wins_over_its_base_and_the_command_line_over_both(tmp_path: Path) -> None:
    write(tmp_path, "root.yaml", "model_name_or_path: tiny\nkeyframes: 4\nepochs: 2\nlearning_rate: 1e-4\n")
    write(tmp_path, "middle.yaml", "base: root.yaml\nepochs: 5\n")
    leaf = write(tmp_path, "leaf.yaml", "base: middle.yaml\nkeyframes: 6\noutput_dir: out\n")
    recipe = load_recipe(leaf, ["--epochs", "7", "--use_cpu", "true"])
    assert (recipe.data.keyframes, recipe.balance.epochs) == (6, 7)
    assert recipe.sft.learning_rate == pytest.approx(1e-4), "1e-4 is text to YAML and a number to a recipe"


def test_of_several_bases_the_last_wins_and_anything_else_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "model.yaml", "model_name_or_path: tiny\nkeyframes: 4\nepochs: 2\n")
    write(tmp_path, "data.yaml", "keyframes: 6\nfold: 2\noutput_dir: out\n")
    leaf = write(tmp_path, "leaf.yaml", "base: [model.yaml, data.yaml]\nepochs: 5\n")
    recipe = load_recipe(leaf)
    assert (recipe.data.keyframes, recipe.data.fold, recipe.balance.epochs) == (6, 2, 5)
    for odd in ("3", "{a: b}", "[1]", "null"):
        with pytest.raises(RecipeError, match="base: expected"):
            read_values(write(tmp_path, "odd.yaml", f"base: {odd}\n"))


def test_the_resolved_recipe_gives_the_same_run_again(tmp_path: Path) -> None:
    leaf = write(tmp_path, "leaf.yaml", "model_name_or_path: tiny\nsampling: square_root\noutput_dir: out\n")
    recipe = load_recipe(leaf, ["--tau=0.5", "--loss", "logit_adjusted"])
    recipe.save(tmp_path / "run")
    again = load_recipe(tmp_path / "run" / "recipe.resolved.yaml")
    assert again.values == recipe.values
    assert again.balance == recipe.balance


def test_all_faults_are_reported_at_once_with_the_nearest_names(tmp_path: Path) -> None:
    leaf = write(
        tmp_path,
        "leaf.yaml",
        "model_name_or_path: tiny\noutput_dir: out\nlearning_ratee: 1\nsampling: class_balance\nlora_r: many\n"
        "keyframes: 0\nsplit: tset\n",
    )
    with pytest.raises(RecipeError) as caught:
        load_recipe(leaf)
    message = str(caught.value)
    for part in ("leaf.yaml", "5 fault(s)", "'learning_rate'", "'class_balanced'", "lora_r", "keyframes", "'test'"):
        assert part in message


@pytest.mark.parametrize(
    "text",
    [
        "sampling: class_balanced\nsampling_power: 0.5",  # a setting that the strategy would ignore
        "objective: tokens\nloss: focal",  # a loss that the objective would ignore
        "objective: tokens\nclass_weights: inverse_frequency",
        "label_set: mafww",
        "fold: 0",
        "prep_shards: 0",
        "assume_fps: -5",
        "tau: 0.5",
        "drw_start: 0.8",
        "num_train_epochs: 3",
        "use_peft: false",
        "packing: true",
        "loss: focal\ngamma: -1",
        "loss: logit_adjusted\ntau: .inf",
        "objective: tokens\ntargets: votes",
        "targets: soft",
    ],
)
def test_a_value_that_would_be_ignored_or_is_out_of_range_stops(tmp_path: Path, text: str) -> None:
    leaf = write(tmp_path, "leaf.yaml", f"model_name_or_path: tiny\noutput_dir: out\n{text}\n")
    with pytest.raises(RecipeError):
        load_recipe(leaf)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("keyframes: 8.5", "keyframes: 8.5 found, expected a whole number"),
        ("keyframes: null", "keyframes: null found, expected a whole number; remove the line for the default (8)"),
        ("split: null", "split: null found, expected text; remove the line for the default ('test')"),
        ("lora_r: 8.5", "lora_r: 8.5 found, expected a whole number"),
        ("lora_r: many", "lora_r: 'many' found, expected a whole number"),
        ("epochs: 2.5", "epochs: 2.5 found, expected a whole number"),
        ("fold: true", "fold: true found, expected a whole number or null"),
        ("use_dora: 1", "use_dora: 1 found, expected true or false"),
        ("arm: 5", "arm: 5 found, expected text; put it in quotes: '5'"),
        ("learning_rate: .nan", "learning_rate: nan found, expected a finite number"),
        ("lora_target_modules: [1]", "lora_target_modules: [1] found, expected a list of words or null"),
        ("summarizer_options: fast", "summarizer_options: 'fast' found, expected a mapping"),
        ("per_device_train_batch_size: 0", "per_device_train_batch_size: 0 found, expected 1 or more"),
        ("gradient_accumulation_steps: -1", "gradient_accumulation_steps: -1 found, expected 1 or more"),
    ],
)
def test_a_value_of_another_type_names_its_key_and_what_is_expected(tmp_path: Path, text: str, message: str) -> None:
    leaf = write(tmp_path, "leaf.yaml", f"model_name_or_path: tiny\noutput_dir: out\n{text}\n")
    with pytest.raises(RecipeError, match="1 fault") as caught:
        load_recipe(leaf)
    assert message in str(caught.value)


def test_a_whole_number_is_a_number_and_gives_the_manifest_the_name_that_its_builder_does(tmp_path: Path) -> None:
    leaf = write(
        tmp_path, "leaf.yaml", "model_name_or_path: tiny\nsampling: power\nsampling_power: 1\nweight_decay: 0\n"
    )
    settings = load_recipe(leaf).balance.draw_settings()
    assert settings.file_name() == DrawSettings("power", power=1.0).file_name() == "power-q1.0-e3-s0"


@pytest.mark.parametrize("comma", [",", "，", "、"])
def test_own_labels_may_stand_between_the_commas_of_chinese_text(comma: str) -> None:
    overrides = parse_overrides(["--label_set", f"平静{comma}紧张"])
    recipe = parse_recipe({"model_name_or_path": "tiny", "use_cpu": True, **overrides})
    assert label_set(recipe.data.label_set).labels == ("neutral", "tense")


def test_every_key_of_trl_is_either_honoured_or_refused_with_what_to_say_instead() -> None:
    from trl import ModelConfig, SFTConfig

    known = {field.name for kind in (SFTConfig, ModelConfig) for field in fields(kind) if field.init}
    listed = HONOURED | set(REFUSED)
    assert known <= listed, "look at what is new in TRL, then list it in recipe/trl_keys.py"
    assert not HONOURED & set(REFUSED)
    tested = pinned((Path(__file__).parents[2] / "constraints.txt").read_text(encoding="utf-8"))
    if all(version(name) == tested.get(name) for name in ("trl", "transformers")):  # older ones lack the newest keys
        assert known == listed, "a key went: take it out of recipe/trl_keys.py"


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("label_smoothing_factor: 0.1", "say `smoothing`"),
        ("loss_type: dft", "say `loss`"),
        ("model_init_kwargs: {torch_dtype: bfloat16}", "say dtype"),
        ("completion_only_loss: false", "of the answer alone"),
        ("assistant_only_loss: true", "of the answer alone"),
        ("data_seed: 3", "say `sampling_seed`"),
        ("chat_template_path: here.jinja", "chat template of the base model"),
    ],
)
def test_a_key_of_trl_without_effect_is_refused_with_ours(tmp_path: Path, text: str, instead: str) -> None:
    leaf = write(tmp_path, "leaf.yaml", f"model_name_or_path: tiny\noutput_dir: out\n{text}\n")
    with pytest.raises(RecipeError, match=rf"{text.partition(':')[0]}: .* would have no effect: .*{instead}"):
        load_recipe(leaf)


def test_flash_attention_and_checkpointing_are_refused_together_before_any_model_is_loaded() -> None:
    values = {"model_name_or_path": "org/base", "attn_implementation": "flash_attention_2"}
    with pytest.raises(RecipeError, match=r"gradient_checkpointing: true turns that off; say .*vision_attention"):
        parse_recipe(values | {"gradient_checkpointing": True})
    assert parse_recipe(values).model.attn_implementation == "flash_attention_2"
    tower = {"attn_implementation": "sdpa", "vision_attention": "flash_attention_2", "gradient_checkpointing": True}
    assert parse_recipe(values | tower).data.vision_attention == "flash_attention_2"
    with pytest.raises(RecipeError, match="'windowed' is not one of windows, sdpa"):
        parse_recipe(values | {"vision_attention": "windowed"})


def test_a_refused_key_may_say_what_happens_anyway() -> None:
    said = {"packing": False, "num_train_epochs": 1, "use_peft": True, "max_length": None, "completion_only_loss": True}
    assert parse_recipe({"model_name_or_path": "tiny", "use_cpu": True, **said}).sft.num_train_epochs == 1


def test_a_circle_of_bases_and_a_missing_file_say_so(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "base: b.yaml\n")
    b = write(tmp_path, "b.yaml", "base: a.yaml\n")
    with pytest.raises(RecipeError, match="leads back to itself"):
        read_values(b)
    with pytest.raises(RecipeError, match=r"no such recipe; beside it: a\.yaml, b\.yaml"):
        read_values(tmp_path / "c.yaml")


def test_recipes_hold_no_objects(tmp_path: Path) -> None:
    leaf = write(tmp_path, "leaf.yaml", "output_dir: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(RecipeError, match="not valid YAML"):
        load_recipe(leaf)


def test_no_is_a_word_where_a_strategy_is_meant() -> None:
    plain = {"model_name_or_path": "tiny", "use_cpu": True}
    assert parse_recipe({**plain, **parse_overrides(["--save_strategy", "no"])}).sft.save_strategy == "no"
    assert parse_recipe({**plain, "eval_strategy": False}).sft.eval_strategy == "no"


def test_overrides_are_read_as_yaml() -> None:
    assert parse_overrides(["--a", "1", "--b=x", "--c-d", "null", "--e"]) == {"a": 1, "b": "x", "c_d": None, "e": True}
    with pytest.raises(RecipeError, match="belongs to no --key"):
        parse_overrides(["lonely"])
    assert yaml.safe_load("1e-4") == "1e-4"
