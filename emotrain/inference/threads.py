"""Threads of a program that reads clips on a CPU."""

from __future__ import annotations

from typing import Any

SMALL = 50_000_000
"""Parameters below which a second thread costs more than it brings: OpenMP threads spin while they wait for a core."""


def one_thread_for_small(model: Any) -> None:
    """Hold this process to one torch thread when its model is small and runs on the CPU."""
    import torch

    first = next(model.parameters())
    if first.device.type == "cpu" and sum(parameter.numel() for parameter in model.parameters()) < SMALL:
        torch.set_num_threads(1)
