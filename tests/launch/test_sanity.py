"""The sanity check: a line about the placement when all is well, a line with a remedy when it is not."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

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
    assert f"sanity check: 2 ranks on {host}/cpu0, {host}/cpu1: sum of 16 MiB over gloo" in said[0][0]


def test_a_rank_that_is_missing_ends_with_one_line_that_names_the_remedy() -> None:
    lonely = start(0, 2, free_port(), ACCELERATE_USE_CPU="true", EMOTRAIN_SANITY_TIMEOUT_S="2")
    _, error = lonely.communicate(timeout=600)
    assert lonely.returncode == 1
    assert "Traceback" not in error
    line = next(line for line in error.splitlines() if line.startswith("sanity check:"))
    assert "rank 0 of 2" in line
    assert "within 2 s" in line
    assert "GLOO_SOCKET_IFNAME is lo" in line


def test_a_missing_gpu_is_said_with_what_was_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("LOCAL_RANK", str(torch.cuda.device_count()))
    with pytest.raises(InsaneCluster, match="gpus_per_node"):
        check(use_cpu=False)


def test_one_process_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert check(use_cpu=True).startswith("1 process on ")


def test_two_ranks_on_one_device_are_noticed() -> None:
    assert shared_device(["a/0", "a/1", "b/0"]) is None
    assert "a/1 is used by 2 ranks" in str(shared_device(["a/0", "a/1", "a/1"]))
