"""Arms of a comparison: each is trained and scored by the real commands, in processes of their own.

An arm that fails does not stop the others, but those that need its adapter; what is finished is not done again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Lock
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from emotrain.datasets.clips import CLIPS_FILE
from emotrain.evaluation.evaluate import METRICS, deciding, read_metrics
from emotrain.evaluation.served.settings import ServerSettings, is_of
from emotrain.examples.manifests import manifest_path
from emotrain.job_notes import stop_file
from emotrain.progress import track
from emotrain.recipe.recipe import RESOLVED, Recipe, read_values
from emotrain.stages.processes import PARENT
from emotrain.study.failures import ArmsFailed, ArmsStopped
from emotrain.training.live import read_progress
from emotrain.training.preemption import STATUS

_POLL_S = 0.5
_TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class Arm:
    """One recipe and what is done with it: its `output_dir` gets the adapter, `scores` the predictions.

    `overrides` are the words that make this recipe of its file. An arm that is not trained is scored as the base
    stands, with the `adapter` of another arm, or is a `baseline` or a model behind a `server`.
    """

    recipe: Recipe
    overrides: tuple[str, ...]
    scores: Path
    trained: bool = True
    adapter: Path | None = None
    baseline: str | None = None
    server: ServerSettings | None = None

    @property
    def name(self) -> str:
        """What the arm is called in tables."""
        return self.recipe.evaluation.arm

    @property
    def output(self) -> Path:
        """Folder of the adapter and of its checkpoints."""
        return Path(self.recipe.sft.output_dir)

    @property
    def log(self) -> Path:
        """Everything the arm's commands printed."""
        return self.scores / "log.txt"

    def is_done(self) -> bool:
        """Whether the arm has been scored with the recipe as it stands now, and as the system that it is now."""
        if not (self.scores / METRICS).exists() or not (self.scores / RESOLVED).exists():
            return False
        try:
            then, found = read_values(self.scores / RESOLVED), read_metrics(self.scores)
        except (ValueError, FileNotFoundError):
            return False  # damaged: scoring again says what is wrong, or mends it
        if deciding(then) != deciding(self.recipe.values):
            return False
        if not is_of(found.get("server"), self.server):
            return False
        adapter = self.output if self.trained else self.adapter
        was = found.get("baseline"), _place(found.get("adapter"), then.get("output_dir"))
        return was == (self.baseline, None if self.baseline is not None else _place(adapter, self.output))

    def commands(self) -> list[list[str]]:
        """The command lines of the arm, in order."""
        emotrain, file = [sys.executable, "-m", "emotrain.cli"], str(self.recipe.path)
        if self.baseline is not None:
            return [[*emotrain, "baseline", self.baseline, file, "--out", str(self.scores), *self.overrides]]
        evaluate = [*emotrain, "evaluate", file, "--out", str(self.scores), "--no-report", *self.overrides]
        if self.adapter is not None:
            return [[*evaluate, "--adapter", str(self.adapter)]]
        if self.server is not None:
            given = self.server.given()
            words = ["--server", given.pop("base_url"), "--model", given.pop("model")]
            return [[*evaluate, *words, "--server-options", json.dumps(given)]]
        if not self.trained:
            return [evaluate]
        return [[*emotrain, "train", file, *self.overrides], [*evaluate, "--adapter", str(self.output)]]


