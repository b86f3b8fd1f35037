"""SLURM: whether its controller answers, what its partitions allow, and how long this job has left."""

from __future__ import annotations

import os
from collections.abc import Iterator

from emotrain.doctor.finding import Finding, said_by


def look() -> Iterator[Finding]:
    """One line where there is no SLURM; partitions with their time limits and GPUs where there is."""
    status, told = said_by("sbatch", "--version")
    if status is None:
        yield Finding(
            "slurm", f"sbatch: {told}", "note", "emotrain launch works on a login node of a SLURM cluster only"
        )
        return
    version = _first_line(told)
    if status != 0:
        yield Finding("slurm", version, "note", "installed and not set up; emotrain launch needs a SLURM that is")
        return
    status, told = said_by("sinfo", "--noheader", "--format=%P|%l|%D|%G")
    if status != 0:
        remedy = "slurmctld does not answer: scontrol ping; ask whoever runs the cluster"
        yield Finding("slurm", f"{version}; sinfo: {_first_line(told)}", "fault", remedy)
        return
    yield Finding("slurm", version)
    for line in told.splitlines():
        partition, limit, nodes, gpus = [*line.split("|"), "", "", ""][:4]
        gpus = "no GPUs" if gpus in ("", "(null)") else gpus
        yield Finding(f"partition {partition}", f"{nodes} node(s), {gpus}, time limit {limit}")
    job = os.environ.get("SLURM_JOB_ID")
    if job is not None:
        status, left = said_by("squeue", "--noheader", "--job", job, "--format=%L")
        yield Finding(f"job {job}", f"{left} left" if status == 0 else f"squeue: {_first_line(left)}")


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
