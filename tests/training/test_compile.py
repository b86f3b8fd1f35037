"""`torch_compile: true` compiles the language model's blocks; run, adapter and figures stay what they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from emotrain.atomic_files import write_json, write_table
from emotrain.records import Summary, to_table
from emotrain.stages.parts import part_path

Trained = Callable[..., tuple[Path, list[dict[str, Any]]]]
COMPILER = os.environ.get("CXX", "g++")

pytestmark = pytest.mark.skipif(
    shutil.which(COMPILER) is None, reason=f"torch.compile needs a C++ compiler on a CPU, and there is no {COMPILER}"
)


@pytest.fixture
def graphs() -> Iterator[Callable[[], int]]:
    """Counts the graphs that are compiled in this test."""
    from torch._dynamo import reset
    from torch._dynamo.utils import counters

    reset()
    counters.clear()
    yield lambda: int(counters["stats"]["unique_graphs"])
    reset()


def told_at_length(data: Path) -> str:
    """The name of a folder of summaries that make every clip's prompt another length."""
    rows = [
        Summary(f"clip{i:02d}", gap, 0.0, 1.0, "brows lower; " * (1 + i % 5), True, "motion")
        for i in range(24)
        for gap in range(3)
    ]
    folder = data / "summaries" / "motion-00ee"
    write_table(to_table(rows, Summary), part_path(folder, 0, 1))
    write_json({"backend": "motion"}, folder / "backend.json")
    return folder.name


def test_a_compiled_run_has_the_losses_the_figures_and_the_adapter_of_an_eager_one(
    trained: Trained, bench: Any, tmp_path: Path, graphs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText

    monkeypatch.setattr("torch._inductor.config.compile_threads", 1)  # no pool of processes that outlives the test
    values: dict[str, Any] = {
        "context": "summaries",
        "summarizer": told_at_length(bench.data),
        "epochs": 1,
        "per_device_train_batch_size": 2,
        "per_device_eval_batch_size": 2,
        "gradient_checkpointing": True,
        "learning_rate": 1e-3,
        "eval_strategy": "steps",
        "eval_steps": 4,
        "save_steps": 4,
    }
    eager, expected = trained("eager", **values)
    assert graphs() == 0
    compiled, history = trained("compiled", torch_compile=True, **values)
    assert graphs() == 2, "one to train and one to validate, whatever the length of the prompts and the batch"
    wanted = [entry["loss"] for entry in expected if "loss" in entry]
    assert len(wanted) == 8
    assert [entry["loss"] for entry in history if "loss" in entry] == pytest.approx(wanted, abs=1e-4)
    figures = [[entry[name] for entry in log if name in entry] for log in (expected, history) for name in ("eval_uar",)]
    assert figures[0] == figures[1] != []

    weights, ours = (load_file(folder / "adapter_model.safetensors") for folder in (eager, compiled))
    assert ours.keys() == weights.keys(), "no trace of the compiler in the names"
    model = PeftModel.from_pretrained(AutoModelForImageTextToText.from_pretrained(bench.base), str(compiled))
    loaded = {name: value for name, value in model.state_dict().items() if "lora_B" in name}
    assert any(value.abs().max() > 0 for value in loaded.values())
    assert all(torch.equal(value, ours[name.replace(".default", "")]) for name, value in loaded.items())

    # As after a kill behind the first checkpoint. Whether blocks are compiled may change in between.
    for cut, goes_on_compiled in (("compiled", True), ("eager", True)):
        shutil.rmtree(tmp_path / cut / "run" / "checkpoint-8")
        for name in ("provenance.json", "adapter_model.safetensors"):
            (tmp_path / cut / "run" / name).unlink()
        _, resumed = trained(cut, torch_compile=goes_on_compiled, **values)
        assert [entry["loss"] for entry in resumed if "loss" in entry] == pytest.approx(wanted, abs=1e-4)
