"""Every accelerate configuration as it ships, on two CPU processes over gloo: the same training, sharded, resumable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from family_checkpoints import MADE, save
from safetensors.torch import load_file

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "accelerate_configs"
ADAPTER = "adapter_model.safetensors"
QUIET = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "GLOO_SOCKET_IFNAME": "lo", "HF_HUB_OFFLINE": "1"}
# accelerate does plain data parallelism on CPUs by itself, and the rest with the help of gloo/sitecustomize.py.
PLAIN = {"ACCELERATE_USE_CPU": "true"}
SHARDED = {"EMOTRAIN_TEST_GLOO": "1"}

# Five steps of twelve clips; the checkpoint after step 3 lies in the middle of epoch 1, the run is killed after step 4.
# With a large epsilon Adam does not blow rounding errors in vanishing gradients up to whole steps.
VALUES: dict[str, Any] = {
    "epochs": 3,
    "adam_epsilon": 1e-3,
    "epoch_size": 20,
    "class_weights": "inverse_frequency",
    "learning_rate": 2e-3,
    "save_steps": 3,
    "eval_strategy": "steps",
    "eval_steps": 3,
    "load_best_model_at_end": True,
    "metric_for_best_model": "uar",
    "save_total_limit": 10,
}
STEPS = 5
TWO = ("--per_device_train_batch_size", "3", "--gradient_accumulation_steps", "2")
THREE = ("--per_device_train_batch_size", "2", "--gradient_accumulation_steps", "2", "--dataloader_num_workers", "1")


def launch(
    config: str, recipe: Path, *overrides: str, processes: int = 2, **environment: str
) -> subprocess.CompletedProcess[str]:
    """`accelerate launch` as the head of the configuration says it."""
    words = ["--config_file", str(CONFIGS / f"{config}.yaml"), "--num_processes", str(processes)]
    words += ["--main_process_port", "0", "-m", "emotrain.cli", "train", str(recipe), *overrides]
    command = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch", *words]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("ACCELERATE_", "FSDP_", "MASTER_", "EMOTRAIN_"))}
    paths = os.pathsep.join([str(Path(__file__).parent / "gloo"), str(ROOT)])
    return subprocess.run(
        command,
        env=clean | QUIET | {"PYTHONPATH": paths} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def history(run: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((run / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    return entries


def losses(run: Path) -> dict[int, float]:
    return {entry["step"]: entry["loss"] for entry in history(run) if "loss" in entry}


def figures(run: Path) -> list[dict[str, float]]:
    return [{k: v for k, v in entry.items() if k.startswith("eval_")} for entry in history(run) if "eval_uar" in entry]


def provenance(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "provenance.json").read_text(encoding="utf-8"))
    return found


def label_scores(bench: Any, adapter: Path) -> torch.Tensor:
    """Label logits of two clips under an adapter that plain PEFT has loaded onto the base."""
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText

    from emotrain.emotions import label_set
    from emotrain.examples.examples import Collator, Examples
    from emotrain.modeling.label_scoring import label_logits
    from emotrain.modeling.label_tokens import processor_labels
    from emotrain.modeling.loading import load_processor
    from emotrain.recipe.recipe import load_recipe

    recipe = load_recipe(adapter / "recipe.resolved.yaml")
    processor = load_processor(str(bench.base), image_size=recipe.data.image_size)
    names = label_set("dfew").labels
    batch = Collator(Examples(recipe.data, recipe.context, names), processor).inputs(["clip00", "clip01"])
    model = PeftModel.from_pretrained(AutoModelForImageTextToText.from_pretrained(bench.base), str(adapter)).eval()
    with torch.no_grad():
        return label_logits(model, batch, processor_labels(processor, names))


@pytest.fixture(scope="module")
def alone(bench: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process, in this process, that all others must equal."""
    from emotrain.examples.manifests import ensure_manifest
    from emotrain.preparation.embed import embed_keyframes
    from emotrain.recipe.recipe import load_recipe
    from emotrain.training.train import train

    recipe = load_recipe(bench.recipe(tmp_path_factory.mktemp("alone"), per_device_train_batch_size=12, **VALUES))
    ensure_manifest(recipe)
    embed_keyframes(recipe)
    return train(recipe)


