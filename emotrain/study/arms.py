"""Arms of a comparison: each is trained and scored by the real commands, in processes of their own.

An arm that fails does not stop the others; what is finished is not done again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from emotrain.evaluation.evaluate import METRICS
from emotrain.processes import PARENT
from emotrain.progress import track
from emotrain.study.failures import ArmsFailed
from emotrain.training.live import read_progress
from emotrain.training.recipe import RESOLVED, load_recipe, read_values

_POLL_S = 0.5
_TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class Arm:
    """One recipe with its overrides. `output` gets the adapter, `scores` the predictions; zero-shot is not trained."""

    name: str
    recipe: Path
    overrides: tuple[str, ...]
    output: Path
    scores: Path
    trained: bool = True

    @property
    def log(self) -> Path:
        """Everything the arm's commands printed."""
        return self.scores / "log.txt"

    def is_done(self) -> bool:
        """Whether the arm has been scored with the recipe as it stands now."""
        if not (self.scores / METRICS).exists():
            return False
        given = load_recipe(self.recipe, [*self.overrides, "--arm", self.name, "--output_dir", str(self.output)])
        return read_values(self.scores / RESOLVED) == dict(given.values)

    def commands(self) -> list[list[str]]:
        """The command lines of the arm, in order."""
        emotrain = [sys.executable, "-m", "emotrain.cli"]
        common = [*self.overrides, "--arm", self.name, "--output_dir", str(self.output)]
        evaluate = [*emotrain, "evaluate", str(self.recipe), "--out", str(self.scores), "--no-report", *common]
        if not self.trained:
            return [evaluate]
        return [[*emotrain, "train", str(self.recipe), *common], [*evaluate, "--adapter", str(self.output)]]


def run_arms(arms: Sequence[Arm], *, parallel: int) -> None:
    """Run all arms that have no metrics yet, `parallel` at a time; raises ArmsFailed after all have ended."""
    todo = [arm for arm in arms if not arm.is_done()]
    weights = {arm.name: 100 if arm.trained else 5 for arm in todo}
    with ThreadPoolExecutor(max(parallel, 1)) as pool, track("train and score", sum(weights.values()), "%") as advance:
        futures = {pool.submit(_run, arm): arm for arm in todo}
        shown = dict.fromkeys(weights, 0)
        running = set(futures)
        while running:
            try:
                _, running = wait(running, timeout=_POLL_S)
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            for future, arm in futures.items():
                share = 1.0 if future.done() else read_progress(arm.output) * 0.95 if arm.trained else 0.0
                done = int(share * weights[arm.name])
                if done > shown[arm.name]:
                    advance(done - shown[arm.name])
                    shown[arm.name] = done
    failed = [arm for future, arm in futures.items() if future.result() != 0]
    if failed:
        raise ArmsFailed("\n".join(_last_words(arm) for arm in failed))


def _run(arm: Arm) -> int:
    arm.scores.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", PARENT: str(os.getpid())}
    with arm.log.open("a", encoding="utf-8") as log:
        for command in arm.commands():
            log.write(f"$ {' '.join(command[1:])}\n")
            log.flush()
            started = time.monotonic()
            code = subprocess.run(
                command, stdout=log, stderr=subprocess.STDOUT, env=environment, check=False
            ).returncode
            log.write(f"exit {code} after {time.monotonic() - started:.1f} s\n")
            if code != 0:
                return code
    return 0


def _last_words(arm: Arm) -> str:
    lines = arm.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
    return f"arm {arm.name!r} failed; the end of {arm.log}:\n" + "\n".join(f"  {line}" for line in lines)
