"""A process in a job leaves its own error for the job's script, and the status of a stop reaches the shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import typer

from emotrain import cli
from emotrain.job_notes import STOP_FILE, doing, note_fault

ROOT = Path(__file__).parents[1]


@pytest.fixture
def stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(STOP_FILE, str(tmp_path / "stop-1-0"))
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "stop-1-0"


def test_the_first_line_of_an_error_is_left_under_the_rank(stop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note_fault(ValueError("two\x1b[2J faults\nand more"))
    assert (stop.parent / "stop-1-0.fault-0").read_text(encoding="utf-8") == "ValueError: two [2J faults ...\n"
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "4")
    note_fault(FloatingPointError("the loss is nan"))
    said = (stop.parent / "stop-1-0.fault-3").read_text(encoding="utf-8")
    assert said.startswith("rank 3 on ")
    assert said.endswith(": FloatingPointError: the loss is nan\n")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[../gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:3012"),
        RuntimeError("NCCL communicator was aborted on rank 1"),
        torch.distributed.DistBackendError("watchdog caught collective operation timeout"),
        ConnectionResetError("reset"),
    ],
)
def test_an_error_that_says_that_another_rank_is_gone_is_not_the_first_one(stop: Path, error: Exception) -> None:
    note_fault(error)
    assert list(stop.parent.iterdir()) == []


def test_what_the_first_process_does_is_left_and_outside_a_job_nothing_is(
    stop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doing("evaluating")
    assert (stop.parent / "stop-1-0.doing").read_text(encoding="utf-8") == "evaluating\n"
    monkeypatch.setenv("RANK", "1")
    doing("training")
    assert (stop.parent / "stop-1-0.doing").read_text(encoding="utf-8") == "evaluating\n"
    monkeypatch.delenv(STOP_FILE)
    note_fault(ValueError("x"))
    assert len(list(stop.parent.iterdir())) == 1


def test_a_verb_that_ends_with_an_error_leaves_it(stop: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emotrain.cli", "train", "no-such.yaml"], cwd=ROOT, env=os.environ, check=False
    )
    assert done.returncode == 2
    assert "no-such.yaml" in (stop.parent / "stop-1-0.fault-0").read_text(encoding="utf-8")


@pytest.mark.parametrize("status", [0, 3, 75])
def test_the_status_of_a_typer_exit_is_the_status_of_the_process(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    app = typer.Typer()

    @app.command()
    def only() -> None:
        raise typer.Exit(status)

    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr(cli, "end_with_starter", lambda: None)
    monkeypatch.setattr(sys, "argv", ["emotrain"])
    if status == 0:
        cli.main()
        return
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == status


def test_a_study_that_is_asked_to_stop_ends_with_75(stop: Path, tmp_path: Path) -> None:
    """The real verb in a process of its own: a stop that came before its first arm."""
    stop.touch()
    study = tmp_path / "study.yaml"
    study.write_text(
        f"recipe: {ROOT}/recipes/tiny/base.yaml\nout: out\nclips: {{train: 11, validation: 11, test: 11, seed: 0}}\n"
        "reference: a\narms: {a: {context: none}, b: {context: none, learning_rate: 0.1}}\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "emotrain.cli", "study", str(study), "--shard", "0/4"],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 75, done.stderr
    assert "stop" in done.stderr
