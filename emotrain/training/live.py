"""What a run tells while it goes: a progress file that `emotrain study` and `emotrain demo` watch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from emotrain.shards import write_json

PROGRESS = "progress.json"


class WriteProgress(TrainerCallback):
    """Writes `progress.json` (step, steps, the last log line) into the output folder every `every` steps."""

    def __init__(self, every: int = 10) -> None:
        self.every = every

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero and (
            state.global_step % self.every == 0 or state.global_step == state.max_steps
        ):
            last = state.log_history[-1] if state.log_history else {}
            write_json(
                {"step": state.global_step, "steps": state.max_steps, "last": last}, Path(args.output_dir) / PROGRESS
            )


def read_progress(output: Path) -> float:
    """Share of a run's steps that are done, 0 before its first report."""
    path = output / PROGRESS
    if not path.exists():
        return 0.0
    value = json.loads(path.read_text(encoding="utf-8"))
    return float(value["step"] / max(value["steps"], 1))
