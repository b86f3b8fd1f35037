"""A run that is asked to stop, by signal or by file, leaves a complete checkpoint and goes on exactly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VALUES = {"epochs": 5, "save_strategy": "no", "dataloader_num_workers": 0}
STEPS = 20
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


def losses(run: Path) -> list[float]:
    state = json.loads((run / "trainer_state.json").read_text(encoding="utf-8"))
    return [entry["loss"] for entry in state["log_history"] if "loss" in entry]


def start(recipe: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "emotrain.cli", "train", str(recipe)],
        env=ENVIRONMENT | environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def paced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose sitecustomize slows each optimizer step down, so that a signal finds the run in the middle."""
    folder = tmp_path_factory.mktemp("paced")
    (folder / "sitecustomize.py").write_text(
        "import os, time\nfrom torch.optim.optimizer import register_optimizer_step_post_hook as hook\n"
        "hook(lambda *a: (open(os.environ['STEPPED'], 'a').write('.'), time.sleep(0.3)))\n",
        encoding="utf-8",
    )
    return folder


@pytest.mark.parametrize("number", [signal.SIGTERM, None], ids=["SIGTERM", "stop-file"])
def test_a_run_asked_to_stop_saves_ends_with_75_and_goes_on_exactly(
    number: signal.Signals | None, bench: Any, trained: Callable[..., Any], paced: Path, tmp_path: Path
) -> None:
    whole, _ = trained("whole", **VALUES)
    recipe = bench.recipe(tmp_path / "cut", **VALUES)
    cut, stop, stepped = tmp_path / "cut" / "run", tmp_path / "stop", tmp_path / "stepped"
    process = start(
        recipe,
        EMOTRAIN_STOP_FILE=str(stop),
        PYTHONPATH=f"{paced}:{os.environ['PYTHONPATH']}",
        STEPPED=str(stepped),
    )
    started = time.monotonic()
    while not (stepped.exists() and stepped.stat().st_size >= 2):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() - started < 600
        time.sleep(0.02)
    if number is None:
        stop.touch()
    else:
        process.send_signal(number)
    _, error = process.communicate(timeout=600)
    assert process.returncode == 75, error
    (checkpoint,) = cut.glob("checkpoint-*")
    step = int(checkpoint.name.partition("-")[2])
    assert 2 <= step < STEPS
    assert f"stopped at step {step} of {STEPS}" in error
    assert "Traceback" not in error
    assert json.loads((tmp_path / "stop.stopped").read_text()) == {"step": step, "steps": STEPS}
    assert not (cut / "provenance.json").exists(), "a stopped run must not count as finished"
    again = start(recipe)
    _, error = again.communicate(timeout=600)
    assert again.returncode == 0, error
    assert losses(cut) == losses(whole)
    adapter = "adapter_model.safetensors"
    assert (cut / adapter).read_bytes() == (whole / adapter).read_bytes()
