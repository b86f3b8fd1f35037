"""Every shipped recipe can be planned on a bare machine, and a prepared one is planned from its own data."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from emotrain.examples.manifests import ensure_manifest
from emotrain.planning.machine import Machine
from emotrain.planning.page import print_plan
from emotrain.planning.plan import POLICIES, Plan, make_plan
from emotrain.planning.published import published
from emotrain.recipe.recipe import load_recipe, read_values
from emotrain.video.keyframes import POLICIES as KEYFRAME_POLICIES
from emotrain.video.miss import p_miss

ROOT = Path(__file__).parents[2]
RECIPES = [
    path
    for path in sorted((ROOT / "recipes").rglob("*.yaml"))
    if {"model_name_or_path", "output_dir"} <= read_values(path).keys()
]
FEW_DRAWS = ["--epoch_size", "256"]
QWEN = ROOT / "recipes" / "qwen2_5_vl" / "dfew.yaml"


def page(plan: Plan) -> str:
    text = io.StringIO()
    print_plan(plan, Console(file=text, width=100))
    return text.getvalue()


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_shipped_recipe_is_planned_without_data_and_without_network(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = load_recipe(path, FEW_DRAWS)
    name = recipe.model.model_name_or_path
    if name != "tiny" and name not in published():
        with pytest.raises(ValueError, match="hf download"):
            make_plan(recipe, Machine())
        return
    plan = make_plan(recipe, Machine())
    said = page(plan)
    assert plan.memory[0].largest_batch >= recipe.sft.per_device_train_batch_size
    assert "GiB a GPU" in said
    assert any(line.startswith("clips: ") for line in plan.assumptions)
    assert any("summaries" in line for line in plan.assumptions)
    json.dumps(plan.as_json())


@pytest.mark.parametrize("checkpointing", ["true", "false"])
def test_enriched_training_costs_at_most_a_quarter_more_than_sparse_on_3b_shapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpointing: str, no_network: None
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = make_plan(load_recipe(QWEN, [*FEW_DRAWS, "--gradient_checkpointing", checkpointing]), Machine())
    sparse, enriched, dense, matched = plan.arms.arms
    assert (sparse.frames, sparse.visual, sparse.ratio) == (8, 512, 1.0)
    assert enriched.visual == sparse.visual
    assert 1.0 < enriched.ratio <= 1.25
    assert dense.frames == 8 + 4 * 9
    assert enriched.ratio < dense.ratio / 3
    assert matched.visual + matched.text == pytest.approx(enriched.visual + enriched.text, rel=0.05)
    assert plan.arms.summary_tokens <= plan.arms.summary_tokens_at_limit


def test_the_limit_is_where_enriched_costs_a_quarter_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from emotrain.planning.flops import step_flops
    from emotrain.planning.shapes import read_shapes

    monkeypatch.chdir(tmp_path)
    plan = make_plan(load_recipe(QWEN, [*FEW_DRAWS, "--context", "none"]), Machine())
    shapes = read_shapes(plan.model)
    told = replace(plan.clip, text=plan.clip.text + round(plan.arms.summary_tokens_at_limit))
    ratio = (
        step_flops(shapes, told, 16, checkpointing=True).total
        / step_flops(shapes, plan.clip, 16, checkpointing=True).total
    )
    assert ratio == pytest.approx(1.25, abs=0.002)


def test_a_prepared_recipe_is_planned_from_its_own_clips_summaries_and_manifest(
    prepared: Any, tmp_path: Path, no_network: None
) -> None:
    recipe = load_recipe(prepared.recipe(tmp_path, context="summaries"))
    drawn = make_plan(recipe, Machine())
    ensure_manifest(recipe)
    plan = make_plan(recipe, Machine())
    assert plan == drawn, "the manifest that would be drawn is the one that is drawn"
    assert not [
        line for line in plan.assumptions if line.split(":")[0] in ("clips", "durations", "prompts", "summaries")
    ]
    assert plan.prompts_counted
    assert plan.batches is not None
    assert plan.worst_prompt == plan.batches.longest > plan.clip.prompt, "one clip in six has more to tell"
    assert plan.miss is not None
    assert set(plan.miss) == {"segment_centres", *POLICIES}
    durations = [1 + i / 10 for i in range(30)]
    mean = sum(p_miss("endpoints", d, 0.25, recipe.data.keyframes) for d in durations) / len(durations)
    assert plan.miss["endpoints"][0.25] == pytest.approx(mean)


def test_sampling_changes_what_is_drawn_and_nothing_else(prepared: Any, tmp_path: Path) -> None:
    plans = {
        name: make_plan(load_recipe(prepared.recipe(tmp_path, context="none", sampling=name)), Machine())
        for name in ("natural", "class_balanced")
    }
    natural, balanced = (plans[name].classes for name in ("natural", "class_balanced"))
    assert [row.clips for row in natural] == [row.clips for row in balanced]
    assert all(row.drawn_share == pytest.approx(row.natural_share, abs=0.03) for row in natural)
    assert all(row.drawn_share == pytest.approx(0.25 if row.clips else 0.0, abs=0.03) for row in balanced)
    assert plans["natural"].arms == plans["class_balanced"].arms


def test_stored_vision_embeddings_are_a_cost_on_disk_and_none_in_a_step(prepared: Any, tmp_path: Path) -> None:
    computed, stored = (
        make_plan(load_recipe(prepared.recipe(tmp_path, context="none", vision_embeddings=how)), Machine())
        for how in ("computed", "stored")
    )
    assert computed.clip_flops.vision > 0
    assert replace(computed.clip_flops, vision=0.0) == stored.clip_flops
    assert computed.train_flops is not None
    assert stored.train_flops is not None
    assert stored.train_flops < computed.train_flops
    (told,) = set(stored.assumptions) - set(computed.assumptions)
    assert "MiB a clip on disk" in told


def test_time_follows_the_machine(prepared: Any, tmp_path: Path) -> None:
    recipe = load_recipe(prepared.recipe(tmp_path, context="none"))
    one = make_plan(recipe, Machine(mfu=0.4, peak_tflops=100))
    two = make_plan(recipe, Machine(gpus=2, mfu=0.2, peak_tflops=100))
    assert one.train_s is not None
    assert one.train_flops is not None
    assert one.train_s == pytest.approx(one.train_flops / (100e12 * 0.4))
    assert two.train_s == pytest.approx(one.train_s, rel=0.1), "twice the GPUs at half the rate"
    assert [row.strategy for row in two.memory] == ["ddp", "zero2", "zero3", "fsdp2"]
    assert any("mfu" in line for line in make_plan(recipe, Machine()).assumptions)
    assert not any("mfu" in line for line in one.assumptions)
    with pytest.raises(ValueError, match=r"--mfu 1\.5"):
        Machine(mfu=1.5)


def test_every_keyframe_policy_is_in_the_table() -> None:
    assert {policy.partition(":")[0] for policy in POLICIES} == {*KEYFRAME_POLICIES, "fps"}


def test_the_command_prints_the_plan_and_writes_it_as_json(prepared: Any, tmp_path: Path) -> None:
    recipe = prepared.recipe(tmp_path, context="summaries")
    command = [sys.executable, "-m", "emotrain.cli", "plan", str(recipe), "--json", str(tmp_path / "plan.json")]
    done = subprocess.run(
        [*command, "--gpus", "2", "--lora_r", "32"], capture_output=True, text=True, check=False, cwd=ROOT, timeout=900
    )
    assert done.returncode == 0, done.stderr
    for words in ("Training clips a class", "P(miss)", "x sparse", "GiB a GPU", "Worst batch", "Time:", "Assumed"):
        assert words in done.stdout
    plan = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    again = make_plan(load_recipe(recipe, ["--lora_r", "32"]), Machine(gpus=2))
    assert plan == json.loads(json.dumps(again.as_json()))
