"""GPUs: what the driver says, what torch makes of it, and whether a sum on each of them comes out right."""

from __future__ import annotations

import os
from collections.abc import Iterator

from emotrain.doctor.finding import Finding, said_by

GIB = 1 << 30
_BUSY = 0.1
"""Share of a GPU's memory that others may hold before it is worth a line."""


def look() -> Iterator[Finding]:
    """Driver, CUDA of torch, NCCL, then each GPU that this process may use."""
    status, told = said_by("nvidia-smi", "--query-gpu=driver_version,name,memory.total", "--format=csv,noheader")
    cards = told.splitlines() if status == 0 else []
    if status == 0:
        yield Finding("driver", f"{len(cards)} GPU(s): {'; '.join(cards)}")
    elif os.path.exists("/dev/nvidia0"):
        remedy = "a GPU is there and its driver does not answer: reload or update the NVIDIA driver"
        yield Finding("driver", f"nvidia-smi: {told}", "fault", remedy)
    import torch

    build = torch.version.cuda
    yield Finding("torch", f"{torch.__version__}, built for {f'CUDA {build}' if build else 'CPUs only'}")
    if not torch.cuda.is_available():
        yield _no_gpu(cards, build)
        return
    yield Finding("nccl", ".".join(map(str, torch.cuda.nccl.version())))
    for index in range(torch.cuda.device_count()):
        yield _card(index)


def _no_gpu(cards: list[str], build: str | None) -> Finding:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if not cards:
        remedy = (
            "the demo and the tests need none; other recipes want one, or `emotrain launch` on a cluster's login node"
        )
        return Finding("gpu", "none on this machine", "note", remedy)
    if visible is not None and not visible.strip("-1, "):
        return Finding("gpu", f"hidden by CUDA_VISIBLE_DEVICES={visible!r}", "fault", "unset CUDA_VISIBLE_DEVICES")
    if build is None:
        remedy = "this torch has no CUDA: pip install --force-reinstall --constraint constraints.txt torch torchvision"
        return Finding("gpu", f"{len(cards)} there, torch uses none", "fault", remedy)
    remedy = f"the driver is older than CUDA {build} needs: update it, or install a torch built for an older CUDA"
    return Finding("gpu", f"{len(cards)} there, torch uses none", "fault", remedy)


def _card(index: int) -> Finding:
    import torch

    name = f"gpu {index}"
    free, total = torch.cuda.mem_get_info(index)
    said = f"{torch.cuda.get_device_name(index)}, {free / GIB:.1f} of {total / GIB:.1f} GiB free"
    one = torch.ones(256, 256, device=f"cuda:{index}")
    if float((one @ one).sum()) != 256.0**3:
        return Finding(name, f"{said}; a product of ones came out wrong", "fault", "the card is faulty: take another")
    if not torch.cuda.is_bf16_supported(including_emulation=False):
        return Finding(name, f"{said}; no bfloat16", "note", "say bf16: false, fp16: true and dtype: float16")
    if free < (1 - _BUSY) * total:
        return Finding(name, f"{said}: others hold the rest", "note", "nvidia-smi names who; wait or take another GPU")
    return Finding(name, said)
