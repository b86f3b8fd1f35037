"""Stopping a run when a cluster asks for its nodes back: a checkpoint at the next step, then exit status 75.

A request reaches a run on two ways, and either is enough:

* A *stop file*: the batch script is told by SLURM (`--signal=B:USR1@120`, a preemption) and creates the file that
  EMOTRAIN_STOP_FILE names. Forwarding the signal would not do, because torch's elastic agent, which sits between `srun`
  and the ranks, hands no SIGUSR1 on. The first process of every node looks for the file, so it is seen at once on the
  batch script's own node however long a network file system caches its absence on the others.
* SIGTERM or SIGUSR1 in any rank, as from `scancel --signal=TERM` or from a preemption without a warning. The elastic
  agent kills its ranks 30 s after a SIGTERM, so on this way a step and a checkpoint together must take less than that.

After every optimizer step all ranks take the maximum of what they know, one integer each. So they stop at the same
step, which the checkpoint needs: an eager rank would leave the others waiting in a collective operation until a
timeout kills them. The loss gathers one number a step anyway; this adds a second one.

When the checkpoint is complete, rank 0 writes beside the stop file what was done (`STOPPED_SUFFIX`), for the agent
turns every exit status of its ranks into 1 and a batch script could not tell a stop from a failure.
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from emotrain.atomic_files import write_json
from emotrain.job_notes import doing, stop_file

STOPPED_SUFFIX = ".stopped"
"""Added to the stop file's name: the record of a run that stopped because it was asked to."""

STATUS = 75
"""Exit status of a run that stopped early and can go on (EX_TEMPFAIL of sysexits.h: try again)."""

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class TrainingStopped(RuntimeError):
    """The run was asked to stop and its checkpoint is complete; the same command goes on from there."""


class StopWhenAsked(TrainerCallback):
    """Saves a checkpoint and ends training at the first step after a request; all ranks at the same step."""

    def __init__(self) -> None:
        self.asked = False
        self.stopped = False
        self.file = stop_file()
        self._stepped = False
        self._before: dict[int, Any] = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        doing(f"before step {state.global_step + 1} of {state.max_steps}")
        # Python allows handlers in the main thread only; elsewhere the stop file is the way.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if not self._stepped:
            self._stepped = True
            doing("training")
        if self.file is not None and not self.asked and args.local_process_index == 0:
            self.asked = self.file.exists()
        if _any_rank(self.asked, args.device) and state.global_step < state.max_steps:
            self.stopped = control.should_save = control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # A stopped run keeps its handlers: the second request of an impatient cluster must not kill its last writes.
        if not self.stopped:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: Any) -> None:
        self.asked = True


def end_if_stopped(trainer: Any, stop: StopWhenAsked) -> None:
    """Raise TrainingStopped on every rank when training ended because it was asked to; call after `trainer.train`."""
    if not stop.stopped:
        return
    trainer.accelerator.wait_for_everyone()  # until every rank has written its part of the checkpoint
    step, steps = trainer.state.global_step, trainer.state.max_steps
    if trainer.is_world_process_zero() and stop.file is not None:
        write_json({"step": step, "steps": steps}, stop.file.with_name(stop.file.name + STOPPED_SUFFIX))
    trainer.accelerator.wait_for_everyone()  # a launcher kills the other ranks when the first one leaves
    folder = Path(trainer.args.output_dir) / f"checkpoint-{step}"
    raise TrainingStopped(f"stopped at step {step} of {steps} as asked; {folder} is complete, the same command goes on")


def _any_rank(asked: bool, device: torch.device) -> bool:
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return asked
    flag = torch.tensor(int(asked), device=device)
    torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
    return bool(flag.item())
