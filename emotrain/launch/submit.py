"""Submitting a chain of jobs: all of it or none, with a record of what went into the queue."""

from __future__ import annotations

import fcntl
import json
import logging
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from emotrain.atomic_files import write_json, write_text
from emotrain.damaged_files import DamagedFile
from emotrain.json_files import entry, read_object
from emotrain.launch.confidential import check_text
from emotrain.launch.fetch import fetch_for_jobs, wanted
from emotrain.launch.inherited import outside_environment
from emotrain.launch.jobs import Chain, plan_jobs
from emotrain.launch.render import CHAIN_LOG, render, variables

log = logging.getLogger(__name__)

LAUNCH = "launch.json"
_CACHES = ("HF_", "XDG_CACHE_HOME", "EMOTRAIN_MODELS")
"""Variables of a job that say where models lie and where they come from."""
_WAITS_S = (2.0, 5.0, 10.0)
"""Pauses before asking SLURM again: a busy controller does not answer in time, and soon does."""


class SubmitError(ValueError):
    """SLURM did not take a job; what had been submitted before is cancelled."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """One job in the queue."""

    name: str
    job_id: str
    script: str
    after: str | None


def write_scripts(chain: Chain) -> dict[str, Path]:
    """Write the job scripts of a chain into `output_dir/slurm`; returns them by name, in order."""
    texts = {job.name: render(job, chain) for job in plan_jobs(chain)}  # all are rendered before any is written
    scripts = {}
    for name, text in texts.items():
        scripts[name] = chain.folder / f"{name}.slurm"
        write_text(text, scripts[name])
    return scripts


def submit(chain: Chain) -> list[Submitted]:
    """Submit the jobs, each to start when the one before has succeeded, and record them in `output_dir/launch.json`.

    Raises SubmitError when SLURM refuses one, after the others are cancelled, and when jobs of an earlier launch of the
    same run are still in the queue: two trainings would write the same checkpoints.
    """
    with alone(chain):
        _check_idle(chain)
        _fetch(chain)
        return _submit_all(chain)


def _fetch(chain: Chain) -> None:
    """Bring what the jobs read from the Hub into their own cache; ValueError when some of it cannot be had."""
    if {"prep", "train", "evaluate"} & set(chain.stages) and wanted(chain.recipe, baselines=False):
        first = plan_jobs(chain)[0]
        job = variables(first, chain.profile.of_stage(first.stage), chain)
        fetch_for_jobs(chain.path, chain.overrides, {k: v for k, v in job.items() if k.startswith(_CACHES)})


@contextmanager
def alone(chain: Chain) -> Iterator[None]:
    """Hold the run's folder against a second launch: both would find the queue empty. SubmitError when one goes on."""
    chain.folder.mkdir(parents=True, exist_ok=True)
    with open(chain.folder / ".launching", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SubmitError(f"{chain.output}: another `emotrain launch` of this run is submitting its jobs") from None
        except OSError:  # a file system without locks
            log.warning("%s has no file locks: do not launch this run twice at once", chain.folder)
        yield


def _submit_all(chain: Chain) -> list[Submitted]:
    jobs: list[Submitted] = []
    try:
        for name, script in write_scripts(chain).items():
            after = jobs[-1].job_id if jobs else None
            depends = [f"--dependency=afterok:{after}", "--kill-on-invalid-dep=yes"] if after is not None else []
            answer = _slurm(["sbatch", "--parsable", *depends, str(script)], f"the job {name} ({script})")
            jobs.append(Submitted(name, answer.strip().partition(";")[0], str(script), after))
        _record(chain, jobs)
    except BaseException:  # an interrupt, too, must not leave half a chain behind, nor a whole one without a record
        _cancel([job.job_id for job in jobs])
        raise
    return jobs


def _cancel(ids: Sequence[str]) -> None:
    if ids and subprocess.run(["scancel", *ids], check=False).returncode != 0:
        print(f"emotrain: jobs stay in the queue; end them with `scancel {' '.join(ids)}`", file=sys.stderr)


def _record(chain: Chain, jobs: Sequence[Submitted]) -> None:
    record = {
        "recipe": str(chain.path),
        "overrides": list(chain.overrides),
        "folder": str(Path.cwd()),
        "submitted": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "profile": asdict(chain.profile),
        "jobs": [asdict(job) for job in jobs],
    }
    check_text(json.dumps(record), LAUNCH)
    write_json(record, chain.output / LAUNCH)


def describe(chain: Chain, jobs: Sequence[Submitted]) -> str:
    """Job ids, and how to watch and cancel them."""
    ids = [job.job_id for job in jobs]
    lines = [f"{job.job_id:>10}  {job.name:<10} {f'after {job.after}' if job.after else ''}".rstrip() for job in jobs]
    lines += [
        f"watch:  squeue --jobs={','.join(ids)}",
        f"        tail -F {shlex.quote(str(chain.folder / CHAIN_LOG))}",
        f"cancel: scancel {' '.join(ids)}",
        f"record: {chain.output / LAUNCH}",
    ]
    return "\n".join(lines)


def _check_idle(chain: Chain) -> None:
    path = chain.output / LAUNCH
    if not path.exists():
        return
    remedy = "look into `squeue` for jobs of this run, delete the file and launch again"
    jobs = entry(read_object(path, remedy), "jobs", list, path, remedy)
    if not all(isinstance(job, dict) and isinstance(job.get("job_id"), str) for job in jobs):
        raise DamagedFile(path, "jobs without a job_id", "the jobs of a launch", remedy)
    ids = [job["job_id"] for job in jobs]
    listed = _queued()
    queued = [job for job in ids if job in listed]
    if queued:
        raise SubmitError(
            f"{path}: jobs of an earlier launch are still in the queue; `scancel {' '.join(queued)}` ends them, or "
            "choose another output_dir"
        )


def _queued() -> set[str]:
    """Ids of all jobs in the queue, arrays by the id of the whole; raises SubmitError when SLURM does not tell."""
    # With --jobs, squeue fails alike for a job that it has forgotten and for a controller that is down.
    states = "PENDING,RUNNING,SUSPENDED,COMPLETING,REQUEUED"
    command = ["squeue", "--noheader", "--array", "--format=%F", f"--states={states}"]
    for wait_s in (*_WAITS_S, None):
        done = _run(command)
        if done.returncode == 0:
            return set(done.stdout.split())
        if wait_s is not None:
            time.sleep(wait_s)
    raise SubmitError(
        "squeue failed, so nothing says whether jobs of an earlier launch of this run are still in the queue; nothing "
        f"was submitted, try again when the controller answers\n{done.stderr.strip()}"
    )


def _slurm(command: Sequence[str], what: str) -> str:
    done = _run(command)
    if done.returncode != 0:
        raise SubmitError(f"SLURM did not take {what}; nothing stays in the queue\n{done.stderr.strip()}")
    return done.stdout


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, env=outside_environment())
    except FileNotFoundError as error:
        raise SubmitError(f"{command[0]} is not on this machine; run this on a login node of the cluster") from error
