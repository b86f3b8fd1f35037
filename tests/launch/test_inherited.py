"""A launch from inside a job submits as from outside, and only one at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emotrain.cli import app
from emotrain.launch.inherited import outside_environment

from .conftest import Desk

INSIDE = {
    "SLURM_JOB_ID": "13",
    "SLURM_MEM_PER_CPU": "500",
    "SLURM_ARRAY_TASK_ID": "3",
    "SLURM_RESTART_COUNT": "2",
    "SRUN_CPUS_PER_TASK": "2",
    "SBATCH_MEM_PER_CPU": "1",
    "EMOTRAIN_STOP_FILE": "/x",
    "CUDA_VISIBLE_DEVICES": "0",
}
KEPT = {"SLURM_CONF": "/etc/slurm.conf", "SBATCH_ACCOUNT": "a", "HF_HOME": "/h", "PATH": "/bin"}


def test_what_a_surrounding_job_set_is_left_out_and_what_the_user_set_is_kept() -> None:
    assert outside_environment(INSIDE | KEPT) == KEPT
    outside = {"SBATCH_TIMELIMIT": "10", "CUDA_VISIBLE_DEVICES": "1", **KEPT}
    assert outside_environment(outside) == outside, "outside a job all of it is the user's"


def test_sbatch_is_called_without_the_variables_of_a_surrounding_job(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in INSIDE.items():
        monkeypatch.setenv(name, value)
    sbatch = desk.folder / "bin" / "sbatch"
    sbatch.write_text(f"#!/usr/bin/env bash\nenv >{desk.folder}/seen\necho 1\n", encoding="utf-8")
    words = ["launch", str(desk.recipe), "--profile", str(desk.profile), *desk.words]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.exception
    seen = {line.partition("=")[0] for line in (desk.folder / "seen").read_text(encoding="utf-8").splitlines()}
    assert not seen & set(INSIDE)
    assert "PATH" in seen


def test_a_second_launch_of_a_run_that_is_being_submitted_is_refused(desk: Desk) -> None:
    words = ["launch", str(desk.recipe), "--profile", str(desk.profile), *desk.words]
    folder = desk.folder / "run" / "slurm"
    folder.mkdir(parents=True)
    with open(folder / ".launching", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = CliRunner().invoke(app, words)
        assert "another `emotrain launch` of this run is submitting its jobs" in str(done.exception)
    assert desk.calls == []
    assert CliRunner().invoke(app, words).exit_code == 0


@pytest.mark.parametrize("config", ["zero2", "zero3", "zero3_offload"])
def test_deepspeed_is_started_by_srun_on_every_node_and_not_by_pdsh(config: str) -> None:
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.launch import prepare_deepspeed_cmd_env

    root = Path(__file__).parents[2]
    words = ["--config_file", str(root / "accelerate_configs" / f"{config}.yaml"), "--num_machines", "2"]
    words += ["--num_processes", "4", "--machine_rank", "1", "--main_process_ip", "node1", "--main_process_port", "29"]
    before = dict(os.environ)
    try:
        arguments, *_ = _validate_launch_command(launch_command_parser().parse_args([*words, "-m", "emotrain.cli"]))
        arguments.deepspeed_fields_from_accelerate_config = ""
        command, _ = prepare_deepspeed_cmd_env(arguments)
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert not command or "deepspeed" not in command, command
    assert (arguments.nproc_per_node, arguments.nnodes, arguments.node_rank) == ("2", "2", 1)