def run_arms(groups: Sequence[Sequence[Arm]], *, parallel: int, gpus: Sequence[str] = ()) -> None:
    """Run all arms that have no metrics yet; raises ArmsFailed after all have ended.

    The arms of a group run one after the other and a failed one ends its group; `parallel` groups run at a time, or one
    on each of `gpus` (entries of CUDA_VISIBLE_DEVICES), which it has for itself. When a batch script asks for a stop,
    training writes its checkpoint, scoring is ended, nothing more is started, and ArmsStopped is raised.
    """
    todo = [left for left in ([arm for arm in group if not arm.is_done()] for group in groups) if left]
    arms = [arm for group in todo for arm in group]
    weights = {arm.scores: _clips(arm) for arm in arms}
    runner = _Runner(gpus)
    if stop_asked():
        runner.stop()
    lanes = len(gpus) if gpus else max(parallel, 1)
    with ThreadPoolExecutor(lanes) as pool, track("train and score", sum(weights.values())) as advance:
        futures = {pool.submit(runner.run_group, group): group for group in todo}
        shown = dict.fromkeys(weights, 0)
        running = set(futures)
        while running:
            try:
                _, running = wait(running, timeout=_POLL_S)
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            if stop_asked():
                runner.stop()
            for future, group in futures.items():
                for arm in group:
                    ended = future.done() or (arm.scores / METRICS).exists()
                    share = 1.0 if ended else read_progress(arm.output) * 0.95 if arm.trained else 0.0
                    done = int(share * weights[arm.scores])
                    if done > shown[arm.scores]:
                        advance(done - shown[arm.scores])
                        shown[arm.scores] = done
    if runner.stopping:
        raise ArmsStopped("a stop was asked for; finished arms are kept, run the study again to go on")
    failed = [future.result() for future in futures if future.result()]
    if failed:
        raise ArmsFailed("\n".join(failed))


def _clips(arm: Arm) -> int:
    """How many clips an arm draws in training, or has to score without any; 1 where nothing on disk says."""
    found = manifest_path(arm.recipe) if arm.trained else Path(arm.recipe.data.data) / CLIPS_FILE
    try:
        return max(pq.read_metadata(found).num_rows, 1)
    except (OSError, pa.ArrowInvalid):
        return 1


def stop_asked() -> bool:
    """Whether the batch script of this job has asked for a stop (see training/preemption.py)."""
    file = stop_file()
    return file is not None and file.exists()


class _Runner:
    """Runs groups of arms in processes; knows which are under way, so that a stop reaches them."""

    def __init__(self, gpus: Sequence[str]) -> None:
        self.stopping = False
        self._free: Queue[str] = Queue()
        for gpu in gpus:
            self._free.put(gpu)
        self._pinned = bool(gpus)
        self._scoring: set[subprocess.Popen[bytes]] = set()
        self._lock = Lock()

    def stop(self) -> None:
        """Start nothing more and end what scores; training ends by itself, with a checkpoint."""
        with self._lock:
            self.stopping = True
            for process in self._scoring:
                process.terminate()

    def run_group(self, group: Sequence[Arm]) -> str:
        """Run the arms of a group in order; the message of the first that fails, naming those that were not run."""
        gpu = self._free.get() if self._pinned else None
        try:
            for n, arm in enumerate(group):
                if self._run(arm, gpu) != 0:
                    left = [other.name for other in group[n + 1 :]]
                    return _last_words(arm) + (f"\n  not run after it: {', '.join(left)}" if left else "")
            return ""
        finally:
            if gpu is not None:
                self._free.put(gpu)

    def _run(self, arm: Arm, gpu: str | None) -> int:
        arm.scores.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", PARENT: str(os.getpid())}
        if gpu is not None:
            environment["CUDA_VISIBLE_DEVICES"] = gpu
        with arm.log.open("a", encoding="utf-8") as log:
            for command in arm.commands():
                log.write(f"$ {' '.join(command[1:])}\n")
                log.flush()
                started = time.monotonic()
                code = self._call(command, log, environment)
                log.write(f"exit {code} after {time.monotonic() - started:.1f} s\n")
                if code != 0:
                    return code
        return 0

    def _call(self, command: list[str], log: IO[str], environment: Mapping[str, str]) -> int:
        with self._lock:
            if self.stopping:
                return STATUS
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
            if "train" not in command[:4]:
                self._scoring.add(process)
        try:
            return process.wait()
        finally:
            with self._lock:
                self._scoring.discard(process)


def _place(adapter: str | Path | None, output: str | Path | None) -> str | None:
    """Where an adapter lies, as seen from the arm's own output folder: so a study that was moved is still its own."""
    return None if adapter is None or output is None else os.path.relpath(adapter, output)


def _last_words(arm: Arm) -> str:
    lines = arm.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
    return f"arm {arm.name!r} failed; the end of {arm.log}:\n" + "\n".join(f"  {line}" for line in lines)
