"""Why torch finds no usable GPU, in words: the wheel's CUDA, the machine's driver, and which wheel to install instead.

A wheel that was built for a newer CUDA than the driver knows sees no GPU at all, where `nvidia-smi` lists them. Least
drivers by CUDA's major version: NVIDIA's "CUDA compatibility" table.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

DRIVER_FILE = Path("/proc/driver/nvidia/version")
LEAST_DRIVER = {11: 450, 12: 525, 13: 580}
OTHER_WHEELS = "https://download.pytorch.org/whl/cu126"


def driver_version() -> str | None:
    """The version of this machine's NVIDIA driver, None without one."""
    try:
        found = re.search(r"(?:Kernel Module(?: for \S+)?)\s+(\d+[\d.]*)", DRIVER_FILE.read_text(encoding="utf-8"))
    except OSError:
        return None
    return found[1] if found else None


def why_no_gpu() -> str:
    """What keeps this torch from the GPUs of this machine, and what to do."""
    import torch

    built, driver = torch.version.cuda, driver_version()
    if built is None:
        return f"torch {torch.__version__} is a build without CUDA; install one from {OTHER_WHEELS} or from PyPI"
    least = LEAST_DRIVER.get(int(built.split(".")[0]), 0)
    if driver is not None and int(driver.split(".")[0]) < least:
        return (
            f"the NVIDIA driver here is {driver}, and torch {torch.__version__} was built for CUDA {built}, which "
            f"needs driver {least} or newer: ask for a newer driver, or install a build for this one, `pip install "
            f"torch torchvision --index-url {OTHER_WHEELS}`"
        )
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    if driver is None:
        return f"there is no NVIDIA driver on this machine (torch {torch.__version__}, CUDA {built})"
    seen = "unset" if shown is None else repr(shown)
    return f"torch {torch.__version__} (CUDA {built}) and driver {driver} see none (CUDA_VISIBLE_DEVICES is {seen})"


def card_fault(name: str, capability: tuple[int, int], kernels: list[str], *, bf16: bool) -> str | None:
    """What a visible card cannot do, None when all is well. `kernels` are torch's architectures ("sm_90", ...)."""
    number = 10 * capability[0] + capability[1]
    oldest = min((int(found[1]) for arch in kernels if (found := re.fullmatch(r"sm_(\d+)a?", arch))), default=0)
    if number < oldest:
        return (
            f"{name} is of compute capability {capability[0]}.{capability[1]}, and this torch has kernels from "
            f"{oldest // 10}.{oldest % 10} on; install an older build, `pip install torch torchvision --index-url "
            f"{OTHER_WHEELS}`"
        )
    if bf16 and capability < (8, 0):
        return (
            f"{name} (compute capability {capability[0]}.{capability[1]}) has no bfloat16, which came with Ampere "
            "(8.0); say `dtype: float16`, `bf16: false` and `fp16: true`"
        )
    return None
