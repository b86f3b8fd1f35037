"""A real SLURM of two nodes on this machine, shared by all tests here; skipped, with the reason, where it cannot be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .flights import HOSTILE, STEPS, Flight, start_study, write_disturbance, write_profile

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).parent / "two_nodes.sh"
PATIENCE_S = 900.0


@dataclass(frozen=True)
class Cluster:
    """The running cluster; `run` calls its commands, `until` waits for something to become true."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        mine = {"SLURM_CONF": str(self.home / "slurm.conf"), "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        return os.environ | mine | {"PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"}

    def run(self, *command: str | Path) -> str:
        """Run a command to its end and return what it printed; a failure shows all of it."""
        words = [str(word) for word in command]
        done = subprocess.run(words, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def states(self, job: str) -> set[str]:
        """State of a job or of all tasks of an array: RUNNING, COMPLETED or another of SLURM's words."""
        lines = self.run("scontrol", "--oneliner", "show", "job", job).splitlines()
        return {word.partition("=")[2] for line in lines for word in line.split() if word.startswith("JobState=")}

    def field(self, job: str, name: str) -> str:
        """A field of `scontrol show job`."""
        for word in self.run("scontrol", "--oneliner", "show", "job", job).splitlines()[0].split():
            if word.startswith(f"{name}="):
                return word.partition("=")[2]
        raise AssertionError(f"job {job} has no field {name}")

    def until(self, ready: Callable[[], bool], what: str) -> None:
        """Wait until `ready`; fails after a quarter of an hour, for a test machine may be busy."""
        started = time.monotonic()
        while not ready():
            assert time.monotonic() - started < PATIENCE_S, f"waited {PATIENCE_S:.0f} s for {what}\n{self.logs()}"
            time.sleep(0.2)

    def end_of(self, job: str) -> str:
        """Wait until a job, or all of an array, has ended for good and return its state."""
        self.until(lambda: self.states(job) <= _ENDED, f"the end of job {job}")
        return " and ".join(sorted(self.states(job)))

    def logs(self) -> str:
        """The queue and the end of the controller's log."""
        log = (self.home / "log" / "slurmctld").read_text(encoding="utf-8").splitlines()[-20:]
        return "\n".join([self.run("squeue"), *log])


_ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "PREEMPTED", "NODE_FAIL", "OUT_OF_MEMORY"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    can = subprocess.run([SCRIPT, "check"], capture_output=True, text=True, check=False)
    if can.returncode != 0:
        pytest.skip(can.stderr.strip())
    # Not under pytest's folder, which only its owner may enter: munge insists on a socket that everybody can reach.
    running = Cluster(Path(tempfile.mkdtemp(prefix="two-nodes-")))
    subprocess.run([SCRIPT, "start", running.home], check=True)
    try:
        yield running
    finally:
        queued = running.run("squeue", "--noheader", "--format=%A").split()
        if queued:
            running.run("scancel", *queued)
            running.until(lambda: not running.run("squeue", "--noheader"), "the queue to empty")
        subprocess.run([SCRIPT, "stop", running.home], check=True)
        shutil.rmtree(running.home)


@dataclass(frozen=True)
class Prepared:
    """A small synthetic clip set and what a single, undisturbed run makes of it."""

    root: Path
    data: Path

    def keys(self) -> dict[str, object]:
        """Keys for sixteen steps of eight clips by the shipped sparse recipe."""
        return {
            "root": str(self.root),
            "prep_shards": 4,
            "epochs": 6,
            "per_device_train_batch_size": 8,
            "warmup_steps": 2,
            "logging_steps": 1,
            "save_steps": 1000,
            "disable_tqdm": True,
        }

    def overrides(self, output: Path, **more: object) -> list[str]:
        """The keys as words of a command line, with this data and a folder for the run."""
        values = {"data": self.data, "output_dir": output, **self.keys(), **more}
        return [word for key, value in values.items() for word in (f"--{key}", str(value))]


RECIPE = ROOT / "recipes" / "tiny" / "sparse_balanced.yaml"


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    from emotrain.preparation.prepare import prepare
    from emotrain.recipe.recipe import load_recipe
    from emotrain.synthetic.clip_set import write_clip_set

    folder = tmp_path_factory.mktemp("prepared")
    found = Prepared(folder / "clips", folder / "data")
    write_clip_set(found.root, train=22, validation=22, test=22, seed=3, workers=1)
    prepare(load_recipe(RECIPE, found.overrides(folder / "unused")), workers=1)
    return found


@pytest.fixture(scope="session")
def flights(cluster: Cluster, prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Flight]:
    """All chains of these tests, in the queue together."""
    from emotrain.launch.jobs import parse_chain
    from emotrain.launch.submit import submit

    folder = tmp_path_factory.mktemp("flights")
    own = {name: folder / name for name in ("preempted", "late", "ended", "whole", "broken", "pair", "study")}

    def launch(name: str, stages: str, profile: dict[str, object], recipe: Path = RECIPE, **keys: object) -> Flight:
        path, words = write_profile(own[name], **profile), prepared.overrides(own[name] / "run", **keys)
        jobs = submit(parse_chain(recipe, path, words, stages, None, None, None))
        return Flight({job.name: job.job_id for job in jobs}, own[name] / "run")

    paused: dict[str, object] = {"environment": write_disturbance(own["preempted"], PAUSED=own["preempted"])}
    late = {"environment": write_disturbance(own["late"], PAUSED=own["late"])}
    ended: dict[str, object] = {"environment": write_disturbance(own["ended"], PAUSED=own["ended"])}
    hostile = own["late"] / f"{HOSTILE}.yaml"
    hostile.write_text(f"base: {RECIPE}\n", encoding="utf-8")
    part = own["whole"] / "data" / "frames" / "part-00002-of-00004.parquet"
    killed = {"environment": write_disturbance(own["whole"], DIES_WRITING=part)}
    failing = {"nodes": 2, "environment": write_disturbance(own["broken"], FAILS=1)}
    pair = {"nodes": 2, "processes_per_node": 2, "sanity_check": True}
    # The only chain in a partition whose jobs may be preempted.
    cards = {"partition": "main", "nodes": 2, "gpus_per_node": 2, "processes_per_node": 1}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SLURM_CONF", "PATH"):
            patch.setenv(name, cluster.environment[name])
        return {
            "preempted": launch("preempted", "train", cards | paused, per_device_train_batch_size=4),
            "late": launch("late", "train", late, hostile),
            "ended": launch("ended", "train", {"processes_per_node": 2} | ended, per_device_train_batch_size=4),
            "whole": launch("whole", "prep,train,evaluate", killed, data=own["whole"] / "data"),
            "broken": launch("broken", "train,evaluate", failing, per_device_train_batch_size=4),
            "pair": launch("pair", "train", pair, per_device_train_batch_size=2),
            "study": start_study(own["study"], RECIPE, prepared.data, prepared.keys(), cluster.run),
        }


def losses(output: Path) -> list[float]:
    """The logged loss of every step of a run."""
    state = json.loads((output / "trainer_state.json").read_text(encoding="utf-8"))
    return [entry["loss"] for entry in state["log_history"] if "loss" in entry]


@pytest.fixture(scope="session")
def undisturbed(prepared: Prepared, flights: dict[str, Flight], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The training of `Prepared.keys` in this one process, without SLURM."""
    import torch

    from emotrain.recipe.recipe import load_recipe
    from emotrain.training.train import train

    torch.set_num_threads(1)
    output = train(load_recipe(RECIPE, prepared.overrides(tmp_path_factory.mktemp("undisturbed") / "run")))
    assert len(losses(output)) == STEPS
    return output
