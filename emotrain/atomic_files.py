"""Files that appear whole or not at all: written under another name beside their place, then renamed.

The content reaches the disk before the name does, so a power cut leaves the old file or the new one, never an empty
one. A killed process leaves its temporary file; the next process that writes into the folder sweeps it: at once where
it was a process of this machine that is gone, after a day where another machine's may still be writing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emotrain.file_errors import about
from emotrain.parquet_files import WRITING
from emotrain.stable_hash import stable_hash

_TEMPORARY = re.compile(r"\..+\.(?:(?P<host>[0-9a-f]{8})-)?(?P<process>\d+)-[0-9a-f]{8}\.tmp", re.DOTALL)
_OLD_S = 24 * 3600.0


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Write to the yielded temporary path; on success it becomes `path` in one step, on failure nothing is left.

    `durable=False` is for what may be lost in a power cut, such as a progress file. What the system says of a full disk
    names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep_once(path.parent.absolute())
    temporary = temporary_name(path)
    try:
        with about(path, temporary):
            yield temporary
            if durable:
                _to_disk(temporary)
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """`replacing` for a folder that is not there yet: write into the yielded one; it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep_once(path.parent.absolute())
    temporary = temporary_name(path)
    try:
        with about(path, temporary):
            temporary.mkdir()
            yield temporary
            temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def open_to_all(paths: Iterable[Path]) -> None:
    """Give files the mode that a new file has here; safetensors writes its own for the owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    for path in paths:
        path.chmod(0o666 & ~mask)


def temporary_name(path: Path) -> Path:
    """A name beside `path` that no other process takes, and that `sweep` knows."""
    return path.with_name(f".{path.name}.{_host()}-{os.getpid()}-{os.urandom(4).hex()}.tmp")


def sweep(folder: Path) -> list[Path]:
    """Remove temporary files and folders that killed processes left in `folder`; returns them.

    Those of this machine go when their process is gone, others when they are a day old by the file system's own clock.
    What cannot be removed stays: another process may have been faster.
    """
    found = [path for path in folder.iterdir() if path.name.endswith(".tmp") and _TEMPORARY.fullmatch(path.name)]
    if not found:
        return []
    now = _clock_of(folder)
    swept = []
    for path in found:
        with suppress(OSError):
            if _left_behind(path, now):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
                swept.append(path)
    return swept


@lru_cache(maxsize=4096)
def _sweep_once(folder: Path) -> None:
    """Sweep each folder that this process writes to once."""
    with suppress(OSError):  # a folder that may not be listed can still be written to
        sweep(folder)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a parquet file atomically."""
    with replacing(path) as temporary:
        pq.write_table(table, temporary, row_group_size=4096, **WRITING)


def write_text(text: str, path: Path, *, durable: bool = True) -> None:
    """Write a text file atomically, as UTF-8."""
    with replacing(path, durable=durable) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(value: Any, path: Path, *, durable: bool = True) -> None:
    """Write a JSON file atomically, keys in the order given."""
    write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", path, durable=durable)


def _to_disk(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@lru_cache(maxsize=1)
def _host() -> str:
    return f"{stable_hash(socket.gethostname()):016x}"[:8]


def _left_behind(path: Path, now: float | None) -> bool:
    match = _TEMPORARY.fullmatch(path.name)
    if match is not None and match["host"] == _host():
        return not _runs(int(match["process"]))
    return now is not None and now - path.stat().st_mtime > _OLD_S


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _clock_of(folder: Path) -> float | None:
    """Now, as the file system tells it: this machine's clock may have jumped. None where nothing can be written."""
    probe = temporary_name(folder / "clock")
    try:
        probe.touch()
        return probe.stat().st_mtime
    except OSError:
        return None
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
