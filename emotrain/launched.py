"""Which of the processes of `accelerate launch` this one is."""

from __future__ import annotations

import os


def launched_place() -> tuple[int, int]:
    """This process's number and how many there are; (0, 1) for a process started by itself."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
