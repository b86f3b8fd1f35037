"""The figures of docs/cost.md and of the recipes' heads are those that `emotrain plan` computes today."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from emotrain.planning.machine import Machine
from emotrain.planning.memory import GIB
from emotrain.planning.page import duration, head, miss_cells, scaled
from emotrain.planning.plan import Plan, make_plan
from emotrain.recipe.recipe import load_recipe, read_values

ROOT = Path(__file__).parents[2]
HEADED = [
    path.relative_to(ROOT)
    for path in sorted((ROOT / "recipes").rglob("*.yaml"))
    if {"model_name_or_path", "output_dir"} <= read_values(path).keys()
]
COST = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
SEVEN = ["--model_name_or_path", "Qwen/Qwen2.5-VL-7B-Instruct"]
PARTS = ("weights", "training", "activations", "tower", "pixels", "logits", "rest")


def planned(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overrides: list[str] | None = None) -> Plan:
    """The plan on a bare machine: no data folder beside the process, no checkpoint in the Hub cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return make_plan(load_recipe(recipe, overrides if overrides is not None else []), Machine())


@pytest.mark.parametrize(
    ("row", "overrides"),
    [("3B", []), ("3B, `--gradient_checkpointing false`", ["--gradient_checkpointing", "false"]), ("7B", SEVEN)],
)
def test_the_page_on_cost_shows_what_is_computed(
    row: str, overrides: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    plan = planned(ROOT / "recipes" / "qwen2_5_vl" / "dfew.yaml", tmp_path, monkeypatch, overrides)
    memory = plan.memory[0]
    assert plan.train_s is not None
    cells = [f"{getattr(memory.step, part) / GIB:.2f}" for part in PARTS]
    cells += [f"{memory.total / GIB:.2f}", str(memory.largest_batch), duration(plan.train_s)]
    assert f"| {row} | {' | '.join(cells)} |" in COST
    if len(row) == 2:
        for arm in plan.arms.arms:
            cells = [f"{arm.frames:.0f}", f"{arm.visual:.0f}", f"{arm.text:.0f}", scaled(arm.flops), f"{arm.ratio:.2f}"]
            assert f"| {arm.name} | {' | '.join(cells)} |" in COST
        assert re.search(rf"{plan.arms.summary_tokens_at_limit:.0f}\s(?:summary|with the 7B)", COST)
    assert plan.miss is not None
    assert plan.miss_apex is not None
    for policy, by_event in plan.miss.items():
        assert f"| {policy} | {' | '.join(miss_cells(by_event, plan.miss_apex[policy]))} |" in COST


@pytest.mark.parametrize("recipe", HEADED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_head_of_a_recipe_states_what_is_computed(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    text = (ROOT / recipe).read_text(encoding="utf-8")
    above = text.partition("\nbase:")[0]
    assert all(line.startswith("#") for line in above.splitlines())
    assert f"emotrain train {recipe}" in above
    if recipe.parent.name == "tiny":
        assert "measured" in above, "on a CPU, so there is nothing to compute"
        return
    plan = planned(ROOT / recipe, tmp_path, monkeypatch)
    stated = head(replace(plan, recipe=str(recipe)))
    assert stated in above, f"`emotrain plan {recipe} --head` now says:\n{stated}"


def test_the_command_prints_the_head_of_a_recipe_on_the_default_machine_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_network: None
) -> None:
    from typer.testing import CliRunner

    from emotrain.cli import app

    path = ROOT / "recipes" / "qwen2_vl" / "dfew.yaml"
    few = ["--epoch_size", "256"]
    plan = planned(path, tmp_path, monkeypatch, few)
    done = CliRunner().invoke(app, ["plan", str(path), "--head", *few])
    assert (done.exit_code, done.stdout) == (0, head(plan) + "\n")
    with pytest.raises(ValueError, match="one H100"):
        head(replace(plan, machine=Machine(gpus=2)))
