"""The machine that a plan is for, and what is assumed of it unless the user says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

H100_BF16_TFLOPS = 989.0
"""Dense bf16 peak of one H100 SXM, from its data sheet."""

ASSUMED_MFU = 0.25
"""Share of the peak that is reached; the operations counted include what checkpointing computes twice.

Computed kernel by kernel for 3B and 7B on one H100 (docs/benchmarks.md), not measured on any GPU yet.
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the run is to happen: `gpus` of `gpu_memory_gib` and `peak_tflops` each, used to the share `mfu`."""

    gpus: int = 1
    gpu_memory_gib: float = 80.0
    peak_tflops: float = H100_BF16_TFLOPS
    mfu: float = ASSUMED_MFU

    def __post_init__(self) -> None:
        for name, value in (
            ("gpus", self.gpus),
            ("gpu-memory", self.gpu_memory_gib),
            ("peak-tflops", self.peak_tflops),
            ("mfu", self.mfu),
        ):
            if value <= 0:
                raise ValueError(f"--{name} {value}: expected more than 0")
        if self.mfu > 1:
            raise ValueError(f"--mfu {self.mfu}: expected a share of the peak, at most 1")
