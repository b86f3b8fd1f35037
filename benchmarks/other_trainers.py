"""Training against LLaMA-Factory and ms-swift, each with its own command in its own environment, as a table.

    python benchmarks/other_trainers.py --make-environments ~/environments
    python benchmarks/other_trainers.py --vocabulary 152k --steps 4 \\
        --llama-factory-python A/bin/python --ms-swift-python B/bin/python

Neither installs beside emotrain's transformers. `--make-environments` builds one of 7 GB for each and keeps it.

Same weights, clips in the same order, prompts, batch, float32, SDPA, LoRA on the language model, optimiser and
schedule; one thread, no gradient checkpointing, a process each, rounds going through all of them. Every trainer logs
at every step, and CPU and wall time are read from outside when that line appears: the clock starts with the first, so
start-up, reading of the data set and the first step are not counted. A trainer of others that fails is shown with its
error.

* emotrain: the label loss of the recipe
* emotrain, objective: tokens: the answer-token loss of the others, through the same label tree
* LLaMA-Factory: `llamafactory-cli train`
* ms-swift: `swift sft`

Two checks end the run when they fail: all adapters have as many parameters, and the first answer-token losses are the
cross-entropy of the untrained model on the first batch, which is computed here from the model alone.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from other_trainers_commands import (
    LLAMA_FACTORY,
    MS_SWIFT,
    PACKAGES,
    emotrain_command,
    llama_factory_command,
    make_environment,
    ms_swift_command,
    surroundings,
    versions,
)
from other_trainers_inputs import expected_losses, write_data_set
from training_set_up import SHAPES, VOCABULARIES, in_words, set_up

EMOTRAIN, EMOTRAIN_TOKENS = "emotrain", "emotrain, objective: tokens"
WARMUP_STEPS = 2
LOSS = re.compile(r"(?:'loss': '?|^step \d+/\d+  loss )(\d[\d.e+-]*)")
"""The loss in the line that a trainer prints at every step: transformers' dictionary, emotrain's live line."""


@dataclass(frozen=True)
class Run:
    """A trainer's figures: steps that were counted, their seconds, peak memory, parameters of its adapter, losses."""

    steps: int
    cpu_s: float
    wall_s: float
    peak_mib: float
    adapter: int
    losses: tuple[float, ...]


