"""What a run tells while it goes: a live line, and a progress file that `emotrain study` and `emotrain demo` watch."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from transformers import TrainerCallback

from emotrain.atomic_files import write_json
from emotrain.json_files import read_object

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
            told = {"step": state.global_step, "steps": state.max_steps, "last": last}
            write_json(told, Path(args.output_dir) / PROGRESS, durable=False)


class LiveLine(TrainerCallback):
    """One line on standard error: step, loss, validation figures, clips a second, time left.

    It is redrawn in place on a terminal, and written anew at every log in a file (SLURM, CI) or with `disable_tqdm`.
    `clips_per_step` counts all processes. The rate is that of training since the last line, validation left out; the
    time left is that of the remaining steps at the pace of this run so far, validation included.
    """

    def __init__(self, clips_per_step: int, stream: IO[str] | None = None) -> None:
        self.clips_per_step = clips_per_step
        self.stream = stream if stream is not None else sys.stderr
        self.figures: dict[str, float] = {}
        self._began = self._window = self._step_ended = 0.0
        self._first_step = self._window_step = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._began = self._window = self._step_ended = time.monotonic()
        self._first_step = self._window_step = state.global_step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._step_ended = time.monotonic()

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Mapping[str, float] | None = None, **kwargs: Any
    ) -> None:
        # Moving the start of the window takes the time of validation out of the rate.
        self._window += time.monotonic() - self._step_ended

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **kwargs: Any
    ) -> None:
        if not state.is_world_process_zero or logs is None or "train_runtime" in logs:
            return
        self.figures |= {name.removeprefix("eval_"): value for name, value in logs.items()}
        now, steps = time.monotonic(), state.global_step - self._window_step
        if steps > 0:
            self.figures["clips_per_s"] = steps * self.clips_per_step / max(now - self._window, 1e-9)
            self._window, self._window_step = now, state.global_step
        done = state.global_step - self._first_step
        left = (state.max_steps - state.global_step) * (now - self._began) / done if done else None
        text = line(state.global_step, state.max_steps, self.figures, left)
        self._say(f"\r\x1b[2K{text}" if self._in_place(args) else f"{text}\n")

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero and self._in_place(args):
            self._say("\n")

    def _in_place(self, args: Any) -> bool:
        return self.stream.isatty() and not args.disable_tqdm

    def _say(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def line(step: int, steps: int, figures: Mapping[str, float], left_s: float | None) -> str:
    """The text of the live line; figures that are not known yet are left out. WAR, UAR and F1 are in percent."""
    parts = [f"step {step}/{steps}"]
    for name, text in (
        ("loss", "loss {:.4g}"),
        ("label_mass", "label mass {:.3g}"),
        ("war", "WAR {:.1%}"),
        ("uar", "UAR {:.1%}"),
        ("tail_f1", "tail F1 {:.1%}"),
        ("clips_per_s", "{:.1f} clips/s"),
    ):
        if name in figures:
            parts.append(text.format(figures[name]))
    if left_s is not None:
        minutes, seconds = divmod(round(left_s), 60)
        parts.append(f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d} left")
    return "  ".join(parts)


def read_progress(output: Path) -> float:
    """Share of a run's steps that are done, 0 before its first report."""
    path = output / PROGRESS
    if not path.exists():
        return 0.0
    try:
        value = read_object(path, "the run writes it again")
        return float(value["step"] / max(value["steps"], 1))
    except (ValueError, KeyError, TypeError):
        return 0.0  # only a bar hangs on it
