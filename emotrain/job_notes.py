"""What a process inside a batch job leaves for its script to tell: what it is doing, and with which error it ended.

The notes lie beside the job's stop file. The script (slurm/job.sh) tells them in the log of the chain, and does not put
a job back into the queue that a rank ended with an error of its own: SLURM ends the other nodes then, and their status
looks like that of a preemption.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

from emotrain.launched import launched_place

STOP_FILE = "EMOTRAIN_STOP_FILE"
"""Environment variable that names the file whose appearance asks the run to stop."""

FAULT, DOING, KEPT = ".fault-", ".doing", ".kept"
LONGEST = 400

_LOST = re.compile(
    r"connection (?:closed|reset|refused|was likely closed)|broken pipe|socket timeout|timed out waiting|timeout\(ms\)"
    r"|gloo|nccl|peer|recvvalue|sendbytes|store->get|c10d|tcpstore|distributed (?:backend|store|network)",
    re.IGNORECASE,
)
"""What a rank says whose partner is gone: the partner's end is the news, not this."""


def stop_file() -> Path | None:
    """The file whose appearance asks this job to stop; None outside a batch script."""
    name = os.environ.get(STOP_FILE)
    return Path(name) if name else None


def doing(what: str) -> None:
    """Say for the log of the chain what the job's first process does from now on ("evaluating", ...)."""
    file = stop_file()
    if file is not None and launched_place()[0] == 0:
        _leave(file.with_name(file.name + DOING), what)


def kept(what: str) -> None:
    """Say that this attempt wrote a checkpoint: the job may go back into the queue, for it gets on."""
    file = stop_file()
    if file is not None and launched_place()[0] == 0:
        _leave(file.with_name(file.name + KEPT), what)


def note_fault(error: BaseException) -> None:
    """Leave the error with which this process ends, unless it only says that another process is gone."""
    file = stop_file()
    if file is None or _says_that_another_is_gone(error):
        return
    rank, processes = launched_place()
    lines = str(error).strip().splitlines()
    who = f"rank {rank} on {socket.gethostname()}: " if processes > 1 else ""
    more = " ..." if len(lines) > 1 else ""
    _leave(
        file.with_name(f"{file.name}{FAULT}{rank}"),
        f"{who}{type(error).__name__}: {lines[0] if lines else ''}"[:LONGEST] + more,
    )


def _says_that_another_is_gone(error: BaseException) -> bool:
    named = type(error).__name__.startswith("Dist") or isinstance(error, (ConnectionError, TimeoutError))
    return named or (isinstance(error, RuntimeError) and _LOST.search(str(error)) is not None)


def _leave(note: Path, text: str) -> None:
    from emotrain.atomic_files import write_text

    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    try:
        write_text(clean + "\n", note)
    except OSError:
        try:
            note.touch()  # on a full disk a name still finds room; the script reads an empty note as that
        except OSError:
            return