class Failed(Exception):
    """A trainer ended with an error or without a line for every step."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama-factory-python", type=Path, help="the Python of an environment that has it")
    parser.add_argument("--ms-swift-python", type=Path, help="the Python of an environment that has it")
    parser.add_argument("--make-environments", type=Path, metavar="DIR", help="build those that are not given in DIR")
    parser.add_argument("--shapes", choices=SHAPES, default="wide")
    parser.add_argument("--vocabulary", choices=VOCABULARIES, default="1k")
    parser.add_argument("--repeats", type=int, default=2, help="rounds, each of which is in the table")
    parser.add_argument("--batch", type=int, default=4, help="clips a step")
    parser.add_argument("--steps", type=int, default=10, help="steps, the first of which is not counted")
    parser.add_argument("--folder", type=Path, help="where clips and base are kept; default: a temporary folder")
    arguments = parser.parse_args()
    pythons = {LLAMA_FACTORY: arguments.llama_factory_python, MS_SWIFT: arguments.ms_swift_python}
    if arguments.make_environments is not None:
        for framework in [name for name, given in pythons.items() if given is None]:
            pythons[framework] = make_environment(framework, arguments.make_environments)
    if not any(pythons.values()):
        parser.error("no environment; give --make-environments DIR, --llama-factory-python or --ms-swift-python")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder if arguments.folder is not None else Path(temporary)
        compare({name: python.absolute() for name, python in pythons.items() if python is not None}, folder, arguments)


def compare(pythons: Mapping[str, Path], folder: Path, arguments: argparse.Namespace) -> None:
    from emotrain.recipe.recipe import RESOLVED, load_recipe

    recipe = set_up(folder, arguments.shapes, arguments.vocabulary, arguments.batch, arguments.steps)
    recipe.save(folder)
    recipe = load_recipe(folder / RESOLVED, ["--logging_steps", "1", "--warmup_steps", str(WARMUP_STEPS)])
    runs: dict[str, list[Run]] = {}
    errors: dict[str, str] = {}
    with tempfile.TemporaryDirectory(dir=folder) as outputs:
        commands = contestants(recipe, pythons, folder)
        for turn in range(arguments.repeats):
            for number, (name, command) in enumerate(commands.items()):
                if name in errors:
                    continue
                output = Path(outputs) / f"{turn}_{number}"
                try:
                    run = timed(command(output), output, surroundings(folder), arguments.steps)
                except Failed as error:
                    if name == EMOTRAIN:
                        raise SystemExit(f"{name}: {error}") from error
                    errors[name] = str(error)
                    runs.pop(name, None)
                    print(f"{name}: {error}", file=sys.stderr, flush=True)
                else:
                    runs.setdefault(name, []).append(run)
                    print(f"{name}: {run}", file=sys.stderr, flush=True)
    short, whole = expected_losses(recipe)
    check(runs, short, whole)
    print_table(runs, arguments)
    for name, error in errors.items():
        print(f"\n{name} did not run:\n\n```\n{error}\n```")
    print(
        f"\nFirst loss to expect of answer tokens: {short:.4f} (label, end of turn), {whole:.4f} (and the line break)\n"
    )
    for name, python in {EMOTRAIN: Path(sys.executable), **pythons}.items():
        if name in errors:
            continue
        own = [package.split("==")[0] for package in PACKAGES.get(name, ())[:1]]
        found = versions(python, [*own, "torch", "transformers", "peft", "trl", "accelerate"])
        print(f"* {name}: " + ", ".join(f"{package} {version}" for package, version in found.items()))


def contestants(recipe: Any, pythons: Mapping[str, Path], folder: Path) -> dict[str, Callable[[Path], list[str]]]:
    """For each trainer the command of a run that writes to a given folder."""
    from emotrain.recipe.recipe import RESOLVED

    recipe.save(folder)
    file = folder / RESOLVED
    data_set = write_data_set(recipe, folder / "messages")
    found: dict[str, Callable[[Path], list[str]]] = {
        EMOTRAIN: lambda output: emotrain_command(file, output, "labels"),
        EMOTRAIN_TOKENS: lambda output: emotrain_command(file, output, "tokens"),
    }
    if LLAMA_FACTORY in pythons:
        found[LLAMA_FACTORY] = lambda output: llama_factory_command(pythons[LLAMA_FACTORY], recipe, data_set, output)
    if MS_SWIFT in pythons:
        found[MS_SWIFT] = lambda output: ms_swift_command(pythons[MS_SWIFT], recipe, data_set, output)
    return found


def timed(command: list[str], output: Path, environment: Mapping[str, str], steps: int) -> Run:
    """Run a trainer that writes to `output` to its end; raises Failed with the end of what it said."""
    try:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
    except FileNotFoundError as error:
        raise Failed(f"{error.filename}: no such command; the environment does not have this trainer") from error
    lines, losses, at = [], [], []
    for line in process.stdout or ():
        lines.append(line)
        found = LOSS.search(line)
        if found is not None:
            at.append((cpu_s(process.pid), time.monotonic()))
            losses.append(float(found[1]))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 or len(losses) != steps:
        said = "".join(lines[-40:])[-4000:]
        raise Failed(f"exit status {process.returncode}, {len(losses)} of {steps} steps\n{said}")
    (cpu, wall), (cpu_end, wall_end) = at[0], at[-1]
    peak_mib = usage.ru_maxrss / 1024
    return Run(steps - 1, cpu_end - cpu, wall_end - wall, peak_mib, adapter_parameters(output), tuple(losses))


def adapter_parameters(output: Path) -> int:
    """Parameters of the one adapter saved somewhere under a folder."""
    from safetensors import safe_open

    (file,) = output.rglob("adapter_model.safetensors")
    with safe_open(file, framework="numpy") as tensors:
        return sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118


def check(runs: Mapping[str, list[Run]], short: float, whole: float) -> None:
    """Ends the run unless all trainers train as much on the same answers.

    Losses may differ by a hundredth: ms-swift resizes keyframes with Pillow, the others with torchvision.
    """
    adapters = {name: run.adapter for name, done in runs.items() for run in done}
    if len(set(adapters.values())) > 1:
        raise SystemExit(f"the adapters have different numbers of parameters: {adapters}")
    for name, expected in {EMOTRAIN_TOKENS: short, LLAMA_FACTORY: whole, MS_SWIFT: whole}.items():
        for run in runs.get(name, ()):
            if abs(run.losses[0] - expected) > 0.01:
                raise SystemExit(f"{name}: the first loss is {run.losses[0]}, expected {expected:.4f}")


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and of everything that it started and that still runs."""
    import psutil

    started = psutil.Process(pid)
    times = [process.cpu_times() for process in (started, *started.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def print_table(runs: Mapping[str, list[Run]], arguments: argparse.Namespace) -> None:
    (adapter,) = {run.adapter for done in runs.values() for run in done}
    print(
        f"{in_words(arguments.shapes)}, vocabulary {VOCABULARIES[arguments.vocabulary]}, {arguments.batch} clips a "
        f"step, {arguments.steps - 1} steps, float32, {adapter:,} trained parameters, one thread\n"
    )
    print(
        "| vocabulary | trainer | clips/s, CPU, by round | (wall) | emotrain is so many times as fast | "
        "peak memory, MiB | first loss | last loss |"
    )
    print("|-|-|-|-|-|-|-|-|")
    for name, done in runs.items():
        clips = [arguments.batch * run.steps for run in done]
        cpu = by_round(each / run.cpu_s for each, run in zip(clips, done, strict=True))
        wall = by_round(each / run.wall_s for each, run in zip(clips, done, strict=True))
        ratio = by_round(run.cpu_s / own.cpu_s for run, own in zip(done, runs[EMOTRAIN], strict=True))
        peak = min(run.peak_mib for run in done)
        losses = f"{done[0].losses[0]:.4g} | {done[0].losses[-1]:.4g}"
        print(f"| {arguments.vocabulary} | {name} | {cpu} | ({wall}) | {ratio} | {peak:.0f} | {losses} |")


def by_round(figures: Iterable[float]) -> str:
    """A figure of every round as a cell of the table says it."""
    return ", ".join(f"{figure:.2f}" for figure in figures)


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    main()
