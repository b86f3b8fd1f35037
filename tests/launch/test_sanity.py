"""The sanity check: a line about the placement when all is well, a line with a remedy when it is not."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from emotrain.gpu_driver import card_fault, why_no_gpu
from emotrain.launch.sanity import InsaneCluster, check, shared_device


def start(rank: int, world: int, port: int, **environment: str) -> subprocess.Popen[str]:
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "MASTER_PORT": port, "MASTER_ADDR": "127.0.0.1"}
    mine = {name: str(value) for name, value in names.items()} | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    return subprocess.Popen(
        [sys.executable, "-m", "emotrain.launch.sanity"],
        env=os.environ | mine | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def test_ranks_that_reach_each_other_are_listed_with_their_places() -> None:
    port = free_port()
    ranks = [start(rank, 2, port, ACCELERATE_USE_CPU="true") for rank in range(2)]
    said = [rank.communicate(timeout=600) for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], said
    host = socket.gethostname()
    cores = len(os.sched_getaffinity(0))
    assert (
        f"sanity check: 2 ranks on {host}/cpu0, {host}/cpu1, {cores} core(s) for this one: sum of 16 MiB over gloo"
        in said[0][0]
    )


def test_a_rank_that_is_missing_ends_with_one_line_that_names_the_remedy() -> None:
    lonely = start(0, 2, free_port(), ACCELERATE_USE_CPU="true", EMOTRAIN_SANITY_TIMEOUT_S="2")
    _, error = lonely.communicate(timeout=600)
    assert lonely.returncode == 1
    assert "Traceback" not in error
    line = next(line for line in error.splitlines() if line.startswith("sanity check:"))
    assert "rank 0 of 2" in line
    assert "within 2 s" in line
    assert "GLOO_SOCKET_IFNAME is lo" in line


def test_a_gpu_that_cannot_be_used_is_told_with_driver_and_wheel_and_not_blamed_on_the_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import torch

    driver = tmp_path / "version"
    driver.write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\n", encoding="utf-8"
    )
    monkeypatch.setattr("emotrain.gpu_driver.DRIVER_FILE", driver)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)  # as NVML tells it
    monkeypatch.setenv("WORLD_SIZE", "8")
    with pytest.raises(
        InsaneCluster, match=r"driver here is 550\.54\.15, .*CUDA 13\.0, which needs driver 580 .*/whl/"
    ):
        check(use_cpu=False)
    driver.write_text(driver.read_text(encoding="utf-8").replace("550.54.15", "580.65.06"), encoding="utf-8")
    with pytest.raises(InsaneCluster, match=r"driver 580\.65\.06 see none .*gpus_per_node"):
        check(use_cpu=False)
    driver.unlink()
    with pytest.raises(InsaneCluster, match="no NVIDIA driver on this machine"):
        check(use_cpu=False)
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "build without CUDA" in why_no_gpu()


def test_cards_that_are_too_old_are_told_what_to_say_instead() -> None:
    kernels = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"]
    assert card_fault("NVIDIA H100", (9, 0), kernels, bf16=True) is None
    assert card_fault("Tesla T4", (7, 5), kernels, bf16=False) is None
    assert "no bfloat16" in str(card_fault("Tesla T4", (7, 5), kernels, bf16=True))
    assert "kernels from 7.5 on" in str(card_fault("Tesla V100", (7, 0), kernels, bf16=True))


def test_one_process_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert check(use_cpu=True).startswith("1 process on ")


def test_two_ranks_on_one_device_are_noticed() -> None:
    assert shared_device(["a/0", "a/1", "b/0"]) is None
    assert "a/1 is used by 2 ranks" in str(shared_device(["a/0", "a/1", "a/1"]))
