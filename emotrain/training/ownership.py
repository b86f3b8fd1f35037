"""One run writes into an output folder at a time: a lock that ends with the process that holds it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

LOCK = "owner.lock"


class FolderTaken(ValueError):
    """Another run is writing into the folder."""


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Hold `folder` while this run writes into it; raises FolderTaken when another process holds it.

    Two runs in one folder happen without anybody asking for them: a launcher whose processes do not find one another, a
    job that was submitted twice. The lock is a POSIX record lock, which also works between the nodes of a cluster where
    the file system has locks, and which a SIGKILL releases; where it has none, the folder is not guarded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = _lock(folder / LOCK)
    try:
        yield
    finally:
        # Unlinked while it is held; `_lock` checks that what it locked is still the file of that name.
        (folder / LOCK).unlink(missing_ok=True)
        file.close()


@contextmanager
def owned_by_first(folder: Path) -> Iterator[None]:
    """`owned` for processes that train together: the first holds the folder, and all raise when it cannot."""
    from accelerate import PartialState

    from emotrain.launched import from_first

    with ExitStack() as held:
        problem: FolderTaken | None = None
        if PartialState().is_main_process:
            try:
                held.enter_context(owned(folder))
            except FolderTaken as error:
                problem = error
        problem = from_first(problem)
        if problem is not None:
            raise problem
        yield


def _lock(path: Path) -> IO[str]:
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                file.seek(0)
                holder = file.read().strip()
                file.close()
                raise FolderTaken(
                    f"{path.parent} is being written by another run ({_who(holder)}); wait for it or end it, or choose "
                    "another output_dir. Did one launch start several runs? Then start it with accelerate_configs/"
                ) from error
            if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                file.close()
                raise
        if _has_name(file, path):
            break
        file.close()
    file.truncate(0)
    file.write(json.dumps({"host": socket.gethostname(), "process": os.getpid(), "since": time.strftime("%F %T")}))
    file.flush()
    return file


def _has_name(file: IO[str], path: Path) -> bool:
    """Whether the open file is still the one of that name: its last holder may have unlinked it in between."""
    try:
        return os.fstat(file.fileno()).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False


def _who(holder: str) -> str:
    try:
        told = json.loads(holder)
        told = {key: told[key] for key in ("process", "host", "since")}
    except (ValueError, KeyError, TypeError):
        return "it has not said who it is yet"
    return f"process {told['process']} on {told['host']} since {told['since']}"
