"""One run in one folder, whatever is trained: started once, gone on with, stopped when asked, never done twice."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emotrain.balance.manifest import Manifest
from emotrain.examples.base_model import check_device
from emotrain.file_errors import about
from emotrain.launched import from_first
from emotrain.recipe.recipe import Recipe
from emotrain.training.checkpoints import (
    CarryProvenance,
    Found,
    check_goes_on,
    is_finished,
    look_at,
    provenance_of,
)
from emotrain.training.live import LiveLine, WriteProgress
from emotrain.training.ownership import owned_by_first
from emotrain.training.preemption import StopWhenAsked, end_if_stopped
from emotrain.training.same_run import check_same_run
from emotrain.training.steps import clips_per_step
from emotrain.training.trackers import check_trackers
from emotrain.training.validation import check_choice, early_stopping
from emotrain.training.world import CheckSharding, check_processes, processes, running_world


def run(
    recipe: Recipe,
    manifest: Manifest,
    build: Callable[[], Any],
    *,
    beside: Callable[[Path], None] | None = None,
    callbacks: Sequence[Any] = (),
) -> Any | None:
    """Train what `build` makes a trainer of, save it in `output_dir` and return the trainer; None for a finished run.

    Goes on from the newest complete checkpoint there. `beside` writes what belongs to a model into the folder of every
    checkpoint and of the result; recipe and provenance follow. `callbacks` come after the run's own.

    Raises ValueError when `output_dir` holds another run or another process writes there, or when the processes and the
    strategy are not those that were asked for (see world.py), FloatingPointError when the loss is not finite, and
    TrainingStopped when a signal or a stop file asked for a stop (see preemption.py).
    """
    from accelerate import PartialState

    output = Path(recipe.sft.output_dir)
    check_processes(processes(), recipe.sft.n_gpu)
    provenance = provenance_of(recipe, manifest.digest, clips_per_step(recipe))
    check_same_run(output, recipe, provenance)
    if from_first(is_finished(output) if PartialState().is_main_process else None):
        return None
    check_device(recipe)
    check_choice(recipe)
    check_trackers(recipe)
    with owned_by_first(output), about(output):
        checkpoint = _checkpoint(output)
        trainer = build()
        world = running_world(trainer.accelerator)
        provenance["world"] = asdict(world)
        if checkpoint is not None:
            check_goes_on(checkpoint, world)
        stop = StopWhenAsked()
        carry = CarryProvenance(recipe, provenance, beside, keep=trainer.args.save_total_limit)
        for callback in (
            *early_stopping(recipe),
            stop,
            CheckSharding(world, provenance),
            carry,
            WriteProgress(),
            LiveLine(clips_per_step(recipe)),
            *callbacks,
        ):
            trainer.add_callback(callback)
        trainer.args = copy.copy(trainer.args)  # the recipe keeps its number
        trainer.args.save_total_limit = None  # `carry` rotates
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint is not None else None)
        end_if_stopped(trainer, stop)
        trainer.save_model()
        trainer.save_state()
        if trainer.is_world_process_zero():
            carry.write(output)
    return trainer


def _checkpoint(output: Path) -> Path | None:
    """The checkpoint to go on from, the same on every process; the first process says what is passed over, and why."""
    from accelerate import PartialState

    found: Found | ValueError | None = None
    if PartialState().is_main_process:
        try:
            found = look_at(output)
        except ValueError as error:
            found = error
    found = from_first(found)
    if isinstance(found, ValueError):
        raise found
    assert found is not None
    if found.said is not None and PartialState().is_main_process:
        print(f"emotrain: {found.said}", file=sys.stderr)
    return found.last
