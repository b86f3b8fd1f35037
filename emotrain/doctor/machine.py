"""Places that are written to, and the limits of this process: disk, shared memory, open files, cores, memory."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from emotrain.doctor.finding import Finding
from emotrain.faces.weights import cache_folder
from emotrain.file_errors import in_words

GIB = 1 << 30
LEAST_GIB, ENOUGH_GIB = 1.0, 20.0
"""Below the first nothing can be saved; below the second a base model of 3 B parameters and its run do not fit."""
LEAST_FILES = 1024


def look(work: Path) -> Iterator[Finding]:
    """`work` is the folder that runs are written to."""
    from huggingface_hub import constants

    yield place("work folder", work)
    yield place("cache of the Hub", Path(constants.HF_HUB_CACHE))
    yield place("cache of emotrain", cache_folder(), enough_gib=LEAST_GIB)
    yield place("temporary files", Path(tempfile.gettempdir()), enough_gib=LEAST_GIB)
    if Path("/dev/shm").is_dir():
        yield _shared_memory()
    yield _cores()
    yield _limits()


def place(name: str, folder: Path, enough_gib: float = ENOUGH_GIB) -> Finding:
    """Whether files can be written to a folder, or to what would hold it, and how much room there is."""
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.is_dir())
    try:
        with tempfile.NamedTemporaryFile(dir=there) as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = str(there)
        return Finding(name, f"{folder} cannot be written", "fault", in_words(error))
    free = shutil.disk_usage(there).free / GIB
    said = f"{folder}, {free:.1f} GiB free"
    if free < LEAST_GIB:
        return Finding(name, said, "fault", "free some space, or name another place")
    if free < enough_gib:
        return Finding(name, said, "note", f"a base of 3 B parameters and its run take some {ENOUGH_GIB:.0f} GiB")
    return Finding(name, said)


def _shared_memory() -> Finding:
    free = shutil.disk_usage("/dev/shm").free / GIB
    if free < LEAST_GIB:
        remedy = "loader workers share batches there: docker run --shm-size 8g, or dataloader_num_workers: 0"
        return Finding("shared memory", f"{free:.2f} GiB free in /dev/shm", "note", remedy)
    return Finding("shared memory", f"{free:.1f} GiB free in /dev/shm")


def _cores() -> Finding:
    cores, threads = len(os.sched_getaffinity(0)), os.environ.get("OMP_NUM_THREADS")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    bound = _cgroup_gib()
    said = f"{cores} core(s), {memory:.0f} GiB" + (f", {bound:.0f} GiB of them for this job" if bound else "")
    if threads is not None and threads.isdigit() and int(threads) > cores:
        remedy = (
            f"export OMP_NUM_THREADS={cores} or less: threads that wait for a core spin, which can cost a factor of 20"
        )
        return Finding("cores", f"{said}, OMP_NUM_THREADS={threads}", "note", remedy)
    return Finding("cores", said)


def _cgroup_gib() -> float | None:
    """The memory limit of this control group in GiB, None where there is none."""
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(file).read_text(encoding="ascii").strip()
        except OSError:
            continue
        # The first version writes the largest page-aligned number where there is no limit.
        return int(text) / GIB if text.isdigit() and int(text) < 1 << 60 else None
    return None


def _limits() -> Finding:
    kinds = {
        "open files": resource.RLIMIT_NOFILE,
        "CPU seconds": resource.RLIMIT_CPU,
        "address space": resource.RLIMIT_AS,
    }
    soft = {name: resource.getrlimit(kind)[0] for name, kind in kinds.items()}
    told = ", ".join(
        f"{name} {value if value != resource.RLIM_INFINITY else 'unlimited'}" for name, value in soft.items()
    )
    if soft["CPU seconds"] != resource.RLIM_INFINITY:
        remedy = f"this shell ends a process after {soft['CPU seconds']} s of CPU: run in a job, not on a login node"
        return Finding("limits", told, "note", remedy)
    if soft["address space"] != resource.RLIM_INFINITY:
        return Finding("limits", told, "note", "CUDA reserves more addresses than memory: ulimit -v unlimited")
    if soft["open files"] != resource.RLIM_INFINITY and soft["open files"] < LEAST_FILES:
        return Finding("limits", told, "note", f"loader workers need more: ulimit -n {LEAST_FILES}")
    return Finding("limits", told)
