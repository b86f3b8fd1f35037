"""Arms of a comparison: each is trained and scored by the real commands, in processes of their own.

An arm that fails does not stop the others, but those that need its adapter; what is finished is not done again.
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
_TRAINING, _SCORING = 100, 5  # weights of the progress bar


@dataclass(frozen=True, slots=True)
class Arm:
    """One recipe with its overrides. `output` gets the adapter, `scores` the predictions.

    An arm that is not trained is scored as the base stands, with the `adapter` of another arm, or is a `baseline`.
    """

    name: str
    recipe: Path
    overrides: tuple[str, ...]
    output: Path
    scores: Path
    trained: bool = True
    adapter: Path | None = None
    baseline: str | None = None

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
        if self.baseline is not None:
            return [[*emotrain, "baseline", self.baseline, str(self.recipe), "--out", str(self.scores), *common]]
        evaluate = [*emotrain, "evaluate", str(self.recipe), "--out", str(self.scores), "--no-report", *common]
        if self.adapter is not None:
            return [[*evaluate, "--adapter", str(self.adapter)]]
        if not self.trained:
            return [evaluate]
        return [[*emotrain, "train", str(self.recipe), *common], [*evaluate, "--adapter", str(self.output)]]


def run_arms(groups: Sequence[Sequence[Arm]], *, parallel: int) -> None:
    """Run all arms that have no metrics yet; raises ArmsFailed after all have ended.

    The arms of a group run one after the other and a failed one ends its group; `parallel` groups run at a time.
    """
    todo = [left for left in ([arm for arm in group if not arm.is_done()] for group in groups) if left]
    arms = [arm for group in todo for arm in group]
    weights = {arm.scores: _TRAINING if arm.trained else _SCORING for arm in arms}
    with ThreadPoolExecutor(max(parallel, 1)) as pool, track("train and score", sum(weights.values()), "%") as advance:
        futures = {pool.submit(_run_group, group): group for group in todo}
        shown = dict.fromkeys(weights, 0)
        running = set(futures)
        while running:
            try:
                _, running = wait(running, timeout=_POLL_S)
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            for future, group in futures.items():
                for arm in group:
                    ended = future.done() or (arm.scores / METRICS).exists()
                    share = 1.0 if ended else read_progress(arm.output) * 0.95 if arm.trained else 0.0
                    done = int(share * weights[arm.scores])
                    if done > shown[arm.scores]:
                        advance(done - shown[arm.scores])
                        shown[arm.scores] = done
    failed = [future.result() for future in futures if future.result()]
    if failed:
        raise ArmsFailed("\n".join(failed))


def _run_group(group: Sequence[Arm]) -> str:
    """Run the arms of a group in order; the message of the first that fails, naming those that were not run."""
    for n, arm in enumerate(group):
        if _run(arm) != 0:
            left = [other.name for other in group[n + 1 :]]
            return _last_words(arm) + (f"\n  not run after it: {', '.join(left)}" if left else "")
    return ""


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
