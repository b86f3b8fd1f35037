"""The long jobs of these tests, submitted together: a machine with two cores runs some while others wait for SLURM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

DISTURB = """
import os, signal, sys, threading, time
from pathlib import Path

FIRST = os.environ.get("SLURM_RESTART_COUNT", "0") == "0"
steps = 0

def hold(*_):
    global steps
    steps += 1
    if steps != 3:
        return
    folder = Path(os.environ["PAUSED"])
    mine = os.environ.get("RANK", os.environ.get("SLURM_ARRAY_TASK_ID", "0"))
    obey = signal.getsignal(signal.SIGTERM)

    def note(*told):
        obey(*told)
        (folder / f"told-{mine}").touch()

    signal.signal(signal.SIGTERM, note)
    (folder / f"paused-{mine}").touch()
    while not Path(os.environ["EMOTRAIN_STOP_FILE"]).exists() and not any(folder.glob("told-*")):
        time.sleep(0.05)

def die_in_the_middle(part):
    while not any(part.parent.glob(f".{part.name}.*.tmp")):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)

def fail(*_):
    raise ValueError("this rank takes no step")

if os.environ.get("FAILS", "none") == os.environ.get("RANK"):
    from torch.optim.optimizer import register_optimizer_step_post_hook
    register_optimizer_step_post_hook(fail)
if FIRST and "PAUSED" in os.environ and "EMOTRAIN_STOP_FILE" in os.environ:
    from torch.optim.optimizer import register_optimizer_step_post_hook
    register_optimizer_step_post_hook(hold)
if FIRST and "DIES_WRITING" in os.environ and os.environ.get("SLURM_ARRAY_TASK_ID") == "2":
    part = Path(os.environ["DIES_WRITING"])
    threading.Thread(target=die_in_the_middle, args=(part,), daemon=True).start()
"""
"""A sitecustomize.py. The first attempt of a training job waits in its third step for a stop file, or until a rank has
in fact got a SIGTERM (SLURM delivers it some time after `scancel` has ended, later under load); the first attempt of
array task 2 dies of a SIGKILL while it writes its part. One rank, where it is named, fails in its first step."""

STEPS = 16

TRAP = "hostile-was-run"
HOSTILE = f"""it's a "name" $(touch {TRAP}) `touch {TRAP}` & %j %a \\n \\; touch {TRAP} #"""
"""A name that no shell on the way may read as words of its own, nor SLURM as a pattern of its own."""


@dataclass(frozen=True)
class Flight:
    """A launched chain: job ids by name, and the folder that it writes."""

    jobs: dict[str, str]
    output: Path

    @property
    def train(self) -> str:
        return self.jobs["train"]

    @property
    def chain_log(self) -> str:
        return (self.output / "slurm" / "chain.log").read_text(encoding="utf-8")


def write_profile(folder: Path, **values: object) -> Path:
    """A profile for the test cluster; `values` are merged over two processes' worth of CPU facts."""
    environment = {"ACCELERATE_USE_CPU": True, "OMP_NUM_THREADS": 1, "GLOO_SOCKET_IFNAME": "lo"}
    environment |= values.pop("environment", {})  # type: ignore[arg-type]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cluster.yaml"
    facts = {"partition": "steady", "cpus_per_node": 4, "memory": "1G", "time_limit": "20:00", "signal_lead_s": 60}
    path.write_text(yaml.safe_dump(facts | values | {"environment": environment}), encoding="utf-8")
    return path


def write_disturbance(folder: Path, **environment: object) -> dict[str, str]:
    """Write the sitecustomize.py and return the environment with which python reads it."""
    (folder / "disturb").mkdir(parents=True)
    (folder / "disturb" / "sitecustomize.py").write_text(DISTURB, encoding="utf-8")
    return {"PYTHONPATH": str(folder / "disturb"), **{name: str(path) for name, path in environment.items()}}


def start_study(folder: Path, recipe: Path, data: Path, keys: Mapping[str, object], run: Callable[..., str]) -> Flight:
    """A study of two arms alike, a task of an array each, as `sbatch slurm/study.slurm STUDY.yaml` starts it.

    Its data is what was prepared for `recipe` with `keys`. The first attempt of each task waits for its stop file.
    """
    from emotrain.study.cells import cells
    from emotrain.study.settings import read_study

    environment = write_disturbance(folder, PAUSED=folder)
    arms: dict[str, object] = {"first": {}, "second": {}}
    values = {"recipe": str(recipe), "out": "out", "reference": "first", "keys": dict(keys), "arms": arms}
    study = folder / f"{HOSTILE}\ntouch {TRAP}\n.yaml"
    study.write_text(yaml.safe_dump(values), encoding="utf-8")
    place = Path(cells(read_study(study))[0].run.recipe.data.data)
    place.parent.mkdir(parents=True)
    place.symlink_to(data)
    exports = ",".join(["ALL", f"EMOTRAIN_LOGS={folder}", *(f"{name}={value}" for name, value in environment.items())])
    job = run(
        *("sbatch", "--parsable", "--partition=steady", "--array=0-1", "--mem=1G", "--time=20", "--signal=B:USR1@60"),
        *(f"--output={folder}/log-%a", f"--export={exports}", "slurm/study.slurm", study),
    )
    return Flight({"study": job}, folder / "out" / "arms")
