"""`emotrain plan RECIPE --fit`: the same clips a step, cut up and recomputed as little as the GPU's memory allows.

Batch split and checkpointing change no loss beyond rounding, and a run may go on with others (training/same_run.py). A
block that is not checkpointed is not run a second time, so the fewest operations come first; of equal ones the largest
micro-batch, which starts the fewest kernels a clip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from emotrain.planning.flops import step_flops
from emotrain.planning.machine import Machine
from emotrain.planning.memory import GIB, step_memory
from emotrain.planning.plan import Plan, memory_settings, recipe_shapes
from emotrain.recipe.recipe import Recipe

ROOM = 0.92
"""Share of a GPU's memory that is planned for; the rest is fragments, and what other processes hold."""

LARGEST_BATCH = 16
EVERY = (0, 8, 4, 3, 2, 1)
"""Choices of checkpointing: none, every n-th block, all."""


@dataclass(frozen=True, slots=True)
class Fit:
    """`batch` clips at once, `accumulation` times a step; every `every`-th block is checkpointed, 0 for none."""

    batch: int
    accumulation: int
    every: int
    gib: float
    operations: float

    @property
    def keys(self) -> dict[str, Any]:
        """The keys of a recipe that say so."""
        keys: dict[str, Any] = {
            "per_device_train_batch_size": self.batch,
            "gradient_accumulation_steps": self.accumulation,
            "gradient_checkpointing": self.every > 0,
        }
        return keys | ({"activation_checkpointing_kwargs": {"every_n_layers": self.every}} if self.every > 1 else {})


def fit(recipe: Recipe, plan: Plan, machine: Machine) -> Fit:
    """The best cut of a step for one GPU of the machine under plain data parallelism.

    Raises ValueError, with the least that is needed, when not even one clip with all blocks checkpointed fits.
    """
    shapes, settings = recipe_shapes(recipe), memory_settings(recipe)
    each = recipe.sft.per_device_train_batch_size * recipe.sft.gradient_accumulation_steps
    stored = recipe.data.vision_embeddings == "stored"
    found = []
    for every in EVERY:
        chosen = replace(settings, checkpointing=every > 0, every=max(every, 1))
        flops = step_flops(
            shapes, plan.clip, settings.rank, checkpointing=every > 0, every=max(every, 1), stored_vision=stored
        )
        for batch in (size for size in range(1, min(each, LARGEST_BATCH) + 1) if each % size == 0):
            memory = step_memory(
                shapes,
                plan.clip,
                chosen,
                batch=batch,
                padded_to=plan.worst_prompt,
                gpus=machine.gpus,
                accumulation=each // batch,
                stored_vision=stored,
            )
            found.append(Fit(batch, each // batch, every, memory.total / GIB, flops.total))
    fitting = [one for one in found if one.gib <= ROOM * machine.gpu_memory_gib]
    if not fitting:
        raise ValueError(
            f"--fit: one clip with all blocks checkpointed takes {min(one.gib for one in found):.1f} GiB, and "
            f"{ROOM:.0%} of {machine.gpu_memory_gib:g} GiB are planned for; take a larger GPU, load_in_4bit, or zero3"
        )
    return min(fitting, key=lambda one: (one.operations, -one.batch))


def in_words(found: Fit, machine: Machine) -> str:
    """The keys as lines of a recipe under a comment that says what they are for."""
    import yaml

    each = found.batch * found.accumulation
    head = f"# {each} clips a step and GPU as before, {found.gib:.1f} of {machine.gpu_memory_gib:g} GiB (computed)"
    return f"{head}\n{yaml.safe_dump(found.keys, sort_keys=False).rstrip()}"
