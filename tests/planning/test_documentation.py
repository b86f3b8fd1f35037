"""The figures of docs/cost.md and of the recipes' heads are those that `emotrain plan` computes today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emotrain.planning.machine import Machine
from emotrain.planning.memory import GIB
from emotrain.planning.page import duration, scaled
from emotrain.planning.plan import Plan, make_plan
from emotrain.training.recipe import load_recipe

ROOT = Path(__file__).parents[2]
COST = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
QWEN = ROOT / "recipes" / "qwen2_5_vl"
SEVEN = ["--model_name_or_path", "Qwen/Qwen2.5-VL-7B-Instruct"]
PARTS = ("weights", "training", "activations", "tower", "logits", "rest")


def planned(recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overrides: list[str] | None = None) -> Plan:
    """The plan on a bare machine: no data folder beside the process."""
    monkeypatch.chdir(tmp_path)
    return make_plan(load_recipe(QWEN / recipe, overrides if overrides is not None else []), Machine())


@pytest.mark.parametrize(
    ("row", "overrides"),
    [("3B", []), ("3B, `--gradient_checkpointing false`", ["--gradient_checkpointing", "false"]), ("7B", SEVEN)],
)
def test_the_page_on_cost_shows_what_is_computed(
    row: str, overrides: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    plan = planned("dfew.yaml", tmp_path, monkeypatch, overrides)
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
    for policy, by_event in plan.miss.items():
        assert f"| {policy} | {' | '.join(f'{p:.2f}' for p in by_event.values())} |" in COST


@pytest.mark.parametrize("recipe", ["dfew.yaml", "mafw.yaml"])
def test_the_head_of_a_recipe_states_what_is_computed(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    plan = planned(recipe, tmp_path, monkeypatch)
    assert plan.train_s is not None
    stated = f"{plan.memory[0].total / GIB:.0f} GiB and {duration(plan.train_s)} of training on one H100"
    assert stated in (QWEN / recipe).read_text(encoding="utf-8")
