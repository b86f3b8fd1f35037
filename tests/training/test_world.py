"""Launchers that fall back in silence are found out, and one folder has one writer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.commands.launch import launch_command_parser
from accelerate.utils.launch import prepare_simple_launcher_cmd_env

from emotrain.training.ownership import FolderTaken, owned
from emotrain.training.world import World, WrongWorld, check_processes, check_shares, held_shares, running_world


def launcher_environment(*words: str) -> dict[str, str]:
    """What `accelerate launch` puts into the environment of the one process that it starts."""
    arguments = launch_command_parser().parse_args([*words, "script.py"])
    arguments.use_cpu, arguments.mixed_precision, arguments.dynamo_backend = arguments.cpu, "no", "no"
    arguments.num_machines, arguments.num_cpu_threads_per_process = 1, 1
    return dict(prepare_simple_launcher_cmd_env(arguments)[1])


def test_accelerate_on_cpus_that_starts_one_process_of_two_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "MASTER_ADDR", "EMOTRAIN_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(WrongWorld, match="asked for several processes and started one"):
        check_processes(1, 0, launcher_environment("--cpu", "--num_processes", "2"))
    check_processes(1, 0, launcher_environment("--cpu", "--num_processes", "1"))
    meant = {"MASTER_ADDR": "node1", "EMOTRAIN_WORLD_SIZE": "1"}  # a batch script that always names a first host
    check_processes(1, 0, launcher_environment("--cpu", "--num_processes", "1") | meant)


@pytest.mark.parametrize(
    ("processes", "gpus", "environment", "message"),
    [
        (1, 0, {"WORLD_SIZE": "2", "RANK": "1"}, "WORLD_SIZE=2, but 1 process"),  # two independent runs
        (2, 0, {"WORLD_SIZE": "2", "EMOTRAIN_WORLD_SIZE": "4"}, "EMOTRAIN_WORLD_SIZE=4, but 2 process"),
        (1, 0, {"EMOTRAIN_WORLD_SIZE": "4"}, "EMOTRAIN_WORLD_SIZE=4, but 1 process"),
        (1, 8, {}, "one process sees 8 GPUs"),
    ],
)
def test_fewer_processes_than_asked_for_are_refused(
    processes: int, gpus: int, environment: dict[str, str], message: str
) -> None:
    with pytest.raises(WrongWorld, match=message):
        check_processes(processes, gpus, environment)


def test_processes_as_asked_for_are_accepted() -> None:
    check_processes(1, 0, {})
    check_processes(1, 1, {"WORLD_SIZE": "1"})
    check_processes(4, 1, {"WORLD_SIZE": "4", "EMOTRAIN_WORLD_SIZE": "4", "MASTER_ADDR": "127.0.0.1"})


@pytest.mark.parametrize("variable", ["ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"])
def test_a_strategy_that_accelerate_dropped_is_refused(variable: str) -> None:
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    with pytest.raises(WrongWorld, match="nothing would be sharded"):
        running_world(accelerator, {variable: "true"})
    assert running_world(accelerator, {variable: "false"}) == World(1, "single")


def test_shares_are_measured_and_a_rank_that_holds_everything_is_refused() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 2).requires_grad_(False))
    optimizer = torch.optim.AdamW(model[0].parameters())
    assert held_shares(model, optimizer) == {"parameters": 1.0}, "no step was made"
    model[0](torch.ones(1, 8)).sum().backward()
    optimizer.step()
    whole = held_shares(model, optimizer)
    assert whole == {"parameters": 1.0, "optimizer": 1.0}
    half = {"parameters": 0.5, "optimizer": 0.5}
    for strategy in ("fsdp2", "zero3"):
        check_shares(World(2, strategy), [half, half])
        with pytest.raises(WrongWorld, match=f"{strategy} on 2 processes: rank 1 holds 100% of the parameters"):
            check_shares(World(2, strategy), [half, whole])
    check_shares(World(2, "zero2"), [{"parameters": 1.0, "optimizer": 0.5}] * 2)
    with pytest.raises(WrongWorld, match="100% of the optimiser state"):
        check_shares(World(2, "zero2"), [whole, whole])
    check_shares(World(2, "ddp"), [whole, whole])


@pytest.mark.parametrize(
    ("now", "earlier", "goes_on"),
    [
        (World(1, "single"), World(3, "ddp"), True),
        (World(3, "ddp"), World(2, "ddp"), True),
        (World(2, "fsdp2"), World(4, "fsdp2"), True),
        (World(2, "zero2"), World(2, "zero2"), True),
        (World(3, "zero2"), World(2, "zero2"), False),
        (World(2, "zero3"), World(2, "zero2"), False),
        (World(2, "ddp"), World(2, "zero3"), False),
        (World(2, "ddp"), World(2, "fsdp2"), False),
        (World(2, "fsdp2"), World(2, "ddp"), False),
    ],
)
def test_which_checkpoints_a_world_can_go_on_from(now: World, earlier: World, goes_on: bool) -> None:
    assert now.compatible(earlier) is goes_on


HOLDER = """
import sys, time
from pathlib import Path
from emotrain.training.ownership import owned
with owned(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_writer_is_told_who_the_first_is_and_a_sigkill_frees_the_folder(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(FolderTaken, match=f"process {holder.pid} on .*choose another output_dir"), owned(tmp_path):
            pass
    finally:
        holder.kill()
        holder.wait()
    with owned(tmp_path):
        assert (tmp_path / "owner.lock").exists()
    assert not list(tmp_path.iterdir())


def test_the_live_line_tells_figures_rate_and_time_left() -> None:
    import io
    from types import SimpleNamespace

    from emotrain.training.live import LiveLine, line

    figures = {"loss": 1.23456, "label_mass": 0.987, "uar": 0.613, "tail_f1": 0.4, "clips_per_s": 23.44}
    assert line(120, 934, figures, 3723.4) == (
        "step 120/934  loss 1.235  label mass 0.987  UAR 61.3%  tail F1 40.0%  23.4 clips/s  1:02:03 left"
    )
    told, args = io.StringIO(), SimpleNamespace(disable_tqdm=False)
    live, state = LiveLine(16, told), SimpleNamespace(global_step=0, max_steps=4, is_world_process_zero=True)
    control: Any = None
    live.on_train_begin(args, state, control)
    state.global_step = 2
    live.on_step_end(args, state, control)
    live.on_log(args, state, control, {"loss": 2.0})
    live.on_log(args, state, control, {"eval_uar": 0.5})
    live.on_evaluate(args, state, control, {"eval_uar": 0.5})
    first, second = told.getvalue().splitlines()
    assert first.startswith("step 2/4  loss 2 ")
    assert "clips/s" in first
    assert "UAR 50.0%" in second
    assert first.endswith("left")
