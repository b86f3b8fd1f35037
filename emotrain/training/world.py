"""Which processes train together and how the model is spread over them, checked against what was asked for.

Launchers fall back without a word: to one process, to several that train alone and write the same files, to plain data
parallelism where sharding was configured. Nothing fails then; the run is only slower, larger or wrong. So training
compares what it got with what the launcher put into the environment, and measures that sharding happened.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn
from transformers import TrainerCallback

EXPECTED = "EMOTRAIN_WORLD_SIZE"
"""Environment variable with the number of processes that a batch script meant to start."""

SHARDED_PARAMETERS = ("fsdp2", "zero3")
SHARDED_OPTIMISER = ("fsdp2", "zero1", "zero2", "zero3")


class WrongWorld(ValueError):
    """The processes or the strategy are not those that were asked for."""


@dataclass(frozen=True, slots=True)
class World:
    """How a run is spread: `processes`, and `strategy` (single, ddp, fsdp2, zero1, zero2 or zero3)."""

    processes: int
    strategy: str

    def compatible(self, earlier: World) -> bool:
        """Whether a checkpoint written by `earlier` can be gone on from, optimiser state and all."""
        plain = ("single", "ddp")
        if self.strategy in plain or self.strategy == "fsdp2":
            return earlier.strategy in (plain if self.strategy in plain else ("fsdp2",))
        return self == earlier


def check_processes(processes: int, gpus: int, environment: Mapping[str, str] = os.environ) -> None:
    """Raise WrongWorld unless `processes` train together as the launcher meant, one GPU each.

    `gpus` is the number of GPUs that this process would spread a batch over by itself (nn.DataParallel).
    """
    for name in (EXPECTED, "WORLD_SIZE"):
        asked = environment.get(name)
        if asked is not None and asked.strip() != str(processes):
            raise WrongWorld(
                f"{name}={asked}, but {processes} process(es) train together here: the others train alone or were "
                "never started. Launch with `accelerate launch --config_file accelerate_configs/ddp.yaml "
                "--num_processes N -m emotrain.cli train ...`; on CPUs also set ACCELERATE_USE_CPU=true"
            )
    # What `accelerate launch --cpu --num_processes 2` sets: an address to meet at, and nobody to meet.
    lonely = "MASTER_ADDR" in environment and "ACCELERATE_USE_CPU" in environment
    if lonely and "WORLD_SIZE" not in environment and EXPECTED not in environment:
        raise WrongWorld(
            "accelerate was asked for several processes and started one, as it does with --cpu or MULTI_CPU; launch "
            "with ACCELERATE_USE_CPU=true and `accelerate launch --multi_gpu --num_processes N ...` instead; for one "
            f"process set {EXPECTED}=1"
        )
    if processes == 1 and gpus > 1:
        raise WrongWorld(
            f"one process sees {gpus} GPUs and would split every batch over them (nn.DataParallel); launch with "
            "accelerate_configs/ddp.yaml, or show it one GPU: CUDA_VISIBLE_DEVICES=0"
        )


def running_world(accelerator: Any, environment: Mapping[str, str] = os.environ) -> World:
    """The world of an Accelerator; raises WrongWorld when its strategy is not the one that was configured."""
    from accelerate.utils import DistributedType

    got = accelerator.distributed_type
    for variable, wanted, name in (
        ("ACCELERATE_USE_FSDP", DistributedType.FSDP, "FSDP"),
        ("ACCELERATE_USE_DEEPSPEED", DistributedType.DEEPSPEED, "DeepSpeed"),
    ):
        if environment.get(variable, "false").lower() == "true" and got != wanted:
            raise WrongWorld(
                f"{name} was configured and accelerate runs {got.value} instead: nothing would be sharded. It does so "
                f"without a GPU (use_cpu, ACCELERATE_USE_CPU); train on GPUs, or use accelerate_configs/ddp.yaml"
            )
    if got == DistributedType.DEEPSPEED:
        stage = accelerator.state.deepspeed_plugin.zero_stage
        return World(accelerator.num_processes, f"zero{stage}" if stage else "ddp")
    if got == DistributedType.FSDP:
        plugin = accelerator.state.fsdp_plugin
        if plugin.fsdp_version != 2 or "FULL_STATE_DICT" not in str(plugin.state_dict_type):
            raise WrongWorld(
                f"fsdp_version {plugin.fsdp_version} with {plugin.state_dict_type}: only version 2 with "
                "FULL_STATE_DICT saves adapters; use accelerate_configs/fsdp2.yaml"
            )
        return World(accelerator.num_processes, "fsdp2")
    return World(accelerator.num_processes, "ddp" if accelerator.num_processes > 1 else "single")


def reduce_in_float32(accelerator: Any) -> None:
    """Let FSDP2 sum gradients over ranks in float32 under bf16, as data parallelism does; nothing elsewhere.

    accelerate sums them in bfloat16, which loses bits of a LoRA's small gradients on many ranks.
    """
    import torch

    plugin: Any = getattr(accelerator.state, "fsdp_plugin", None)
    policy = getattr(plugin, "mixed_precision_policy", None)
    if policy is not None and policy.reduce_dtype is not None:
        plugin.mixed_precision_policy = replace(policy, reduce_dtype=torch.float32)


def float32_masters(model: nn.Module) -> dict[str, Tensor]:
    """The float32 weights that DeepSpeed's optimiser keeps of those that learn, on the host; all ranks call together.

    Under bf16 DeepSpeed's model holds rounded copies; an adapter saved from those differs from other strategies'.
    """
    import torch
    from deepspeed.utils import safe_get_full_fp32_param  # type: ignore[import-untyped]

    kept = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and parameter.dtype != torch.float32:
            whole = safe_get_full_fp32_param(parameter)
            if whole is not None:
                kept[name] = whole.detach().float().cpu()
    return kept


def processes() -> int:
    """Number of processes that train together; they met when the recipe was parsed."""
    from accelerate import PartialState

    return int(PartialState().num_processes)


def local_part(tensor: Tensor) -> Tensor:
    """The part of a parameter, or of an optimiser's moment, that is this process's own.

    ZeRO-3 gathers whole parameters for their layer's turn, and keeps those below its persistence threshold gathered.
    """
    part: Tensor = tensor
    if hasattr(tensor, "ds_tensor"):
        part = tensor.ds_tensor
    elif hasattr(tensor, "to_local"):
        part = tensor.to_local()
    return part


def held_shares(model: nn.Module, optimizer: Any) -> dict[str, float]:
    """The share of the parameters, and of the optimiser state of those that learn, which this process holds.

    `optimizer` is left out as long as it has no state (before the first step, or SGD without momentum).
    """
    parameters = list(model.parameters())
    shares = {"parameters": _size(map(local_part, parameters)) / sum(map(_whole_size, parameters))}
    learning = sum(_whole_size(p) for p in parameters if p.requires_grad)
    moments: dict[str, int] = {}
    inner = optimizer
    while not hasattr(inner, "state") or hasattr(inner, "optimizer"):
        inner = inner.optimizer
    for state in inner.state.values():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.numel() > 1:
                moments[name] = moments.get(name, 0) + local_part(value).numel()
    return shares | ({"optimizer": max(moments.values()) / learning} if moments else {})


class CheckSharding(TrainerCallback):
    """Raises WrongWorld after the first step when a rank holds more than its part; notes the shares in `told`."""

    def __init__(self, world: World, told: dict[str, Any]) -> None:
        self.world = world
        self.told = told
        self._done = False

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._done:
            return
        from accelerate.utils import gather_object

        self._done = True
        every = gather_object([held_shares(kwargs["model"], kwargs["optimizer"])])
        self.told["held"] = every
        check_shares(self.world, every)


def check_shares(world: World, every: Iterable[Mapping[str, float]]) -> None:
    """Raise WrongWorld when some rank's share of what the strategy shards is nearer to all than to one part."""
    most = (1 + 1 / world.processes) / 2
    for what, strategies in (("parameters", SHARDED_PARAMETERS), ("optimizer", SHARDED_OPTIMISER)):
        for rank, shares in enumerate(every):
            if world.processes > 1 and world.strategy in strategies and shares.get(what, 0.0) > most:
                raise WrongWorld(
                    f"{world.strategy} on {world.processes} processes: rank {rank} holds {shares[what]:.0%} of the "
                    f"{'parameters' if what == 'parameters' else 'optimiser state'}, so they are not sharded; compare "
                    f"your configuration with accelerate_configs/{world.strategy}.yaml"
                )


def _size(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors)


def _whole_size(parameter: Tensor) -> int:
    return int(getattr(parameter, "ds_numel", parameter.numel()))