@pytest.mark.parametrize(
    ("config", "environment", "killed_on", "parameters", "optimizer"),
    [
        ("zero3", SHARDED, 2, 0.5, 0.5),
        ("fsdp2", SHARDED, 3, 0.5, 0.5),
        ("zero2", SHARDED, 2, 1.0, 0.5),
        ("zero3_offload", SHARDED, 2, 0.5, 0.5),
        ("ddp", PLAIN, 3, 1.0, 1.0),
    ],
    ids=["zero3", "fsdp2", "zero2", "zero3_offload", "ddp"],
)
def test_two_processes_train_as_one_hold_their_part_and_go_on_after_sigkill(
    config: str,
    environment: dict[str, str],
    killed_on: int,
    parameters: float,
    optimizer: float,
    bench: Any,
    alone: Path,
    tmp_path: Path,
) -> None:
    recipe = bench.recipe(tmp_path, **VALUES)
    run = tmp_path / "run"
    cut = THREE if killed_on == 3 else TWO
    killed = launch(config, recipe, *cut, processes=killed_on, EMOTRAIN_TEST_KILL_AT="4", **environment)
    assert killed.returncode != 0
    assert sorted(folder.name for folder in run.glob("checkpoint-*")) == ["checkpoint-3"], killed.stderr
    assert not (run / ADAPTER).exists()
    kept = (run / "checkpoint-3" / ADAPTER).stat().st_mtime_ns

    # What is stored is what the first half computed.
    again = launch(config, recipe, *TWO, "--vision_embeddings", "stored", **environment)
    # DeepSpeed's ZeRO-3 sometimes aborts on a CPU when the interpreter ends, after all work: judge the work.
    assert again.returncode == 0 or (config.startswith("zero3") and (run / "provenance.json").exists()), again.stderr
    assert (run / "checkpoint-3" / ADAPTER).stat().st_mtime_ns == kept, "it went on, it did not start again"
    assert sorted(losses(run)) == list(range(1, STEPS + 1))
    assert losses(run) == pytest.approx(losses(alone), rel=1e-5)
    assert figures(run) == figures(alone)

    told = provenance(run)
    assert told["world"] == {"processes": 2, "strategy": config.removesuffix("_offload")}
    assert len(told["held"]) == 2
    for rank in told["held"]:
        assert rank["parameters"] == pytest.approx(parameters, abs=0.1)
        assert rank["optimizer"] == pytest.approx(optimizer, abs=0.1)

    for part in ("checkpoint-3", "checkpoint-5", "."):
        weights, expected = load_file(run / part / ADAPTER), load_file(alone / part / ADAPTER)
        assert weights.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(weights[name], value, atol=1e-6, rtol=0)
    torch.testing.assert_close(label_scores(bench, run), label_scores(bench, alone), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize(("config", "family"), [("fsdp2", "gemma3"), ("zero3", "llava_onevision")])
def test_half_precision_checkpointing_dropout_and_workers_change_no_loss_beyond_rounding(
    config: str, family: str, bench: Any, tmp_path: Path
) -> None:
    """As the recipes train: what a rank keeps, sums and saves is float32, and blocks of every family are found."""
    from emotrain.examples.manifests import ensure_manifest
    from emotrain.recipe.recipe import load_recipe
    from emotrain.training.train import train

    save(MADE[family], tmp_path / "base")
    values = VALUES | {
        "model_name_or_path": str(tmp_path / "base"),
        "image_size": MADE[family].side,
        "dtype": "bfloat16",
        "bf16": True,
        "gradient_checkpointing": True,
        "lora_dropout": 0.05,
        "pad_to_multiple_of": 16,
        "eval_on_start": True,
        "max_steps": 3,
    }
    recipe = bench.recipe(tmp_path / "two", **values)
    ensure_manifest(load_recipe(recipe))
    done = launch(config, recipe, *TWO, "--dataloader_num_workers", "1", **SHARDED)
    run = tmp_path / "two" / "run"
    assert done.returncode == 0 or (config.startswith("zero3") and (run / "provenance.json").exists()), done.stderr
    alone = train(load_recipe(bench.recipe(tmp_path / "one", per_device_train_batch_size=12, **values)))
    assert losses(run) == pytest.approx(losses(alone), rel=0.02)
    weights, expected = load_file(run / ADAPTER), load_file(alone / ADAPTER)
    assert weights.keys() == expected.keys()
    assert {value.dtype for value in weights.values()} == {torch.float32}
    assert any((value.bfloat16().float() != value).any() for value in weights.values()), "masters, not their rounding"
    assert (run / ADAPTER).stat().st_mode & 0o077, "others may read it where the umask lets them"


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_is_headed_by_the_command_that_launches_it(config: Path) -> None:
    head = [line for line in config.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    name = config.relative_to(ROOT)
    processes = "" if config.stem == "single" else "--num_processes GPUS "
    assert f"# accelerate launch --config_file {name} {processes}-m emotrain.cli train RECIPE.yaml" in head


def test_fsdp_that_accelerate_turned_into_data_parallelism_stops_with_a_message(bench: Any, tmp_path: Path) -> None:
    done = launch("fsdp2", bench.recipe(tmp_path, **VALUES), *TWO, **PLAIN)
    assert done.returncode != 0
    assert "FSDP was configured and accelerate runs MULTI_CPU instead" in done.stderr
    assert not list((tmp_path / "run").glob("checkpoint-*"))
