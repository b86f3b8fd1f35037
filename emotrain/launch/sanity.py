"""Do the processes of a job see their devices and each other? Seconds, before hours are spent.

    accelerate launch --config_file accelerate_configs/ddp.yaml --num_processes 4 -m emotrain.launch.sanity

`slurm/train.slurm` runs it on every node when EMOTRAIN_SANITY is 1. Each rank names its host and device, no two may
share a GPU, and a sum over all ranks goes through the back end that training uses (NCCL on GPUs, gloo on CPUs). A fault
ends with one readable line and status 1.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from emotrain.gpu_driver import why_no_gpu

TIMEOUT_S = 120.0
ELEMENTS = 1 << 22
"""16 MiB of float32 in the timed sum: enough to leave shared memory and small-message paths."""


class InsaneCluster(RuntimeError):
    """The processes of a job do not see their devices or each other."""


def check(*, use_cpu: bool, timeout_s: float = TIMEOUT_S) -> str:
    """Sum over all ranks and return one line about the placement; raises InsaneCluster with the reason and a remedy."""
    import torch
    import torch.distributed as dist

    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    where = f"rank {rank} of {world} on {socket.gethostname()}"
    if not use_cpu and not torch.cuda.is_available():
        # Asked first: the count alone may come from the driver, and the next call would look like a broken network.
        raise InsaneCluster(f"{where}: no GPU can be used: {why_no_gpu()}; check gpus_per_node of the profile")
    if not use_cpu and torch.cuda.device_count() <= local:
        raise InsaneCluster(
            f"{where}: {torch.cuda.device_count()} GPU(s) visible (CUDA_VISIBLE_DEVICES="
            f"{os.environ.get('CUDA_VISIBLE_DEVICES', 'unset')}), at least {local + 1} needed; check gpus_per_node and "
            "processes_per_node of the profile"
        )
    device = torch.device("cpu" if use_cpu else f"cuda:{local}")
    if world == 1:
        torch.ones(8, device=device).sum().item()
        return f"1 process on {placement(device, local)}"
    backend = "gloo" if use_cpu else "nccl"
    if not use_cpu:
        torch.cuda.set_device(device)
    try:
        dist.init_process_group(backend, timeout=timedelta(seconds=timeout_s))
        places: list[str] = [""] * world
        dist.all_gather_object(places, placement(device, local))
        seconds = _timed_sum(torch.ones(ELEMENTS, device=device), world)
    except (RuntimeError, ValueError) as error:
        raise InsaneCluster(
            f"{where}: no {backend} connection to the other ranks within {timeout_s:.0f} s ({_first_line(error)}); "
            f"{_remedy(backend)}"
        ) from error
    problem = shared_device(places) if not use_cpu else None
    dist.destroy_process_group()
    if problem is not None:
        raise InsaneCluster(f"{where}: {problem}")
    said = f"{world} ranks on {', '.join(places)}, {len(os.sched_getaffinity(0))} core(s) for this one"
    return f"{said}: sum of {ELEMENTS * 4 >> 20} MiB over {backend} in {seconds:.2f} s"


def placement(device: object, local: int) -> str:
    """`node1/cuda:0` by host and device; a CPU rank is named by its local rank."""
    import torch

    if isinstance(device, torch.device) and device.type == "cuda":
        return f"{socket.gethostname()}/{torch.cuda.get_device_properties(device).uuid}"
    return f"{socket.gethostname()}/cpu{local}"


def shared_device(places: Sequence[str]) -> str | None:
    """A sentence about ranks that share a device, None when each has its own."""
    shared = [place for place, ranks in Counter(places).items() if ranks > 1]
    if not shared:
        return None
    return f"{shared[0]} is used by {Counter(places)[shared[0]]} ranks; there must be no more processes than GPUs"


def _timed_sum(ones: object, world: int) -> float:
    import torch
    import torch.distributed as dist

    assert isinstance(ones, torch.Tensor)
    started = time.monotonic()
    dist.all_reduce(ones)
    total = float(ones[-1].item())
    if total != world:
        raise ValueError(f"the sum over {world} ranks of one each came out as {total}")
    return time.monotonic() - started


def _remedy(backend: str) -> str:
    variable = "NCCL_SOCKET_IFNAME" if backend == "nccl" else "GLOO_SOCKET_IFNAME"
    found = os.environ.get(variable)
    said = f"{variable} is {found}" if found else f"{variable} is unset"
    more = ", and NCCL_DEBUG=INFO says what NCCL tried" if backend == "nccl" else ""
    return f"{said}: name a network that joins the nodes under `environment:` of the profile{more}"


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]


def main() -> int:
    """Check as the launcher's environment says; 0, or 1 with the reason on standard error."""
    use_cpu = os.environ.get("ACCELERATE_USE_CPU", "false").lower() in ("1", "true", "yes")
    try:
        line = check(use_cpu=use_cpu, timeout_s=float(os.environ.get("EMOTRAIN_SANITY_TIMEOUT_S", TIMEOUT_S)))
    except InsaneCluster as error:
        print(f"sanity check: {error}", file=sys.stderr)
        return 1
    if os.environ.get("RANK", "0") == "0":
        print(f"sanity check: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
